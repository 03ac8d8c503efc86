"""The words that posts have, for what is typed in part or with an error (docs/search.md)."""

from datetime import datetime

from django.db import connection

from core.data.transactions import atomic

_LEARN = """
    WITH seen AS MATERIALIZED (
        SELECT substr(word, 2) AS word, ndoc AS posts_count
          FROM ts_stat($$
              SELECT i.words FROM (SELECT words, post_id FROM social_postindex ORDER BY post_id DESC LIMIT 100000) i
                JOIN social_post p ON p.id = i.post_id LEFT JOIN social_group g ON g.id = p.group_id
               WHERE p.visibility = 'public' AND coalesce(g.visibility, 'public') = 'public'
                 AND p.deleted_at IS NULL AND p.hidden_at IS NULL AND p.held_at IS NULL
          $$)
         WHERE word LIKE '=%' AND ndoc >= 2 AND length(word) BETWEEN 4 AND 31
    ), forgotten AS (
        DELETE FROM social_knownword k WHERE NOT EXISTS (SELECT FROM seen WHERE seen.word = k.word)
    )
    INSERT INTO social_knownword (word, posts_count) SELECT word, posts_count FROM seen ORDER BY word
    ON CONFLICT (word) DO UPDATE SET posts_count = excluded.posts_count
     WHERE social_knownword.posts_count <> excluded.posts_count
"""


def vocabularies(now: datetime) -> list[str]:
    """What there is to learn; one item, for the runner of jobs."""
    return ["public posts"]


def learn_words(vocabulary: str = "public posts", *, now: datetime) -> None:
    """Count the words of the newest public posts; forget those that fewer than two of them have now."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute(_LEARN)
