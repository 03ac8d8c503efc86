"""
What PostgreSQL itself insists on about disputes, and the steps that they add to other rows. The functions take the place
of those in `_rules`, `_rules_returns` and `_rules_settlements`.
"""

STEPS = """
CREATE OR REPLACE FUNCTION investments_guard_status() RETURNS trigger LANGUAGE plpgsql AS $$
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
        ('investments_investment', 'invested', 'refunded'),
        ('investments_payment', 'pending', 'requires_action'),
        ('investments_payment', 'pending', 'captured'),
        ('investments_payment', 'pending', 'failed'),
        ('investments_payment', 'requires_action', 'captured'),
        ('investments_payment', 'requires_action', 'failed'),
        ('investments_refund', 'pending', 'refunded'),
        ('investments_refund', 'pending', 'voided')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION investments_guard_return_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (TG_TABLE_NAME, OLD.status, NEW.status) NOT IN (
        ('investments_distribution', 'proposed', 'approved'),
        ('investments_distribution', 'proposed', 'rejected'),
        ('investments_distribution', 'approved', 'paid'),
        ('investments_distribution', 'approved', 'rejected'),
        ('investments_distributioncharge', 'pending', 'requires_action'),
        ('investments_distributioncharge', 'pending', 'captured'),
        ('investments_distributioncharge', 'pending', 'failed'),
        ('investments_distributioncharge', 'requires_action', 'captured'),
        ('investments_distributioncharge', 'requires_action', 'failed'),
        ('investments_distributioncharge', 'captured', 'refunding'),
        ('investments_distributioncharge', 'captured', 'disputed'),
        ('investments_distributioncharge', 'refunding', 'refunded'),
        ('investments_distributioncharge', 'refunding', 'disputed'),
        ('investments_payout', 'pending', 'paid'),
        ('investments_payout', 'pending', 'failed')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION investments_guard_settlement_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (TG_TABLE_NAME, OLD.status, NEW.status) NOT IN (
        ('investments_payouttarget', 'unverified', 'verified'),
        ('investments_payouttarget', 'unverified', 'rejected'),
        ('investments_settlement', 'waiting_for_target', 'waiting_for_approval'),
        ('investments_settlement', 'waiting_for_target', 'approved'),
        ('investments_settlement', 'waiting_for_target', 'paying'),
        ('investments_settlement', 'waiting_for_target', 'paid'),
        ('investments_settlement', 'waiting_for_approval', 'waiting_for_target'),
        ('investments_settlement', 'waiting_for_approval', 'approved'),
        ('investments_settlement', 'waiting_for_approval', 'paying'),
        ('investments_settlement', 'waiting_for_approval', 'paid'),
        ('investments_settlement', 'approved', 'waiting_for_target'),
        ('investments_settlement', 'approved', 'waiting_for_approval'),
        ('investments_settlement', 'approved', 'paying'),
        ('investments_settlement', 'approved', 'paid'),
        ('investments_settlement', 'paying', 'waiting_for_approval'),
        ('investments_settlement', 'paying', 'paid'),
        ('investments_settlement', 'paid', 'waiting_for_target'),
        ('investments_settlementpayment', 'pending', 'paid'),
        ('investments_settlementpayment', 'pending', 'failed')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER dispute_ends_once BEFORE UPDATE ON investments_dispute
    FOR EACH ROW WHEN (OLD.status <> 'open'
        OR (NEW.payment_id, NEW.distribution_charge_id, NEW.provider, NEW.provider_id, NEW.amount_minor, NEW.currency,
            NEW.held_minor, NEW.is_released, NEW.payable_minor, NEW.refund_minor, NEW.opening_id, NEW.freeze_id)
        IS DISTINCT FROM (OLD.payment_id, OLD.distribution_charge_id, OLD.provider, OLD.provider_id, OLD.amount_minor,
            OLD.currency, OLD.held_minor, OLD.is_released, OLD.payable_minor, OLD.refund_minor, OLD.opening_id,
            OLD.freeze_id))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER dispute_is_kept BEFORE DELETE ON investments_dispute
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
