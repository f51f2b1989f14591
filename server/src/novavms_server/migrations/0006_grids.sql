-- Grids: arrangements of a wall that somebody keeps under a name.

CREATE TABLE grids (
    org_id              uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id                  uuid NOT NULL PRIMARY KEY,
    user_id             uuid,                            -- who made it: a user …
    service_account_id  uuid,                            -- … or a service account; with them it goes
    maker_id            uuid NOT NULL GENERATED ALWAYS AS (coalesce(user_id, service_account_id)) STORED,
    name                text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    columns             smallint NOT NULL CHECK (columns BETWEEN 1 AND 4),
    is_shared           boolean NOT NULL DEFAULT false,
    version             integer NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (org_id, id),
    CONSTRAINT grids_name_unique UNIQUE (org_id, maker_id, name),
    CHECK (num_nonnulls(user_id, service_account_id) = 1),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, service_account_id) REFERENCES service_accounts (org_id, id) ON DELETE CASCADE
);
CREATE INDEX grids_shared ON grids (org_id, id DESC) WHERE is_shared;
CREATE INDEX grids_by_user ON grids (org_id, user_id);
CREATE INDEX grids_by_service_account ON grids (org_id, service_account_id);

CREATE TABLE grid_cameras (                              -- its places that are not empty, row by row from 0
    org_id     uuid NOT NULL,
    grid_id    uuid NOT NULL,
    place      smallint NOT NULL CHECK (place BETWEEN 0 AND 15),
    camera_id  uuid NOT NULL,
    PRIMARY KEY (grid_id, place),
    UNIQUE (grid_id, camera_id),
    FOREIGN KEY (org_id, grid_id) REFERENCES grids (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, camera_id) REFERENCES cameras (org_id, id) ON DELETE CASCADE
);
CREATE INDEX grid_cameras_by_camera ON grid_cameras (org_id, camera_id);

DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['grids', 'grid_cameras'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()))', name);
        EXECUTE format('CREATE POLICY everything ON %I TO novavms_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO novavms_app, novavms_system', name);
    END LOOP;
END $$;
