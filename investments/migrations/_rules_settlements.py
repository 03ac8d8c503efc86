"""What PostgreSQL itself insists on about settlements: steps, amounts, and approvals that only grow."""

STEPS_AND_AMOUNTS = """
CREATE FUNCTION investments_guard_settlement_status() RETURNS trigger LANGUAGE plpgsql AS $$
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
        ('investments_settlementpayment', 'pending', 'paid'),
        ('investments_settlementpayment', 'pending', 'failed')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payout_target_takes_only_the_steps_there_are BEFORE UPDATE ON investments_payouttarget
    FOR EACH ROW EXECUTE FUNCTION investments_guard_settlement_status();
CREATE TRIGGER settlement_takes_only_the_steps_there_are BEFORE UPDATE ON investments_settlement
    FOR EACH ROW EXECUTE FUNCTION investments_guard_settlement_status();
CREATE TRIGGER settlement_payment_takes_only_the_steps_there_are BEFORE UPDATE ON investments_settlementpayment
    FOR EACH ROW EXECUTE FUNCTION investments_guard_settlement_status();

CREATE TRIGGER payout_target_keeps_its_account BEFORE UPDATE ON investments_payouttarget
    FOR EACH ROW WHEN ((NEW.owner_id, NEW.method_id) IS DISTINCT FROM (OLD.owner_id, OLD.method_id)
        OR (OLD.removed_at IS NOT NULL AND NEW.removed_at IS DISTINCT FROM OLD.removed_at))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER settlement_keeps_what_was_released BEFORE UPDATE ON investments_settlement
    FOR EACH ROW WHEN ((NEW.gross_minor, NEW.fees_minor, NEW.currency, NEW.campaign_id, NEW.owner_id)
        IS DISTINCT FROM (OLD.gross_minor, OLD.fees_minor, OLD.currency, OLD.campaign_id, OLD.owner_id)
        OR NEW.paid_minor < OLD.paid_minor OR NEW.withheld_minor < OLD.withheld_minor)
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER settlement_payment_keeps_its_amount BEFORE UPDATE ON investments_settlementpayment
    FOR EACH ROW WHEN ((NEW.amount_minor, NEW.currency, NEW.settlement_id, NEW.target_id, NEW.attempt)
        IS DISTINCT FROM (OLD.amount_minor, OLD.currency, OLD.settlement_id, OLD.target_id, OLD.attempt))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER approval_only_grows BEFORE UPDATE OR DELETE ON investments_approval
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
