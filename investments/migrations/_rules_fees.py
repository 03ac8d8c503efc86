"""What is paid in fees, and what a refund gives back of them, does not change either (`_rules.py`)."""

AMOUNTS_ARE_KEPT = """
CREATE TRIGGER payment_keeps_its_fee BEFORE UPDATE OF fee_minor ON investments_payment
    FOR EACH ROW WHEN (NEW.fee_minor IS DISTINCT FROM OLD.fee_minor)
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER refund_keeps_its_fee BEFORE UPDATE OF fee_minor ON investments_refund
    FOR EACH ROW WHEN (NEW.fee_minor IS DISTINCT FROM OLD.fee_minor)
    EXECUTE FUNCTION investments_guard_amount();
"""

LINES_ARE_KEPT = """
CREATE TRIGGER fee_line_keeps_its_amount BEFORE UPDATE ON investments_feeline
    FOR EACH ROW WHEN (
        (NEW.id, NEW.created_at, NEW.campaign_id, NEW.payment_id, NEW.fee, NEW.kind, NEW.currency, NEW.amount_minor, NEW.of_minor)
        IS DISTINCT FROM
        (OLD.id, OLD.created_at, OLD.campaign_id, OLD.payment_id, OLD.fee, OLD.kind, OLD.currency, OLD.amount_minor, OLD.of_minor))
    EXECUTE FUNCTION investments_guard_amount();
CREATE TRIGGER fee_line_is_not_deleted BEFORE DELETE ON investments_feeline
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""

PROVIDER_FEES_ARE_KEPT = """
CREATE TRIGGER provider_fee_is_append_only BEFORE UPDATE OR DELETE ON investments_providerfee
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
