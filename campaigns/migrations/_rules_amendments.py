"""An amendment is decided once, and keeps what it asked for."""

AMENDMENTS = """
CREATE FUNCTION campaigns_guard_amendment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'proposed' OR (NEW.campaign_id, NEW.changes, NEW.before, NEW.words, NEW.created_at)
        IS DISTINCT FROM (OLD.campaign_id, OLD.changes, OLD.before, OLD.words, OLD.created_at)
    THEN
        RAISE EXCEPTION 'an amendment is decided once and keeps what it asked for'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER amendment_is_decided_once BEFORE UPDATE ON campaigns_amendment
    FOR EACH ROW EXECUTE FUNCTION campaigns_guard_amendment();
"""
