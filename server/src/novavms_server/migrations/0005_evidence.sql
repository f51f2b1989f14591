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
