"""The history of a case only grows. Only the words in it may be blanked, for a person who is erased."""

APPEND_ONLY = """
CREATE FUNCTION kyc_event_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.words = '{}'::jsonb
       AND (to_jsonb(NEW) - 'words') = (to_jsonb(OLD) - 'words') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'kyc_event is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER kyc_event_is_append_only BEFORE UPDATE OR DELETE ON kyc_event
    FOR EACH ROW EXECUTE FUNCTION kyc_event_keep();
"""
