-- Footage that leaves the house: links to events, and exports.

CREATE TABLE event_shares (
    org_id       uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id           uuid NOT NULL PRIMARY KEY,
    event_id     uuid NOT NULL,
    token_hash   bytea NOT NULL UNIQUE,                  -- SHA-256; the token itself is shown once, in the link
    created_by   text NOT NULL,                          -- user:<id> or key:<id>
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    view_count   integer NOT NULL DEFAULT 0,
    last_viewed_at timestamptz,
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, event_id) REFERENCES events (org_id, id) ON DELETE CASCADE
);
CREATE INDEX event_shares_by_event ON event_shares (org_id, event_id, id DESC);

ALTER TABLE event_shares ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON event_shares TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()));
CREATE POLICY everything ON event_shares TO novavms_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON event_shares TO novavms_app, novavms_system;

-- Exports: footage as evidence, signed with the org's own key.

CREATE TABLE org_signing_keys (
    org_id       uuid NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    private_key  bytea NOT NULL,                         -- sealed; 32 bytes, Ed25519
    public_key   bytea NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE exports (
    org_id          uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id              uuid NOT NULL PRIMARY KEY,
    camera_ids      uuid[] NOT NULL CHECK (cardinality(camera_ids) BETWEEN 1 AND 16),
    from_at         timestamptz NOT NULL,
    to_at           timestamptz NOT NULL CHECK (to_at > from_at),
    case_reference  text CHECK (char_length(case_reference) <= 100),
    note            text CHECK (char_length(note) <= 500),
    created_by      text NOT NULL,                       -- user:<id> or key:<id>
    status          text NOT NULL CHECK (status IN ('pending', 'collecting', 'ready', 'failed')),
    status_reason   text,                                -- also of `pending`: what it waits for
    status_message  text,
    progress        double precision NOT NULL DEFAULT 0, -- 0 to 1
    gaps            jsonb NOT NULL DEFAULT '[]',
    file_name       text,
    store_key       text,
    size_bytes      bigint,
    sha256          text,
    fingerprint     text,                                -- of the key that signed
    deadline_at     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    ready_at        timestamptz,
    deleted_at      timestamptz,
    UNIQUE (org_id, id)
);
CREATE INDEX exports_by_org ON exports (org_id, id DESC) WHERE deleted_at IS NULL;

DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['org_signing_keys', 'exports'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()))', name);
        EXECUTE format('CREATE POLICY everything ON %I TO novavms_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO novavms_app, novavms_system', name);
    END LOOP;
END $$;
