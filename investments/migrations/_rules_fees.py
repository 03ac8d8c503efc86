"""What is paid on top of an investment, and what a refund gives back of it, do not change either (`_rules.py`)."""

AMOUNTS_ARE_KEPT = """
CREATE TRIGGER payment_keeps_its_fee BEFORE UPDATE OF fee_minor ON investments_payment
    FOR EACH ROW WHEN (NEW.fee_minor IS DISTINCT FROM OLD.fee_minor)
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER refund_keeps_its_fee BEFORE UPDATE OF fee_minor ON investments_refund
    FOR EACH ROW WHEN (NEW.fee_minor IS DISTINCT FROM OLD.fee_minor)
    EXECUTE FUNCTION investments_guard_amount();
"""
