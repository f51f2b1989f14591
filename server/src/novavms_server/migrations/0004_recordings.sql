-- Recording: how a camera is recorded, and the gateways' ledgers of what there is (docs/design/recording.md).

ALTER TABLE cameras
    ADD COLUMN recording_mode text NOT NULL DEFAULT 'events' CHECK (recording_mode IN ('off', 'continuous', 'events')),
    ADD COLUMN recording_schedule jsonb,                 -- [{"days", "start", "end"}] on the site's clock; NULL: always
    ADD COLUMN retention_days integer NOT NULL DEFAULT 30 CHECK (retention_days BETWEEN 1 AND 3650),
    ADD COLUMN retention_bytes bigint CHECK (retention_bytes >= 100000000),   -- NULL: only the volume's own limit
    ADD CHECK (recording_mode <> 'continuous' OR connection_mode = 'gateway');

CREATE TABLE ledgers (                                   -- one per gateway that records
    org_id       uuid NOT NULL,
    gateway_id   uuid NOT NULL PRIMARY KEY,
    epoch        uuid NOT NULL,                          -- names the gateway's index
    life         integer NOT NULL DEFAULT 1,             -- raised with each other epoch: rows of older lives count no more
    past_epochs  uuid[] NOT NULL DEFAULT '{}',           -- the last few: what still comes of them is refused
    told_seq     bigint NOT NULL DEFAULT 0,              -- all changes up to here have been told
    swept_life   integer NOT NULL DEFAULT 0,             -- rows of lives before this one are removed
    as_of        timestamptz,                            -- the rows are true up to this time; NULL: not all told yet
    updated_at   timestamptz NOT NULL,
    FOREIGN KEY (org_id, gateway_id) REFERENCES gateways (org_id, id) ON DELETE CASCADE
);

CREATE TABLE ledger_rows (                               -- stretches of one stream's time, as the gateway tells them
    org_id      uuid NOT NULL,
    gateway_id  uuid NOT NULL,
    life        integer NOT NULL,
    id          bigint NOT NULL,                         -- the gateway's
    seq         bigint NOT NULL,                         -- the higher one replaces
    camera_id   uuid NOT NULL,
    stream      text NOT NULL CHECK (stream IN ('main', 'sub')),
    kind        text NOT NULL CHECK (kind IN ('span', 'gap')),
    start_at    timestamptz NOT NULL,
    end_at      timestamptz NOT NULL,                    -- of the newest row it moves on; so no index has it
    reason      text,                                    -- of a gap
    size_bytes  bigint NOT NULL DEFAULT 0,
    codec       text,
    width       integer,
    height      integer,
    has_audio   boolean NOT NULL DEFAULT false,
    deleted_at  timestamptz,                             -- the gateway has no such row any more; kept a while for what comes late
    PRIMARY KEY (gateway_id, life, id),
    CHECK (start_at <= end_at),
    FOREIGN KEY (org_id, camera_id) REFERENCES cameras (org_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);                                -- the newest rows are written again and again
CREATE INDEX ledger_rows_by_camera ON ledger_rows (camera_id, life, stream, start_at) WHERE deleted_at IS NULL;
CREATE INDEX ledger_rows_deleted ON ledger_rows (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE footage_holds (                             -- ranges that retention must leave alone
    org_id       uuid NOT NULL,
    id           uuid NOT NULL PRIMARY KEY,
    gateway_id   uuid NOT NULL,
    camera_id    uuid NOT NULL,
    event_id     uuid,                                   -- held for this event's star
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL,
    is_held      boolean NOT NULL DEFAULT true,
    changed      integer NOT NULL DEFAULT 1,             -- raised with each change of is_held
    told         integer NOT NULL DEFAULT 0,             -- the change that the gateway has taken
    told_life    integer,                                -- of its ledger then: a new index knows no holds
    created_at   timestamptz NOT NULL,
    released_at  timestamptz,
    CHECK (start_at < end_at),
    FOREIGN KEY (org_id, gateway_id) REFERENCES gateways (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, camera_id) REFERENCES cameras (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, event_id) REFERENCES events (org_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX footage_holds_by_event ON footage_holds (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX footage_holds_by_gateway ON footage_holds (gateway_id);

-- A clip that is cut out of the past: which stretch. NULL: recorded from a trigger on.
ALTER TABLE clips ADD COLUMN cut_start_at timestamptz, ADD COLUMN cut_end_at timestamptz;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledgers', 'ledger_rows', 'footage_holds'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()))', name);
        EXECUTE format('CREATE POLICY everything ON %I TO novavms_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO novavms_app, novavms_system', name);
    END LOOP;
END $$;
