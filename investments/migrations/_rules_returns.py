"""What PostgreSQL itself insists on about distributions and payouts: steps, amounts, one credit."""

STEPS_AND_AMOUNTS = """
CREATE FUNCTION investments_guard_return_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (TG_TABLE_NAME, OLD.status, NEW.status) NOT IN (
        ('investments_distribution', 'proposed', 'approved'),
        ('investments_distribution', 'proposed', 'rejected'),
        ('investments_distribution', 'approved', 'paid'),
        ('investments_distributioncharge', 'pending', 'requires_action'),
        ('investments_distributioncharge', 'pending', 'captured'),
        ('investments_distributioncharge', 'pending', 'failed'),
        ('investments_distributioncharge', 'requires_action', 'captured'),
        ('investments_distributioncharge', 'requires_action', 'failed'),
        ('investments_distributioncharge', 'captured', 'refunding'),
        ('investments_distributioncharge', 'refunding', 'refunded'),
        ('investments_payout', 'pending', 'paid'),
        ('investments_payout', 'pending', 'failed')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER distribution_takes_only_the_steps_there_are BEFORE UPDATE ON investments_distribution
    FOR EACH ROW EXECUTE FUNCTION investments_guard_return_status();
CREATE TRIGGER distribution_charge_takes_only_the_steps_there_are BEFORE UPDATE ON investments_distributioncharge
    FOR EACH ROW EXECUTE FUNCTION investments_guard_return_status();
CREATE TRIGGER payout_takes_only_the_steps_there_are BEFORE UPDATE ON investments_payout
    FOR EACH ROW EXECUTE FUNCTION investments_guard_return_status();

CREATE TRIGGER distribution_keeps_its_amount BEFORE UPDATE ON investments_distribution
    FOR EACH ROW WHEN ((NEW.amount_minor, NEW.currency, NEW.campaign_id, NEW.proposed_by_id)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.campaign_id, OLD.proposed_by_id))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER distribution_is_split_once BEFORE UPDATE ON investments_distribution
    FOR EACH ROW WHEN (OLD.split_at IS NOT NULL AND (NEW.split_at, NEW.holder_count)
        IS DISTINCT FROM (OLD.split_at, OLD.holder_count))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER payout_keeps_its_amount BEFORE UPDATE ON investments_payout
    FOR EACH ROW WHEN ((NEW.amount_minor, NEW.currency, NEW.investment_id)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.investment_id))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER return_keeps_its_amount_and_is_credited_once BEFORE UPDATE ON investments_return
    FOR EACH ROW WHEN (OLD.credited_at IS NOT NULL
        OR (NEW.amount_minor, NEW.currency, NEW.investment_id, NEW.investor_id, NEW.distribution_id)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.investment_id, OLD.investor_id, OLD.distribution_id))
    EXECUTE FUNCTION investments_guard_amount();
"""
