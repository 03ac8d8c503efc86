"""The terms of a campaign that went live are kept version by version, and its row always has one of them."""

VERSIONS = """
CREATE TRIGGER terms_versions_are_not_rewritten BEFORE UPDATE ON campaigns_termsversion
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();

INSERT INTO campaigns_termsversion (id, created_at, campaign_id, version, terms, reason, words)
    SELECT gen_random_uuid(), coalesce(published_at, updated_at), id, terms_version,
           jsonb_build_object(
               'goal_minor', goal_minor, 'max_minor', max_minor, 'min_investment_minor', min_investment_minor,
               'ends_at', to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
               'expected_return_percent', expected_return_percent::text),
           'published', ''
      FROM campaigns_campaign WHERE status NOT IN ('draft', 'in_review', 'rejected');

CREATE FUNCTION campaigns_guard_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM campaigns_campaign c
                WHERE c.id = NEW.id AND c.status NOT IN ('draft', 'in_review', 'rejected')
                  AND NOT EXISTS (SELECT FROM campaigns_termsversion t
                                   WHERE t.campaign_id = c.id AND t.version = c.terms_version)) THEN
        RAISE EXCEPTION 'the terms of this campaign have no version'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_terms_have_a_version';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER campaign_terms_have_a_version
    AFTER INSERT OR UPDATE OF status, terms_version ON campaigns_campaign
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION campaigns_guard_versions();
"""
