-- Writes the reaction :emoji of :viewer under the post :post, if they may read it (visible_post.part.sql) and have not
-- reacted so already; counts it and records the event, whose author is known here. One row: the post as it is then, but
-- for `mine`, and whether the reaction is new; none: no such post for them.
--
--   viewer, reader, moderator    who reacts
--   id, now, likes               of the new row; 1 if it is a like, else 0
--   event, follow_up             what `core.events.as_json` gives
--   most                         how many emoji, beside 👍, one person may have under one post
WITH target AS (
    SELECT p.id, p.author_id FROM
-- include social/sql/post_sources.part.sql
    WHERE p.id = :post::uuid AND
-- include social/sql/visible_post.part.sql
), changed AS (
    INSERT INTO social_reaction (id, created_at, post_id, user_id, emoji)
    SELECT :id::uuid, :now::timestamptz, target.id, :viewer::uuid, :emoji::text FROM target
     WHERE (SELECT count(*) FROM social_reaction r  -- if most
             WHERE r.post_id = target.id AND r.user_id = :viewer::uuid AND r.emoji <> '👍') < :most::bigint  -- if most
        ON CONFLICT (post_id, user_id, emoji) DO NOTHING
    RETURNING post_id
),
-- include social/sql/reaction_event.part.sql
counted AS (
    UPDATE social_postcounts n SET like_count = n.like_count + :likes::bigint, reactions =
        jsonb_set(n.reactions, ARRAY[:emoji::text], to_jsonb(COALESCE((n.reactions ->> :emoji::text)::integer, 0) + 1))
      FROM changed WHERE n.post_id = changed.post_id
    RETURNING n.*
)
SELECT EXISTS (SELECT FROM changed) AS is_new,
p.id,
-- include social/sql/post_columns.part.sql
  FROM target found
-- include social/sql/counted_post_joins.part.sql
