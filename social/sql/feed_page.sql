-- What is in the feed of :viewer at :now, newest first: posts, announcements of campaigns, and why. The viewer's own posts,
-- what was delivered to them (`FeedItem`), and of what was not delivered yet the newest, as far as a reason still holds,
-- the viewer may read it (visible_post.part.sql) and does not mute its author.
--
--   reader      the viewer reads without the rights of a moderator: always given
--   after_id    the item that the page before ended with
--   most        how many items there are up to the end of the page
--
-- `has_ad` is the same in each row: whether any ad runs, of which there might be one for the viewer (serve_ad.sql).
--
-- Bounded however many one follows: 1,000 items of either kind and 200 posts that wait for delivery. They are looked at in
-- their order, no further than the page reaches: LATERAL and LIMIT keep the planner from reading them all, MATERIALIZED
-- from looking for own posts among everybody's.
-- Indexes: the primary key of social_feeditem, post_to_deliver, post_by_author, person_follows_another_once,
-- person_is_in_a_group_once, person_subscribes_to_a_channel_once, ad_running.
WITH own AS MATERIALIZED (
    SELECT id FROM social_post
     WHERE author_id = :viewer::uuid AND deleted_at IS NULL
       AND id < :after_id::uuid  -- if after_id
     ORDER BY id DESC LIMIT :most::bigint
)
SELECT items.id, items.kind, items.why, items.announcement, items.announced_id,
       (SELECT EXISTS (SELECT FROM social_ad
         WHERE status = 'approved' AND ends_at > :now::timestamptz AND starts_at <= :now::timestamptz)) AS has_ad,
       post.*
  FROM (
SELECT * FROM (
(SELECT item.id, 'post' AS kind, post.why, NULL AS announcement, NULL::uuid AS announced_id
   FROM (SELECT id FROM (
         (SELECT id FROM own ORDER BY id DESC)
         UNION ALL
         (SELECT item_id FROM social_feeditem
           WHERE user_id = :viewer::uuid AND kind = 'post'
             AND item_id < :after_id::uuid  -- if after_id
           ORDER BY item_id DESC LIMIT 1000)
         UNION ALL
         (SELECT id FROM (
             SELECT id, author_id FROM social_post WHERE delivered_at IS NULL
                AND id < :after_id::uuid  -- if after_id
              ORDER BY id DESC LIMIT 200) waiting
           WHERE author_id <> :viewer::uuid
             AND (SELECT true FROM social_feeditem i
                   WHERE i.user_id = :viewer::uuid AND i.kind = 'post' AND i.item_id = waiting.id) IS NULL
           ORDER BY id DESC)) found ORDER BY id DESC LIMIT 3000) item
  CROSS JOIN LATERAL (
        SELECT CASE WHEN p.author_id = :viewer::uuid THEN 'own' ELSE source.kind END AS why
          FROM
-- include social/sql/post_sources.part.sql
          LEFT JOIN LATERAL (
               SELECT kind FROM (
                   SELECT 'group' AS kind FROM social_membership m
                    WHERE m.group_id = p.group_id AND m.user_id = :viewer::uuid AND m.status = 'member'
                    UNION ALL
                   SELECT 'channel' FROM social_channelmember m
                    WHERE m.channel_id = p.channel_id AND m.user_id = :viewer::uuid
                    UNION ALL
                   SELECT 'follow' FROM social_follow f
                    WHERE f.followed_id = p.author_id AND f.follower_id = :viewer::uuid
               ) sources LIMIT 1) source ON true
         WHERE p.id = item.id AND (source.kind IS NOT NULL OR p.author_id = :viewer::uuid)
           AND NOT EXISTS (SELECT FROM accounts_muted_by(:viewer::uuid, :now::timestamptz) m
                            WHERE m.person_id = p.author_id)
           AND
-- include social/sql/visible_post.part.sql
         LIMIT 1) post
  ORDER BY item.id DESC LIMIT :most::bigint)
UNION ALL
(SELECT n.id, 'campaign', reason.why, n.kind, n.campaign_id
   FROM (SELECT item_id FROM social_feeditem
          WHERE user_id = :viewer::uuid AND kind = 'campaign'
            AND item_id < :after_id::uuid  -- if after_id
          ORDER BY item_id DESC LIMIT 1000) i
   JOIN social_announcement n ON n.id = i.item_id
  CROSS JOIN LATERAL (
        SELECT why FROM (
            SELECT 'campaign' AS why FROM campaigns_campaignfollow f
             WHERE f.campaign_id = n.campaign_id AND f.follower_id = :viewer::uuid
             UNION ALL
            SELECT 'campaign' FROM campaigns_backing b
             WHERE b.campaign_id = n.campaign_id AND b.backer_id = :viewer::uuid AND b.committed_minor > 0
             UNION ALL
            SELECT 'follow' FROM campaigns_campaign k
              JOIN social_follow f ON f.followed_id = k.owner_id AND f.follower_id = :viewer::uuid
             WHERE k.id = n.campaign_id AND n.kind = 'published'
               AND NOT EXISTS (SELECT FROM accounts_muted_by(:viewer::uuid, :now::timestamptz) m
                                WHERE m.person_id = k.owner_id)
        ) reasons LIMIT 1) reason
  ORDER BY i.item_id DESC LIMIT :most::bigint)) found
 ORDER BY id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
) items
  LEFT JOIN LATERAL (
        SELECT
-- include social/sql/post_columns.part.sql
          FROM (SELECT items.id) found
-- include social/sql/post_joins.part.sql
  ) post ON items.kind = 'post'
 ORDER BY items.id DESC
