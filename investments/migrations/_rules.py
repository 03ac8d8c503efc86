"""What PostgreSQL itself insists on (docs/money.md): statuses only take the steps there are, amounts stay."""

STEPS_AND_AMOUNTS = """
CREATE FUNCTION investments_guard_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (TG_TABLE_NAME, OLD.status, NEW.status) NOT IN (
        ('investments_investment', 'pending', 'requires_action'),
        ('investments_investment', 'pending', 'committed'),
        ('investments_investment', 'pending', 'failed'),
        ('investments_investment', 'requires_action', 'committed'),
        ('investments_investment', 'requires_action', 'failed'),
        ('investments_investment', 'requires_action', 'cancelled'),
        ('investments_investment', 'committed', 'invested'),
        ('investments_investment', 'committed', 'refunded'),
        ('investments_investment', 'committed', 'cancelled'),
        ('investments_payment', 'pending', 'requires_action'),
        ('investments_payment', 'pending', 'captured'),
        ('investments_payment', 'pending', 'failed'),
        ('investments_payment', 'requires_action', 'captured'),
        ('investments_payment', 'requires_action', 'failed'),
        ('investments_refund', 'pending', 'refunded')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER investment_takes_only_the_steps_there_are BEFORE UPDATE ON investments_investment
    FOR EACH ROW EXECUTE FUNCTION investments_guard_status();
CREATE TRIGGER payment_takes_only_the_steps_there_are BEFORE UPDATE ON investments_payment
    FOR EACH ROW EXECUTE FUNCTION investments_guard_status();
CREATE TRIGGER refund_takes_only_the_steps_there_are BEFORE UPDATE ON investments_refund
    FOR EACH ROW EXECUTE FUNCTION investments_guard_status();

CREATE FUNCTION investments_guard_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the amount of % is settled', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER investment_keeps_its_amount BEFORE UPDATE ON investments_investment
    FOR EACH ROW WHEN ((NEW.amount_minor, NEW.currency, NEW.campaign_id, NEW.investor_id)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.campaign_id, OLD.investor_id))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER refund_keeps_its_amount BEFORE UPDATE ON investments_refund
    FOR EACH ROW WHEN ((NEW.amount_minor, NEW.currency, NEW.payment_id)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.payment_id))
    EXECUTE FUNCTION investments_guard_amount();

CREATE TRIGGER provider_event_is_append_only BEFORE UPDATE OR DELETE ON investments_providerevent
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
