-- The first schema. Forward only; never edited after a release.
--
-- Tenancy. Every table of a tenant has org_id, and every reference between two such tables carries org_id with it, so
-- that a row can't point into another org. Two roles use the tables, neither owner nor superuser:
--   novavms_app     requests and gateway links. Row-level security shows it only rows of app.org_id, which nova_enter
--                   sets for one transaction. Nothing set: nothing seen.
--   novavms_system  what must look across orgs: logging in, accepting a gateway, periodic work.
-- Ids are UUIDv7, made in Python: they sort by time, and so lists are ordered by id.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'novavms_app') THEN CREATE ROLE novavms_app NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'novavms_system') THEN CREATE ROLE novavms_system NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this cluster, migrating now
END $$;
DO $$ BEGIN EXECUTE format('GRANT novavms_app, novavms_system TO %I', current_user); END $$;

-- ---- orgs and people ---------------------------------------------------------------------------------------

CREATE TABLE orgs (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    sandbox     boolean NOT NULL DEFAULT false,          -- its keys begin sk_test_
    -- Raised by every change of a role, grant, key or session. A request carries the number it was authenticated at,
    -- and nova_enter answers today's: unequal means "ask again who this is" before anything is believed.
    auth_epoch  bigint NOT NULL DEFAULT 1,
    settings    jsonb NOT NULL DEFAULT '{}',
    -- A missing camera that was found at another address: ask a person, or go there at once with its password.
    moved_cameras text NOT NULL DEFAULT 'offer' CHECK (moved_cameras IN ('offer', 'apply')),
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sites (
    org_id      uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id          uuid NOT NULL,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    timezone    text NOT NULL DEFAULT 'UTC',             -- IANA name
    address     text,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,                             -- soft: events of its cameras stay readable
    PRIMARY KEY (id),
    UNIQUE (org_id, id)
);
CREATE UNIQUE INDEX sites_name_unique ON sites (org_id, name) WHERE deleted_at IS NULL;
CREATE INDEX sites_by_org ON sites (org_id, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE users (
    org_id               uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id                   uuid NOT NULL,
    email                text NOT NULL,                  -- as typed; compared without case
    display_name         text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 100),
    role                 text NOT NULL CHECK (role IN ('owner', 'admin', 'operator', 'viewer')),
    password_hash        text NOT NULL,                  -- argon2id, PHC string
    must_change_password boolean NOT NULL DEFAULT false,
    enabled              boolean NOT NULL DEFAULT true,
    last_login_at        timestamptz,
    version              integer NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id),
    UNIQUE (org_id, id)
);
CREATE UNIQUE INDEX users_email_unique ON users (org_id, lower(email));
CREATE UNIQUE INDEX users_one_owner ON users (org_id) WHERE role = 'owner';
CREATE INDEX users_by_email ON users (lower(email));
CREATE INDEX users_by_org ON users (org_id, id DESC);

CREATE TABLE user_sites (                                -- grants bind viewers only
    org_id   uuid NOT NULL,
    user_id  uuid NOT NULL,
    site_id  uuid NOT NULL,
    PRIMARY KEY (user_id, site_id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, site_id) REFERENCES sites (org_id, id) ON DELETE CASCADE
);
CREATE INDEX user_sites_by_site ON user_sites (site_id);

CREATE TABLE sessions (
    org_id        uuid NOT NULL,
    id            uuid NOT NULL PRIMARY KEY,
    user_id       uuid NOT NULL,
    client_type   text NOT NULL CHECK (client_type IN ('web', 'mobile', 'api')),
    remember_me   boolean NOT NULL DEFAULT false,
    user_agent    text,
    ip            text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);

