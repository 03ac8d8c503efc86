"""What PostgreSQL itself insists on (the table of events only grows), and what search stands on."""

APPEND_ONLY = """
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON core_event
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
KEPT_UNTIL_EXPIRY = """
CREATE FUNCTION core_guard_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.expires_at < now() THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON core_event
    FOR EACH ROW EXECUTE FUNCTION core_guard_event();
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

-- Each three letters in a row of words in other scripts, marked with *: what finds a part of a word.
CREATE FUNCTION search_trigrams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT '*' || substr(word, place, 3))
    FROM search_words(search_fold(words)) AS word, generate_series(1, length(word) - 2) AS place
$$;

-- Words of 4 to 30 letters in other scripts, and each without one of its letters, marked with ~: two words that differ
-- by one letter (missing, added, another one, or two that changed places) have one of these in common.
CREATE FUNCTION search_variants(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT '~' || left(word, place - 1) || substr(word, place + 1))
    FROM search_words(search_fold(words)) AS word, generate_series(1, length(word) + 1) AS place
    WHERE length(word) BETWEEN 4 AND 30
$$;

-- The first letter and the first two letters of words in other scripts, marked with ^.
CREATE FUNCTION search_beginnings(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT '^' || left(word, length))
    FROM search_words(search_fold(words)) AS word, generate_series(1, 2) AS length
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

-- What names are found by: without word forms, which belong to a language.
CREATE FUNCTION search_names(names text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(
        coalesce(search_grams(names), '{}') || coalesce(search_trigrams(names), '{}')
        || coalesce(search_variants(names), '{}') || coalesce(search_beginnings(names), '{}')
    )
$$;

-- What a text is found by that has a title: parts of words and words with a typing error only in title and summary.
CREATE FUNCTION search_document(title text, summary text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', summary), 'B')
        || setweight(to_tsvector('english', body), 'C')
        || search_names(concat_ws(' ', title, summary))
        || array_to_tsvector(coalesce(search_grams(body), '{}'))
$$;

-- All, or any, of these lexemes, as the text of a query. They hold neither quotes nor backslashes (search_words).
CREATE FUNCTION search_joined(lexemes text[], operator text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '(' || string_agg('''' || lexeme || '''', operator) || ')' FROM unnest(lexemes) AS lexeme
$$;

-- What one term asks for, as the text of a query; null if there is no word in it. `breadth`: 0 finds word forms and
-- whole words, 1 also parts of words, 2 also words with a typing error.
CREATE FUNCTION search_term(term text, breadth integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH said AS (
        SELECT array_agg(word) AS words,
            (SELECT bool_or(search_is_dense(ascii(letter))) FROM string_to_table(search_fold(term), NULL) AS letter) AS dense
        FROM search_words(search_fold(term)) AS word
    )
    SELECT nullif(concat_ws(' | ',
        '(' || nullif(plainto_tsquery('english', term)::text, '') || ')',
        search_joined(search_grams(term), ' & '),
        CASE WHEN breadth >= 1 AND NOT dense THEN search_joined(search_trigrams(term), ' & ') END,
        CASE WHEN breadth >= 1 AND NOT dense AND length(words[1]) <= 2 AND words[2] IS NULL THEN
            '''^' || words[1] || ''''
        END,
        CASE WHEN breadth >= 2 AND NOT dense AND words[2] IS NULL THEN search_joined(search_variants(term), ' | ') END
    ), '')
    FROM said
$$;

CREATE FUNCTION search_terms(terms text[], breadth integer) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(search_term(term, breadth)) FROM unnest(terms) AS term
$$;

-- The query for what holds all of `terms` (as `search_terms` gives them), or what `q` means in the syntax of web
-- searches, and none of `without`. Null if there is no word in it.
CREATE FUNCTION search_query(q text, terms text[], without text[]) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (
        '(' || nullif(concat_ws(' | ',
            '(' || nullif(websearch_to_tsquery('english', q)::text, '') || ')',
            (SELECT string_agg('(' || term || ')', ' & ') FROM unnest(terms) AS term)
        ), '') || ')'
        || coalesce((SELECT string_agg(' & !(' || search_term(term, 0) || ')', '') FROM unnest(without) AS term), '')
    )::tsquery
$$;
"""
