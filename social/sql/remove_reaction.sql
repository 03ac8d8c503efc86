-- Deletes the reaction :emoji of :viewer under the post :post, if they may read it (visible_post.part.sql); counts it and
-- records the event, whose author is known here. One row: the post as it is then, but for `mine`; none: no such post for
-- them.
--
--   viewer, reader, moderator    who reacted
--   likes                        1 if it is a like, else 0
--   event, follow_up             what `core.events.as_json` gives
WITH target AS (
    SELECT p.id, p.author_id FROM
-- include social/sql/post_sources.part.sql
    WHERE p.id = :post::uuid AND
-- include social/sql/visible_post.part.sql
), changed AS (
    DELETE FROM social_reaction r USING target
     WHERE r.post_id = target.id AND r.user_id = :viewer::uuid AND r.emoji = :emoji::text
    RETURNING r.post_id
),
-- include social/sql/reaction_event.part.sql
counted AS (
    UPDATE social_postcounts n SET like_count = n.like_count - :likes::bigint, reactions =
        CASE WHEN (n.reactions ->> :emoji::text)::integer > 1
        THEN jsonb_set(n.reactions, ARRAY[:emoji::text], to_jsonb((n.reactions ->> :emoji::text)::integer - 1))
        ELSE n.reactions - :emoji::text END
      FROM changed WHERE n.post_id = changed.post_id
    RETURNING n.*
)
SELECT
p.id,
-- include social/sql/post_columns.part.sql
  FROM target found
-- include social/sql/counted_post_joins.part.sql