CREATE TABLE refresh_tokens (                            -- a used one is kept: its second use ends the session
    org_id      uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    hash        bytea PRIMARY KEY,
    session_id  uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

CREATE TABLE password_resets (
    org_id      uuid NOT NULL,
    user_id     uuid NOT NULL,
    hash        bytea PRIMARY KEY,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE TABLE owner_nominations (                         -- one open per org; accepting it swaps the roles in one statement
    org_id      uuid PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    user_id     uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE TABLE login_attempts (                            -- failed ones; the limit holds on every server
    email_hash  bytea NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX login_attempts_by_email ON login_attempts (email_hash, at);

CREATE TABLE service_accounts (
    org_id      uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id          uuid NOT NULL PRIMARY KEY,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role        text NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
    enabled     boolean NOT NULL DEFAULT true,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    CONSTRAINT service_accounts_name_unique UNIQUE (org_id, name)
);
CREATE TABLE service_account_sites (
    org_id              uuid NOT NULL,
    service_account_id  uuid NOT NULL,
    site_id             uuid NOT NULL,
    PRIMARY KEY (service_account_id, site_id),
    FOREIGN KEY (org_id, service_account_id) REFERENCES service_accounts (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, site_id) REFERENCES sites (org_id, id) ON DELETE CASCADE
);
CREATE TABLE api_keys (
    org_id              uuid NOT NULL,
    id                  uuid NOT NULL PRIMARY KEY,
    service_account_id  uuid NOT NULL,
    name                text,
    prefix              text NOT NULL,                   -- first 12 characters, public
    hash                bytea NOT NULL UNIQUE,           -- SHA-256 of the whole key (256 random bits need no slow hash)
    created_at          timestamptz NOT NULL DEFAULT now(),
    last_used_at        timestamptz,
    expires_at          timestamptz,
    revoked_at          timestamptz,
    FOREIGN KEY (org_id, service_account_id) REFERENCES service_accounts (org_id, id) ON DELETE CASCADE
);
CREATE INDEX api_keys_by_account ON api_keys (service_account_id, id DESC);

-- ---- gateways ------------------------------------------------------------------------------------------------

CREATE TABLE gateways (
    org_id             uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id                 uuid NOT NULL PRIMARY KEY,
    site_id            uuid NOT NULL,
    name               text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    status             text NOT NULL DEFAULT 'registered' CHECK (status IN ('registered', 'online', 'offline')),
    status_at          timestamptz NOT NULL DEFAULT now(),
    software_version   text,
    hardware           jsonb NOT NULL DEFAULT '{}',
    local_ip           text,
    token_hash         bytea,                            -- SHA-256; NULL until paired
    paired_at          timestamptz,
    connection_id      uuid,                             -- the socket that counts; a second one replaces it
    last_heartbeat_at  timestamptz,
    telemetry          jsonb,                            -- the newest
    state_version      bigint NOT NULL DEFAULT 0,        -- of the desired state; raised in the transaction that changes it
    applied_version    bigint,
    version            integer NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz,
    UNIQUE (org_id, id),
    UNIQUE (org_id, site_id, id),
    FOREIGN KEY (org_id, site_id) REFERENCES sites (org_id, id)
);
CREATE INDEX gateways_by_org ON gateways (org_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX gateways_by_site ON gateways (org_id, site_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX gateways_online ON gateways (id) WHERE status = 'online';   -- not by heartbeat: its update then touches no index

CREATE TABLE pairing_codes (
    org_id      uuid NOT NULL,
    gateway_id  uuid NOT NULL,
    hash        bytea PRIMARY KEY,                       -- keyed; see gateways/pairing
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    FOREIGN KEY (org_id, gateway_id) REFERENCES gateways (org_id, id) ON DELETE CASCADE
);
CREATE INDEX pairing_codes_open ON pairing_codes (org_id, expires_at) WHERE used_at IS NULL;

CREATE TABLE gateway_telemetry (
    org_id      uuid NOT NULL,
    gateway_id  uuid NOT NULL,
    at          timestamptz NOT NULL,                    -- thinned to one a minute
    data        jsonb NOT NULL,
    PRIMARY KEY (gateway_id, at),
    FOREIGN KEY (org_id, gateway_id) REFERENCES gateways (org_id, id) ON DELETE CASCADE
);

CREATE TABLE gateway_reports (                           -- ids already taken in: a repeat is shrugged at
    org_id      uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    gateway_id  uuid NOT NULL,
    id          uuid NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway_id, id)
);
CREATE INDEX gateway_reports_by_age ON gateway_reports (at);

-- ---- cameras -------------------------------------------------------------------------------------------------

CREATE TABLE cameras (
    org_id             uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id                 uuid NOT NULL PRIMARY KEY,
    site_id            uuid NOT NULL,
    gateway_id         uuid,
    connection_mode    text NOT NULL CHECK (connection_mode IN ('gateway', 'direct')),
    name               text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- A column and not an index on the expression: under row-level security only leakproof functions may reach an
    -- index, and lower() is none.
    name_key           text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    type               text NOT NULL CHECK (type IN ('rtsp', 'onvif')),
    enabled            boolean NOT NULL DEFAULT true,
    -- what it is to do
    host               text NOT NULL,
    port               integer NOT NULL CHECK (port BETWEEN 1 AND 65535),   -- ONVIF service, or RTSP
    rtsp_url           text,                             -- without credentials; for onvif the one last resolved
    credentials        bytea,                            -- sealed JSON {"username", "password"}
    -- SHA-256 of the certificates that it is held to, in hexadecimal: of rtsps (type rtsp) or ONVIF's https, and of the
    -- rtsps stream that an ONVIF camera names
    tls_fingerprint        text CHECK (tls_fingerprint ~ '^[0-9a-f]{64}$'),
    stream_tls_fingerprint text CHECK (stream_tls_fingerprint ~ '^[0-9a-f]{64}$'),
    tls_pinned_at          timestamptz,
    stream_transport   text NOT NULL DEFAULT 'tcp' CHECK (stream_transport IN ('tcp', 'udp', 'auto')),
    recording_stream   text NOT NULL DEFAULT 'main' CHECK (recording_stream IN ('main', 'sub')),
    detection_stream   text NOT NULL DEFAULT 'sub' CHECK (detection_stream IN ('main', 'sub')),
    revision           integer NOT NULL DEFAULT 1,       -- of what the gateway is told
    stream_name        text,                             -- direct mode: its random name at go2rtc
    -- what it is doing
    status             text NOT NULL CHECK (status IN ('pending', 'online', 'offline', 'error', 'disabled')),
    status_reason      text,
    status_message     text,
    status_at          timestamptz NOT NULL DEFAULT now(),
    status_seq         integer NOT NULL DEFAULT 0,       -- raised with each change a reader can see that is not version's
    status_reported_at timestamptz,                      -- `at` of the newest report taken from its gateway, by the gateway's clock
    last_seen_at       timestamptz,
    active_tier        text NOT NULL DEFAULT 'main' CHECK (active_tier IN ('main', 'sub')),
    codec              text,
    width              integer,
    height             integer,
    fps                double precision,
    has_audio          boolean,
    -- who it is
    manufacturer       text,
    model              text,
    firmware           text,
    serial             text,
    mac                text,
    endpoint_reference text,
    identity           text,                             -- device and stream in one word, to find the same camera twice
    moved_to           jsonb,                            -- where its gateway found it while it was missing, as the API shows it
    move_dismissed     text,                             -- "host port" that a person said no to, until it is back
    profiles           jsonb NOT NULL DEFAULT '[]',
    last_check         jsonb,                            -- the last check's report, as the API shows it
    last_triggered_at  timestamptz,
    version            integer NOT NULL DEFAULT 1,       -- of what people set; If-Match compares it
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz,
    UNIQUE (org_id, id),
    CHECK ((connection_mode = 'gateway') = (gateway_id IS NOT NULL)),
    FOREIGN KEY (org_id, site_id) REFERENCES sites (org_id, id),
    FOREIGN KEY (org_id, gateway_id) REFERENCES gateways (org_id, id)
);
CREATE INDEX cameras_by_org ON cameras (org_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX cameras_by_site ON cameras (org_id, site_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX cameras_by_gateway ON cameras (org_id, gateway_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX cameras_by_status ON cameras (org_id, status, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX cameras_by_name ON cameras (org_id, name_key, id) WHERE deleted_at IS NULL;
CREATE INDEX cameras_by_identity ON cameras (org_id, identity) WHERE deleted_at IS NULL AND identity IS NOT NULL;
CREATE INDEX cameras_direct ON cameras (id) WHERE connection_mode = 'direct' AND deleted_at IS NULL;

-- `total` of a list must not count a million rows. Exact, kept by statement triggers: one row per combination of what a
-- list can be filtered by; a total is the sum of the few that match. An org of 10,000 gateways has tens of thousands of
-- such rows, so that the sums over a whole org are kept once more, in 16 shards: two gateways' reports rarely meet in one.
-- Keys are taken in order, and the second table after the first, so that two writers can't deadlock on them.
CREATE TABLE camera_totals (
    org_id           uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    site_id          uuid NOT NULL,
    gateway_id       uuid NOT NULL,                      -- zero UUID: none
    connection_mode  text NOT NULL,
    type             text NOT NULL,
    status           text NOT NULL,
    count            bigint NOT NULL,
    PRIMARY KEY (org_id, site_id, gateway_id, connection_mode, type, status)
);
CREATE INDEX camera_totals_by_gateway ON camera_totals (org_id, gateway_id);
CREATE TABLE camera_totals_by_org (
    org_id           uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    shard            smallint NOT NULL,                  -- last hex digit of the gateway's id
    connection_mode  text NOT NULL,
    type             text NOT NULL,
    status           text NOT NULL,
    count            bigint NOT NULL,
    PRIMARY KEY (org_id, shard, connection_mode, type, status)
);

-- A combination, and how many came (or, negative, went).
CREATE TYPE camera_total AS (org_id uuid, site_id uuid, gateway_id uuid, connection_mode text, type text, status text, change integer);
CREATE FUNCTION camera_totals_add(changes camera_total[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO camera_totals
    SELECT org_id, site_id, gateway_id, connection_mode, type, status, sum(change) FROM unnest(changes)
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (org_id, site_id, gateway_id, connection_mode, type, status) DO UPDATE SET count = camera_totals.count + excluded.count;
    INSERT INTO camera_totals_by_org
    SELECT org_id, get_byte(uuid_send(gateway_id), 15) % 16, connection_mode, type, status, sum(change) FROM unnest(changes)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (org_id, shard, connection_mode, type, status) DO UPDATE SET count = camera_totals_by_org.count + excluded.count;
$$;
CREATE FUNCTION camera_totals_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE changes camera_total[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(ROW(org_id, site_id, coalesce(gateway_id, '00000000-0000-0000-0000-000000000000'), connection_mode, type, status, n)::camera_total)
        INTO changes FROM (
            SELECT org_id, site_id, gateway_id, connection_mode, type, status, count(*) AS n
            FROM new_rows WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6) AS added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(ROW(org_id, site_id, coalesce(gateway_id, '00000000-0000-0000-0000-000000000000'), connection_mode, type, status, -n)::camera_total)
        INTO changes FROM (
            SELECT org_id, site_id, gateway_id, connection_mode, type, status, count(*) AS n
            FROM old_rows WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6) AS gone;
    ELSE
        SELECT array_agg(ROW(org_id, site_id, coalesce(gateway_id, '00000000-0000-0000-0000-000000000000'), connection_mode, type, status, n)::camera_total)
        INTO changes FROM (
            SELECT org_id, site_id, gateway_id, connection_mode, type, status, sum(sign) AS n FROM (
                SELECT org_id, site_id, gateway_id, connection_mode, type, status, 1 AS sign FROM new_rows WHERE deleted_at IS NULL
                UNION ALL
                SELECT org_id, site_id, gateway_id, connection_mode, type, status, -1 FROM old_rows WHERE deleted_at IS NULL
            ) AS change GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(sign) <> 0) AS changed;
    END IF;
    IF changes IS NOT NULL THEN
        PERFORM camera_totals_add(changes);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER camera_totals_insert AFTER INSERT ON cameras REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION camera_totals_count();
CREATE TRIGGER camera_totals_update AFTER UPDATE ON cameras REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION camera_totals_count();
CREATE TRIGGER camera_totals_delete AFTER DELETE ON cameras REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION camera_totals_count();

CREATE TABLE camera_status_log (                         -- every change has a reason and a time
    org_id     uuid NOT NULL,
    camera_id  uuid NOT NULL,
    at         timestamptz NOT NULL,
    status     text NOT NULL,
    reason     text,
    message    text,
    flaps      integer NOT NULL DEFAULT 0,               -- changes folded into this entry: one entry a minute at most
    FOREIGN KEY (org_id, camera_id) REFERENCES cameras (org_id, id) ON DELETE CASCADE
);
CREATE INDEX camera_status_log_by_camera ON camera_status_log (camera_id, at DESC);

-- ---- events and clips ------------------------------------------------------------------------------------------

CREATE TABLE events (
    org_id         uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id             uuid NOT NULL PRIMARY KEY,
    camera_id      uuid NOT NULL,
    site_id        uuid NOT NULL,                        -- where the camera was then
    trigger_type   text NOT NULL CHECK (trigger_type IN ('motion', 'ai_tag', 'manual')),
    triggered_at   timestamptz NOT NULL,
    triggered_by   text,                                 -- user:<id> or key:<id>
    summary        text,
    narrative      text,
    note           text CHECK (char_length(note) <= 500),
    tags           text[] NOT NULL DEFAULT '{}',
    ai_status      text NOT NULL DEFAULT 'skipped' CHECK (ai_status IN ('pending', 'completed', 'skipped', 'failed')),
    acknowledged   boolean NOT NULL DEFAULT false,
    acknowledged_at timestamptz,
    starred        boolean NOT NULL DEFAULT false,
    snapshot_key   text,                                 -- in the store
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz,
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, camera_id) REFERENCES cameras (org_id, id),
    FOREIGN KEY (org_id, site_id) REFERENCES sites (org_id, id)
);
-- Newest first is by the time it happened, not by id: a gateway that was cut off tells of its events later.
CREATE INDEX events_by_org ON events (org_id, triggered_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX events_by_site ON events (org_id, site_id, triggered_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX events_by_camera ON events (org_id, camera_id, triggered_at DESC, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE clips (
    org_id          uuid NOT NULL,
    id              uuid NOT NULL PRIMARY KEY,
    event_id        uuid NOT NULL UNIQUE,                -- an event has at most one clip
    camera_id       uuid NOT NULL,
    gateway_id      uuid,
    status          text NOT NULL CHECK (status IN ('recording', 'uploading', 'ready', 'failed')),
    failure_reason  text,
    failure_message text,
    guessed         boolean NOT NULL DEFAULT false,      -- failed by the server's own guess: the gateway may prove it wrong
    asked_sec       double precision NOT NULL,
    pre_roll_sec    double precision NOT NULL,
    started_at      timestamptz,
    ordered_at      timestamptz NOT NULL DEFAULT now(),
    deadline_at     timestamptz NOT NULL,                -- no word by then: failed, never "recording" for ever
    store_key       text,
    size_bytes      bigint,
    sha256          text,
    duration_sec    double precision,
    gap_sec         double precision,                    -- of it without a picture
    codec           text,
    width           integer,
    height          integer,
    has_audio       boolean,
    accepted_at     timestamptz,                         -- the gateway took the order
    upload          jsonb,                               -- what the gateway sends: size_bytes, sha256, part_bytes; NULL: no parts in the store
    reported        jsonb,                               -- the gateway's ClipReady, until its bytes are verified
    lease_until     timestamptz,                         -- a server is at work on it, or: not to be tried before
    snapshot_at     timestamptz,                         -- when its first picture was made or given up; NULL: still to do
    seq             integer NOT NULL DEFAULT 0,          -- raised with each change of status
    deleted_at      timestamptz,                         -- its event was deleted: the bytes are to go
    purged_at       timestamptz,                         -- and went
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, event_id) REFERENCES events (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, camera_id) REFERENCES cameras (org_id, id)
);
CREATE INDEX clips_unfinished ON clips (deadline_at) WHERE status IN ('recording', 'uploading');
CREATE INDEX clips_by_gateway ON clips (gateway_id) WHERE status IN ('recording', 'uploading');
-- What is owed to a clip: to verify and join its parts, to remove parts, to make its picture, to remove its bytes.
-- The predicate is written the same way in clips/queries.py.
CREATE INDEX clips_owed ON clips (id) WHERE (status = 'uploading' AND reported IS NOT NULL)
    OR (status IN ('ready', 'failed') AND NOT guessed AND upload IS NOT NULL)
    OR (store_key IS NOT NULL AND snapshot_at IS NULL)
    OR (deleted_at IS NOT NULL AND purged_at IS NULL);

-- ---- requests and audit ------------------------------------------------------------------------------------------

CREATE TABLE idempotency_keys (
    org_id        uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    caller        text NOT NULL,
    key           text NOT NULL,
    request_hash  bytea NOT NULL,                        -- method, path, query, body
    lease         uuid,                                  -- who is at work on it; NULL: answered
    lease_until   timestamptz,
    status        integer,
    headers       jsonb,
    body          bytea,                                 -- sealed: an answer may hold a key that is shown once
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, caller, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit_log (
    org_id       uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id           uuid NOT NULL PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    actor        text NOT NULL,                          -- user:<id>, key:<id>, gateway:<id>, system
    action       text NOT NULL,                          -- camera.created
    target_type  text NOT NULL,
    target_id    uuid,
    before       jsonb,                                  -- secrets removed
    after        jsonb,
    request_id   text
);
CREATE INDEX audit_log_by_org ON audit_log (org_id, id DESC);

-- ---- the second lock -----------------------------------------------------------------------------------------------

CREATE FUNCTION nova_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('app.org_id', true), '')::uuid $$;

-- Opens the org for this transaction and answers its auth_epoch (NULL: no such org).
CREATE FUNCTION nova_enter(entered uuid) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.org_id', entered::text, true);
    RETURN (SELECT auth_epoch FROM orgs WHERE id = entered);
END $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sites', 'users', 'user_sites', 'sessions', 'refresh_tokens', 'password_resets', 'owner_nominations',
        'service_accounts', 'service_account_sites', 'api_keys', 'gateways', 'pairing_codes', 'gateway_telemetry', 'gateway_reports',
        'cameras', 'camera_totals', 'camera_totals_by_org', 'camera_status_log', 'events', 'clips', 'idempotency_keys', 'audit_log']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()))', name);
        EXECUTE format('CREATE POLICY everything ON %I TO novavms_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO novavms_app, novavms_system', name);
    END LOOP;
END $$;
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orgs TO novavms_app USING (id = (SELECT nova_org())) WITH CHECK (id = (SELECT nova_org()));
CREATE POLICY everything ON orgs TO novavms_system USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON orgs TO novavms_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON orgs TO novavms_system;
GRANT SELECT, INSERT, DELETE ON login_attempts TO novavms_system;
REVOKE UPDATE, DELETE ON audit_log FROM novavms_app, novavms_system;   -- immutable
REVOKE INSERT, UPDATE, DELETE ON camera_totals, camera_totals_by_org FROM novavms_app, novavms_system;   -- by its trigger only
GRANT USAGE ON SCHEMA public TO novavms_app, novavms_system;
