"""An entry of the waiting list takes only the steps there are, and keeps what it asked for and its position."""

WAITING_LIST = """
CREATE FUNCTION investments_guard_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('waiting', 'offered'), ('waiting', 'expired'), ('waiting', 'left'),
        ('offered', 'accepted'), ('offered', 'expired'), ('offered', 'left')
    ) OR (NEW.campaign_id, NEW.investor_id, NEW.amount_minor, NEW.currency, NEW.position)
        IS DISTINCT FROM (OLD.campaign_id, OLD.investor_id, OLD.amount_minor, OLD.currency, OLD.position)
    THEN
        RAISE EXCEPTION 'an entry of a waiting list does not go from % to % or change what it asked for', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER waiting_entry_takes_only_the_steps_there_are BEFORE UPDATE ON investments_waitingentry
    FOR EACH ROW EXECUTE FUNCTION investments_guard_waiting();
"""
