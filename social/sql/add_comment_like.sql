-- Writes that :viewer likes the :comment on the post :post, if they may see it (visible_post.part.sql,
-- visible_comment.part.sql), it is not gone, and they do not like it already. One row says whose comment it is, whether
-- it is gone and whether the like is new; none: no such comment for them.
--
--   viewer, reader, moderator    who likes
--   id, now                      of the new row
WITH target AS (
    SELECT c.id, c.author_id, c.deleted_at IS NOT NULL OR c.hidden_at IS NOT NULL AS is_gone
      FROM social_comment c JOIN accounts_user w ON w.id = c.author_id JOIN (
-- include social/sql/post_sources.part.sql
      ) ON p.id = c.post_id
    WHERE c.id = :comment::uuid AND c.post_id = :post::uuid AND
-- include social/sql/visible_comment.part.sql
      AND
-- include social/sql/visible_post.part.sql
), added AS (
    INSERT INTO social_commentlike (id, created_at, comment_id, user_id)
    SELECT :id::uuid, :now::timestamptz, target.id, :viewer::uuid FROM target WHERE NOT target.is_gone
        ON CONFLICT (comment_id, user_id) DO NOTHING
    RETURNING id
)
SELECT target.author_id, target.is_gone, EXISTS (SELECT FROM added) AS is_new FROM target
