"""What a published campaign costs does not change any more, whatever its amendments say."""

FEES_ARE_KEPT = """
CREATE FUNCTION campaigns_guard_fees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the fees of a campaign are fixed when it is published'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER campaign_keeps_its_fees BEFORE UPDATE OF fee_schedule, fee_schedule_version ON campaigns_campaign
    FOR EACH ROW WHEN (OLD.status NOT IN ('draft', 'in_review', 'rejected')
        AND (NEW.fee_schedule, NEW.fee_schedule_version) IS DISTINCT FROM (OLD.fee_schedule, OLD.fee_schedule_version))
    EXECUTE FUNCTION campaigns_guard_fees();
"""
