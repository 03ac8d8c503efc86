"""What posts, groups and channels are found by (docs/search.md)."""

INDEXES = r"""
CREATE SEQUENCE social_post_number;

-- What a post is found by: its words without the ids of whom it mentions, and the number of the post rounded down.
CREATE FUNCTION social_post_document(content text, number bigint) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT to_tsvector('english', said) || array_to_tsvector(
        coalesce(search_grams(said), '{}') || ARRAY['|' || number / 8192, '||' || number / 131072]
    )
    FROM (SELECT regexp_replace(content, '<@[0-9a-f-]{36}>', ' ', 'gi') AS said) AS one
$$;
CREATE FUNCTION social_write_post_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.content = '' OR NEW.deleted_at IS NOT NULL THEN
        DELETE FROM social_postindex WHERE post_id = NEW.id;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE social_postindex SET words = social_post_document(NEW.content, number) WHERE post_id = NEW.id;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO social_postindex (post_id, number, words)
    SELECT NEW.id, number, social_post_document(NEW.content, number) FROM nextval('social_post_number') AS number;
    RETURN NULL;
END $$;
CREATE TRIGGER post_is_indexed AFTER INSERT ON social_post
    FOR EACH ROW WHEN (NEW.content <> '') EXECUTE FUNCTION social_write_post_index();
CREATE TRIGGER post_is_indexed_again AFTER UPDATE OF content, deleted_at ON social_post
    FOR EACH ROW WHEN ((OLD.content, OLD.deleted_at) IS DISTINCT FROM (NEW.content, NEW.deleted_at))
    EXECUTE FUNCTION social_write_post_index();

CREATE FUNCTION social_write_group_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO social_groupindex (group_id, words) VALUES (NEW.id, search_document(NEW.name, '', NEW.description))
    ON CONFLICT (group_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END $$;
CREATE TRIGGER group_is_indexed AFTER INSERT ON social_group
    FOR EACH ROW EXECUTE FUNCTION social_write_group_index();
CREATE TRIGGER group_is_indexed_again AFTER UPDATE OF name, description ON social_group
    FOR EACH ROW WHEN ((OLD.name, OLD.description) IS DISTINCT FROM (NEW.name, NEW.description))
    EXECUTE FUNCTION social_write_group_index();

CREATE FUNCTION social_write_channel_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO social_channelindex (channel_id, words) VALUES (NEW.id, search_document(NEW.name, '', NEW.description))
    ON CONFLICT (channel_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END $$;
CREATE TRIGGER channel_is_indexed AFTER INSERT ON social_channel
    FOR EACH ROW EXECUTE FUNCTION social_write_channel_index();
CREATE TRIGGER channel_is_indexed_again AFTER UPDATE OF name, description ON social_channel
    FOR EACH ROW WHEN ((OLD.name, OLD.description) IS DISTINCT FROM (NEW.name, NEW.description))
    EXECUTE FUNCTION social_write_channel_index();
"""
QUERIES = r"""
-- The newest posts that match, newest first, at most `most`. Looked for in steps of 8,192 posts, and of 131,072 once
-- that much was searched: the index reads of each step only what lies in it, and stops when there are enough.
CREATE FUNCTION social_matching_posts(query tsquery, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE STRICT ROWS 100 AS $$
DECLARE
    newest bigint := (SELECT last_value FROM social_post_number);
    small bigint;
    large bigint;
    lowest bigint := greatest(newest / 131072 - 1, 0) * 16;
    found_now integer;
    found_so_far integer := 0;
BEGIN
    FOR small IN REVERSE newest / 8192 .. lowest LOOP
        RETURN QUERY SELECT post_id FROM social_postindex
            WHERE words @@ ((quote_literal('|' || small))::tsquery && query)
            ORDER BY number DESC LIMIT most - found_so_far;
        GET DIAGNOSTICS found_now = ROW_COUNT;
        found_so_far := found_so_far + found_now;
        EXIT WHEN found_so_far >= most;
    END LOOP;
    FOR large IN REVERSE lowest / 16 - 1 .. 0 LOOP
        EXIT WHEN found_so_far >= most;
        RETURN QUERY SELECT post_id FROM social_postindex
            WHERE words @@ ((quote_literal('||' || large))::tsquery && query)
            ORDER BY number DESC LIMIT most - found_so_far;
        GET DIAGNOSTICS found_now = ROW_COUNT;
        found_so_far := found_so_far + found_now;
    END LOOP;
END $$;

-- Known words that a term may stand for, as the text of a query: those that begin with it if it is the last one that
-- somebody typed, and those that differ by a letter if nobody knows it as it is.
CREATE FUNCTION social_known_words(term text, is_last boolean) RETURNS text LANGUAGE sql STABLE AS $$
    WITH said AS (
        SELECT min(word) AS word FROM search_words(search_fold(term)) AS word HAVING count(*) = 1
    )
    SELECT search_joined(array_agg('=' || word), ' | ') FROM (
        (SELECT k.word FROM said, social_knownword k
          WHERE is_last AND length(said.word) >= 2
            AND k.word >= said.word COLLATE "C" AND k.word < (said.word || U&'\+10FFFF') COLLATE "C"
          ORDER BY k.posts_count DESC LIMIT 20)
        UNION
        (SELECT k.word FROM said, social_knownword k
          WHERE k.variants && search_variants(said.word)
            AND NOT EXISTS (SELECT FROM social_knownword e WHERE e.word = said.word COLLATE "C")
          ORDER BY k.posts_count DESC LIMIT 5)
    ) AS near
$$;

-- As `search_terms`, for posts: with known words in place of parts of words and of typing errors.
CREATE FUNCTION social_post_terms(terms text[]) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(nullif(concat_ws(' | ', search_term(term, 0), social_known_words(term, place = cardinality(terms))), ''))
    FROM unnest(terms) WITH ORDINALITY AS one (term, place)
$$;
"""
