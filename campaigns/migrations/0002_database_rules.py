"""
What PostgreSQL itself insists on (docs/campaign-lifecycle.md): a campaign takes only the steps there are, its terms
freeze when it goes live, and its history only grows while it exists.
"""

from django.db import migrations

RULES = """
CREATE FUNCTION campaigns_guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('draft', 'in_review'),
        ('in_review', 'live'), ('in_review', 'rejected'),
        ('rejected', 'draft'),
        ('live', 'funded'), ('live', 'failed'), ('live', 'cancelled'),
        ('funded', 'settled'), ('failed', 'settled'), ('cancelled', 'settled')
    ) THEN
        RAISE EXCEPTION 'a campaign does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_takes_only_the_steps_there_are';
    END IF;
    IF OLD.status NOT IN ('draft', 'in_review', 'rejected') AND
        (NEW.goal_minor, NEW.max_minor, NEW.min_investment_minor, NEW.currency, NEW.starts_at, NEW.ends_at,
         NEW.expected_return_percent, NEW.owner_id)
        IS DISTINCT FROM
        (OLD.goal_minor, OLD.max_minor, OLD.min_investment_minor, OLD.currency, OLD.starts_at, OLD.ends_at,
         OLD.expected_return_percent, OLD.owner_id)
    THEN
        RAISE EXCEPTION 'the terms of a campaign that went live are frozen'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_terms_freeze_when_it_goes_live';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER campaign_keeps_its_rules BEFORE UPDATE ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_guard_campaign();
CREATE TRIGGER campaign_history_is_not_rewritten BEFORE UPDATE ON campaigns_statuschange
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
DROP = """
DROP TRIGGER campaign_history_is_not_rewritten ON campaigns_statuschange;
DROP TRIGGER campaign_keeps_its_rules ON campaigns_campaign;
DROP FUNCTION campaigns_guard_campaign();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("core", "0002_append_only_audit")]
    operations = [migrations.RunSQL(RULES, DROP)]
