"""The record of moderation only grows."""

DECISIONS = """
CREATE FUNCTION social_guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person blanks words; retention deletes what is older than two years.
    IF TG_OP = 'UPDATE' AND NEW.words IN ('', OLD.words) AND NEW.note IN ('', OLD.note)
        AND (to_jsonb(NEW) - 'words' - 'note') = (to_jsonb(OLD) - 'words' - 'note')
    THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' AND OLD.created_at < now() - interval '2 years' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'social_decision only grows: % refused', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Undo a decision with another one.';
END $$;
CREATE TRIGGER decision_only_grows BEFORE UPDATE OR DELETE ON social_decision
    FOR EACH ROW EXECUTE FUNCTION social_guard_decision();
"""
