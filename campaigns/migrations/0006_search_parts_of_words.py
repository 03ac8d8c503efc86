"""
Search in scripts that write without spaces, for parts of words, and whatever the accents (campaigns/search.py).

The functions depend on no locale: a database with the locale C has no letters beyond ASCII, and `pg_trgm` finds none.
"""

from django.db import migrations

FUNCTIONS = r"""
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
DROP = """
DROP FUNCTION campaigns_grams(text, text, text);
DROP FUNCTION search_grams(text);
DROP FUNCTION search_trigrams(text);
DROP FUNCTION search_words(text);
DROP FUNCTION search_is_dense(integer);
DROP FUNCTION search_fold(text);
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_outcome")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
