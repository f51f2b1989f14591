-- The feed: what happened in an org, told by GET /stream (see feed/ and stream/). An item is a row of the commit it tells of.
--
-- Readers go by "position > the last one I have". A number taken when a row is written would make them skip rows: who takes
-- 7 may commit after who took 8. So the position is given at the commit, by a deferred trigger, under a lock of the org that
-- is held until the commit is in and visible: an org's positions grow in the order of its commits. The lock is the last one a
-- transaction takes, whatever its statements' order, and so can't deadlock.

CREATE SEQUENCE feed_positions;
CREATE TABLE feed_items (
    org_id        uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position      bigint,                                -- given at the commit; NULL is never seen by another transaction
    at            timestamptz NOT NULL,
    type          text NOT NULL,                         -- camera, camera_status, gateway, gateway_status, event, clip, alert
    site_id       uuid NOT NULL,                         -- a viewer wants its grant
    left_site_id  uuid,                                  -- for those who see only this one the object is gone
    camera_id     uuid,
    data          json NOT NULL                          -- as it is told; json and not jsonb: nobody looks into it here
);
CREATE UNIQUE INDEX feed_items_by_position ON feed_items (org_id, position) WHERE position IS NOT NULL;
CREATE INDEX feed_items_by_age ON feed_items (at);

CREATE FUNCTION feed_place() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1717921124, hashtext(NEW.org_id::text));  -- "feed"
    UPDATE feed_items SET position = nextval('feed_positions') WHERE id = NEW.id;
    PERFORM pg_notify('novavms_feed', NEW.org_id::text);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER feed_place AFTER INSERT ON feed_items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION feed_place();

ALTER TABLE feed_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feed_items TO novavms_app USING (org_id = (SELECT nova_org())) WITH CHECK (org_id = (SELECT nova_org()));
CREATE POLICY everything ON feed_items TO novavms_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON feed_items TO novavms_app, novavms_system;       -- what was told stays told …
GRANT DELETE ON feed_items TO novavms_system;                            -- … for its time
GRANT SELECT ON feed_positions TO novavms_app, novavms_system;
