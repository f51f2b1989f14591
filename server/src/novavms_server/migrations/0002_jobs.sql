-- Jobs: work that must follow a commit is a row of that commit (see kit/jobs).

CREATE TABLE jobs (
    org_id        uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id            uuid NOT NULL PRIMARY KEY,
    task          text NOT NULL,
    args          jsonb NOT NULL DEFAULT '{}',           -- ids only: never a secret
    lock          text,                                  -- of the jobs with one lock, one runs at a time
    queueing_lock text,                                  -- of the jobs with one of these, one waits at a time
    run_at        timestamptz,                           -- NULL: at once
    attempts      integer NOT NULL DEFAULT 0,
    lease         uuid,                                  -- the run that is at work on it
    lease_until   timestamptz,                           -- renewed while it runs; past: its server died, it runs again
    failed_at     timestamptz,                           -- given up
    last_error    text,                                  -- the exception's type; its text may hold a secret
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jobs_due ON jobs (run_at NULLS FIRST, id) WHERE failed_at IS NULL;
CREATE UNIQUE INDEX jobs_lock ON jobs (lock) WHERE lease IS NOT NULL;
CREATE UNIQUE INDEX jobs_queueing_lock ON jobs (queueing_lock) WHERE lease IS NULL AND failed_at IS NULL;

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON jobs TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()));
CREATE POLICY everything ON jobs TO novavms_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO novavms_app, novavms_system;

CREATE TABLE periodic_tasks (                            -- whoever moves the time on runs the task: one server of several
    name         text PRIMARY KEY,
    last_run_at  timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON periodic_tasks TO novavms_system;
