"""What PostgreSQL itself insists on (docs/campaign-lifecycle.md), and what campaigns are found by (core/search.py)."""

STEPS_AND_TERMS = """
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
    IF NEW.status <> OLD.status AND NEW.status IN ('funded', 'failed', 'cancelled') THEN
        NEW.outcome := NEW.status;
    ELSIF NEW.outcome <> OLD.outcome THEN
        RAISE EXCEPTION 'the outcome of a campaign follows its status'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_outcome_follows_its_status';
    END IF;
    RETURN NEW;
END $$;

-- Not when money moves, which is often.
CREATE TRIGGER campaign_keeps_its_rules BEFORE UPDATE OF
    status, outcome, goal_minor, max_minor, min_investment_minor, currency, starts_at, ends_at, expected_return_percent, owner_id
    ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_guard_campaign();
CREATE TRIGGER campaign_history_is_not_rewritten BEFORE UPDATE ON campaigns_statuschange
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
INDEX = """
CREATE FUNCTION campaigns_write_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaigns_campaignindex (campaign_id, words)
    VALUES (NEW.id, search_document(NEW.title, NEW.summary, NEW.description))
    ON CONFLICT (campaign_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END $$;
CREATE TRIGGER campaign_is_indexed AFTER INSERT ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_write_index();
CREATE TRIGGER campaign_is_indexed_again AFTER UPDATE OF title, summary, description ON campaigns_campaign
    FOR EACH ROW WHEN ((OLD.title, OLD.summary, OLD.description) IS DISTINCT FROM (NEW.title, NEW.summary, NEW.description))
    EXECUTE FUNCTION campaigns_write_index();
"""
CATEGORIES = [
    "Technology",
    "Energy",
    "Environment",
    "Health",
    "Education",
    "Food",
    "Agriculture",
    "Real estate",
    "Finance",
    "Manufacturing",
    "Mobility",
    "Retail",
    "Fashion",
    "Media",
    "Arts",
    "Games",
    "Sports",
    "Travel",
    "Science",
    "Community",
    "Other",
]
