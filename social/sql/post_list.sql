-- Posts, newest first, a page of them, as far as who asks may read them (visible_post.part.sql).
--
--   viewer, reader, moderator, anonymous    who asks
--   author, group, channel, tag, id, ids    whose, where, with which hashtag, the one, or these
--   after_id                                the row that the page before ended with
--
-- Indexes: post_by_author, post_by_group, post_by_channel, the primary keys, post_media_has_its_own_place,
-- person_reacts_once_with_an_emoji,
-- post_by_tag, post_has_a_tag_once, post_mentions_a_person_once.
SELECT
-- include social/sql/post_columns.part.sql
  FROM (SELECT p.id FROM
-- include social/sql/post_sources.part.sql
          JOIN social_posttag y ON y.post_id = p.id AND y.tag = :tag::text  -- if tag
         WHERE
-- include social/sql/visible_post.part.sql
           AND p.author_id = :author::uuid  -- if author
           AND p.group_id = :group::uuid  -- if group
           AND p.channel_id = :channel::uuid  -- if channel
           AND p.id = :id::uuid  -- if id
           AND p.id = ANY(:ids::uuid[])  -- if ids
           AND p.id < :after_id::uuid  -- if after_id
         ORDER BY p.id DESC
         LIMIT :limit
        OFFSET :start::bigint  -- if start
       ) found
-- include social/sql/post_joins.part.sql
 ORDER BY p.id DESC
