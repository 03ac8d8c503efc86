-- Writes the reaction :emoji of :viewer under the post :post, if they may read it (visible_post.part.sql) and have not
-- reacted so already. One row says whose post it is and whether the reaction is new; none: no such post for them.
--
--   viewer, reader, moderator    who reacts
--   id, now                      of the new row
--   most                         how many emoji, beside 👍, one person may have under one post
WITH target AS (
    SELECT p.id, p.author_id FROM
-- include social/sql/post_sources.part.sql
    WHERE p.id = :post::uuid AND
-- include social/sql/visible_post.part.sql
), added AS (
    INSERT INTO social_reaction (id, created_at, post_id, user_id, emoji)
    SELECT :id::uuid, :now::timestamptz, target.id, :viewer::uuid, :emoji::text
      FROM target
     WHERE (SELECT count(*) FROM social_reaction r  -- if most
             WHERE r.post_id = target.id AND r.user_id = :viewer::uuid AND r.emoji <> '👍') < :most::bigint  -- if most
        ON CONFLICT (post_id, user_id, emoji) DO NOTHING
    RETURNING id
)
SELECT target.author_id, EXISTS (SELECT FROM added) AS is_new,
       EXISTS (SELECT FROM social_reaction r
                WHERE r.post_id = target.id AND r.user_id = :viewer::uuid AND r.emoji = :emoji::text) AS was_there
  FROM target
