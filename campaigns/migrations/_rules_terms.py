"""
Terms change after the start only as a new version of them, and rules are fixed by the submission (campaigns.models).

Takes the place of the function and trigger of `_rules.STEPS_AND_TERMS`.
"""

STEPS_AND_TERMS = """
CREATE OR REPLACE FUNCTION campaigns_guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
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
         NEW.expected_return_percent)
        IS DISTINCT FROM
        (OLD.goal_minor, OLD.max_minor, OLD.min_investment_minor, OLD.currency, OLD.starts_at, OLD.ends_at,
         OLD.expected_return_percent)
        AND NOT (OLD.status = 'live' AND NEW.status = 'live' AND NEW.terms_version = OLD.terms_version + 1
                 AND NEW.currency = OLD.currency)
        OR OLD.status NOT IN ('draft', 'in_review', 'rejected') AND NEW.owner_id IS DISTINCT FROM OLD.owner_id
    THEN
        RAISE EXCEPTION 'the terms of a campaign that went live are frozen'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_terms_freeze_when_it_goes_live';
    END IF;
    IF OLD.status NOT IN ('draft', 'rejected') AND
        (NEW.rules, NEW.rules_version, NEW.country, NEW.time_zone)
        IS DISTINCT FROM (OLD.rules, OLD.rules_version, OLD.country, OLD.time_zone)
    THEN
        RAISE EXCEPTION 'the rules of a campaign are fixed when it is submitted'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_rules_are_fixed_when_it_is_submitted';
    END IF;
    IF NEW.status <> OLD.status AND NEW.status IN ('funded', 'failed', 'cancelled') THEN
        NEW.outcome := NEW.status;
    ELSIF NEW.outcome <> OLD.outcome THEN
        RAISE EXCEPTION 'the outcome of a campaign follows its status'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_outcome_follows_its_status';
    END IF;
    RETURN NEW;
END $$;

-- Not when money moves, which is often.
DROP TRIGGER campaign_keeps_its_rules ON campaigns_campaign;
CREATE TRIGGER campaign_keeps_its_rules BEFORE UPDATE OF
    status, outcome, goal_minor, max_minor, min_investment_minor, currency, starts_at, ends_at, expected_return_percent,
    owner_id, rules, rules_version, country, time_zone
    ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_guard_campaign();
"""
