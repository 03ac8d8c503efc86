-- Posts, newest first, a page of them, as far as who asks may read them (visible_post.part.sql).
--
--   viewer, reader, moderator, anonymous    who asks
--   tag                                     with this hashtag
--   untagged                                or, where that is not asked for:
--   author, group, channel, id, ids         whose, where, the one, or these
--   after_id                                the row that the page before ended with
--   of_readers                              the posts of :group only if who asks may read those of others there
--   of_visible                              the posts of :channel only if who asks may see the channel
--
-- The ids come first, from an index that has them in their order, so that no plan sorts all posts of an author, a group, a
-- channel or a tag to show a page; LATERAL and LIMIT keep the planner from joining them another way.
-- Indexes: post_by_author, post_by_group, post_by_channel, the primary keys, post_media_has_its_own_place,
-- person_reacts_once_with_an_emoji, post_by_tag, post_has_a_tag_once, post_mentions_a_person_once.
SELECT
p.id,
-- include social/sql/post_columns.part.sql
  FROM (SELECT item.id
          FROM (
                SELECT c.post_id AS id FROM social_posttag c WHERE c.tag = :tag::text  -- if tag
                   AND c.post_id < :after_id::uuid  -- if tag, after_id
                SELECT c.id FROM social_post c WHERE c.deleted_at IS NULL  -- if untagged
                   AND c.author_id = :author::uuid  -- if author
                   AND c.group_id = :group::uuid  -- if group
                   AND EXISTS (SELECT FROM social_group w  -- if group, of_readers, reader
                       LEFT JOIN social_membership m ON m.group_id = w.id AND m.user_id = :viewer::uuid  -- if group, of_readers, reader
                       WHERE w.id = :group::uuid AND w.hidden_at IS NULL  -- if group, of_readers, reader
                         AND (m.status = 'member' OR w.visibility = 'public' AND m.status IS DISTINCT FROM 'banned'))  -- if group, of_readers, reader
                   AND c.channel_id = :channel::uuid  -- if channel
                   AND EXISTS (SELECT FROM social_channel w  -- if channel, of_visible, reader
                       WHERE w.id = :channel::uuid AND w.hidden_at IS NULL AND NOT EXISTS (  -- if channel, of_visible, reader
                           SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = w.owner_id))  -- if channel, of_visible, reader
                   AND c.id = :id::uuid  -- if id
                   AND c.id = ANY(:ids::uuid[])  -- if ids
                   AND c.id < :after_id::uuid  -- if untagged, after_id
                 ORDER BY id DESC) item
         CROSS JOIN LATERAL (SELECT FROM
-- include social/sql/post_sources.part.sql
               WHERE p.id = item.id AND
-- include social/sql/visible_post.part.sql
               LIMIT 1) readable
         ORDER BY item.id DESC
         LIMIT :limit
        OFFSET :start::bigint  -- if start
       ) found
-- include social/sql/post_joins.part.sql
 ORDER BY p.id DESC
