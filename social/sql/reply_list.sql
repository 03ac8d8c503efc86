-- Replies to the comment :parent of the post :post, oldest first, a page of them. One row of NULL if there is none; no
-- row if the post or the comment is not there for who asks (visible_post.part.sql, visible_comment.part.sql).
--
--   viewer, reader, moderator, anonymous    who asks
--   after_id                                the row that the page before ended with
--
-- Indexes: the primary keys, reply_by_comment, person_likes_a_comment_once, comment_mentions_a_person_once.
SELECT found.*
  FROM (SELECT c.id FROM social_comment c JOIN accounts_user w ON w.id = c.author_id JOIN (
-- include social/sql/post_sources.part.sql
       ) ON p.id = c.post_id
         WHERE c.id = :parent::uuid AND c.post_id = :post::uuid AND
-- include social/sql/visible_comment.part.sql
           AND
-- include social/sql/visible_post.part.sql
       ) answered
  LEFT JOIN LATERAL (
       SELECT
-- include social/sql/comment_columns.part.sql
         FROM social_comment c JOIN accounts_user w ON w.id = c.author_id
        WHERE c.parent_id = answered.id AND
-- include social/sql/visible_comment.part.sql
          AND c.id > :after_id::uuid  -- if after_id
        ORDER BY c.id
        LIMIT :limit
       OFFSET :start::bigint  -- if start
       ) found ON true
 ORDER BY found.id
