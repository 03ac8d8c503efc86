-- Deletes the reaction :emoji of :viewer under the post :post, if they may read it (visible_post.part.sql). One row says
-- whose post it is and whether there was such a reaction; none: no such post for them.
--
--   viewer, reader, moderator    who reacted
WITH target AS (
    SELECT p.id, p.author_id FROM
-- include social/sql/post_sources.part.sql
    WHERE p.id = :post::uuid AND
-- include social/sql/visible_post.part.sql
), gone AS (
    DELETE FROM social_reaction r USING target
     WHERE r.post_id = target.id AND r.user_id = :viewer::uuid AND r.emoji = :emoji::text
    RETURNING r.id
)
SELECT target.author_id, EXISTS (SELECT FROM gone) AS is_gone FROM target
