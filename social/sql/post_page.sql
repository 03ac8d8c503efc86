-- The post :id, if who asks may read it (visible_post.part.sql), with its newest comments in one column, for
-- `selectors.post_page`. One row or none. Indexes: those of post_list.sql and comment_list.sql.
SELECT
p.id,
-- include social/sql/post_columns.part.sql
       , (SELECT json_agg(one ORDER BY one.id DESC)::text FROM (
          SELECT
-- include social/sql/comment_columns.part.sql
            FROM social_comment c JOIN accounts_user w ON w.id = c.author_id
           WHERE c.post_id = p.id AND c.parent_id IS NULL AND
-- include social/sql/visible_comment.part.sql
           ORDER BY c.id DESC
           LIMIT :limit) one) AS comments
  FROM (SELECT p.id FROM
-- include social/sql/post_sources.part.sql
         WHERE p.id = :id::uuid AND
-- include social/sql/visible_post.part.sql
       ) found
-- include social/sql/post_joins.part.sql
