"""What PostgreSQL itself insists on about refunds that staff propose, and about corrections."""

STEPS = """
CREATE FUNCTION investments_guard_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'proposed' THEN
        RAISE EXCEPTION '% was decided: %', TG_TABLE_NAME, OLD.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER staff_refund_is_decided_once BEFORE UPDATE ON investments_staffrefund
    FOR EACH ROW EXECUTE FUNCTION investments_guard_decided();
CREATE TRIGGER staff_refund_keeps_its_amount BEFORE UPDATE ON investments_staffrefund
    FOR EACH ROW WHEN ((NEW.amount_minor, NEW.currency, NEW.investment_id, NEW.proposed_by_id)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.investment_id, OLD.proposed_by_id))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER correction_is_decided_once BEFORE UPDATE ON investments_correction
    FOR EACH ROW EXECUTE FUNCTION investments_guard_decided();
CREATE TRIGGER correction_keeps_its_lines BEFORE UPDATE ON investments_correction
    FOR EACH ROW WHEN ((NEW.lines, NEW.original_id, NEW.proposed_by_id)
        IS DISTINCT FROM (OLD.lines, OLD.original_id, OLD.proposed_by_id))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER refund_is_approved_once BEFORE UPDATE ON investments_refund
    FOR EACH ROW WHEN (NEW.people_needed <> OLD.people_needed
        OR (OLD.approved_at IS NOT NULL AND NEW.approved_at IS DISTINCT FROM OLD.approved_at)
        OR (NEW.status = 'refunded' AND NEW.people_needed > 0 AND NEW.approved_at IS NULL))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER payout_is_approved_once BEFORE UPDATE ON investments_payout
    FOR EACH ROW WHEN (NEW.people_needed <> OLD.people_needed
        OR (OLD.approved_at IS NOT NULL AND NEW.approved_at IS DISTINCT FROM OLD.approved_at)
        OR (NEW.status = 'paid' AND NEW.people_needed > 0 AND NEW.approved_at IS NULL))
    EXECUTE FUNCTION investments_guard_amount();
"""
INVESTED_ENDS_REFUNDED = """
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
"""
