-- Comments on the post :post, newest first, a page of them, or the one :id. One row of NULL if there is none; no row if
-- the post is not there for who asks (visible_post.part.sql).
--
--   viewer, reader, moderator, anonymous    who asks
--   top, id                                 those that answer no other one; or the one, of either level
--   after_id                                the row that the page before ended with
--
-- Indexes: the primary keys, comment_by_post, person_likes_a_comment_once, comment_mentions_a_person_once.
SELECT found.*
  FROM (SELECT p.id FROM
-- include social/sql/post_sources.part.sql
         WHERE p.id = :post::uuid AND
-- include social/sql/visible_post.part.sql
       ) post
  LEFT JOIN LATERAL (
       SELECT
-- include social/sql/comment_columns.part.sql
         FROM social_comment c JOIN accounts_user w ON w.id = c.author_id
        WHERE c.post_id = post.id AND
-- include social/sql/visible_comment.part.sql
          AND c.parent_id IS NULL  -- if top
          AND c.id = :id::uuid  -- if id
          AND c.id < :after_id::uuid  -- if after_id
        ORDER BY c.id DESC
        LIMIT :limit
       OFFSET :start::bigint  -- if start
       ) found ON true
 ORDER BY found.id DESC
