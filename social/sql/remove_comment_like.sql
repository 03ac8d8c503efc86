-- Deletes that :viewer likes the :comment on the post :post, if they may see it (visible_post.part.sql,
-- visible_comment.part.sql). One row says whose comment it is and whether they liked it; none: no such comment for them.
--
--   viewer, reader, moderator    who liked
WITH target AS (
    SELECT c.id, c.author_id
      FROM social_comment c JOIN accounts_user w ON w.id = c.author_id JOIN (
-- include social/sql/post_sources.part.sql
      ) ON p.id = c.post_id
    WHERE c.id = :comment::uuid AND c.post_id = :post::uuid AND
-- include social/sql/visible_comment.part.sql
      AND
-- include social/sql/visible_post.part.sql
), gone AS (
    DELETE FROM social_commentlike l USING target
     WHERE l.comment_id = target.id AND l.user_id = :viewer::uuid
    RETURNING l.id
)
SELECT target.author_id, EXISTS (SELECT FROM gone) AS was_liked FROM target
