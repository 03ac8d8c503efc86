"""What PostgreSQL itself insists on (docs/campaign-lifecycle.md), and what search stands on (campaigns/search.py)."""

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
SEARCH = r"""
-- Text without case and accents, and with one form for characters that are only written differently (NFKC).
CREATE FUNCTION search_fold(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT lower(normalize(regexp_replace(normalize(words, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC))
$$;

-- Whether a code point belongs to a script without spaces between words: from Thai to Mongolian, East Asia.
CREATE FUNCTION search_is_dense(code integer) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT code BETWEEN 3584 AND 7423 OR code BETWEEN 11904 AND 55295 OR code BETWEEN 63744 AND 64255 OR code >= 131072
$$;

-- The words of folded text that are written in other scripts.
CREATE FUNCTION search_words(folded text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT word FROM regexp_split_to_table(
        folded,
        '[\s\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+|'
        '[\u0e00-\u1cff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+'
    ) AS word WHERE word <> ''
$$;

-- Each three letters in a row of words in other scripts.
CREATE FUNCTION search_trigrams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(word, place, 3))
    FROM search_words(search_fold(words)) AS word, generate_series(1, length(word) - 2) AS place
$$;

-- Letters and pairs of letters of the dense scripts, and whole words of the others, marked with =.
CREATE FUNCTION search_grams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH letters AS (
        SELECT letter, lead(letter) OVER (ORDER BY place) AS following
        FROM string_to_table(search_fold(words), NULL) WITH ORDINALITY AS one (letter, place)
    ), found (gram) AS (
        SELECT letter FROM letters WHERE search_is_dense(ascii(letter))
        UNION
        SELECT letter || following FROM letters
        WHERE search_is_dense(ascii(letter)) AND search_is_dense(ascii(following))
        UNION
        SELECT '=' || word FROM search_words(search_fold(words)) AS word WHERE length(word) <= 60
    )
    SELECT array_agg(gram) FROM found
$$;

-- What a campaign is found by. Costly, so that the planner asks the index made of it and never computes it for rows;
-- with a path of its own, since an index is made without one.
CREATE FUNCTION campaigns_grams(title text, summary text, description text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000000 SET search_path FROM CURRENT AS $$
    SELECT coalesce(search_grams(concat_ws(' ', title, summary, description)), '{}')
        || coalesce(search_trigrams(concat_ws(' ', title, summary)), '{}')
$$;
"""
INDEX = """
CREATE FUNCTION campaigns_write_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaigns_campaignindex (campaign_id, words, grams) VALUES (
        NEW.id,
        setweight(to_tsvector('english', NEW.title), 'A') || setweight(to_tsvector('english', NEW.summary), 'B')
            || setweight(to_tsvector('english', NEW.description), 'C'),
        campaigns_grams(NEW.title, NEW.summary, NEW.description)
    )
    ON CONFLICT (campaign_id) DO UPDATE SET words = excluded.words, grams = excluded.grams;
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
