-- Channels, biggest first, a page of them, as far as who asks may see them: `ChannelQuerySet.visible_to`, word for word.
--
--   viewer, reader, moderator, anonymous    who asks
--   subscribed                              only those that they subscribe to
--   id                                      the one
--   after_subscriber_count, after_id        the row that the page before ended with
--
-- Indexes: channel_by_size, subscription_by_user, person_subscribes_to_a_channel_once, the primary keys.
SELECT h.id, h.name, h.description, h.subscriber_count, h.hidden_at, h.created_at, m.role AS my_role,
       h.owner_id, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
       o.profile_photo AS owner_profile_photo, o.badges AS owner_badges,
       c.id AS cover_id, c.storage_name AS cover_name, c.visibility AS cover_visibility,
       f.id AS profile_id, f.storage_name AS profile_name, f.visibility AS profile_visibility,
       ARRAY(SELECT n.post_id FROM social_channelpin n WHERE n.channel_id = h.id ORDER BY n.id) AS pinned,  -- if id
       b.id AS banner_id, b.storage_name AS banner_name, b.visibility AS banner_visibility
  FROM social_channel h
  JOIN accounts_user o ON o.id = h.owner_id
  LEFT JOIN social_channelmember m ON m.channel_id = h.id AND m.user_id = :viewer::uuid
  LEFT JOIN uploads c ON c.id = h.cover_image_id
  LEFT JOIN uploads f ON f.id = h.profile_image_id
  LEFT JOIN uploads b ON b.id = h.banner_id
 WHERE
       true  -- if moderator
       h.hidden_at IS NULL  -- if anonymous
       h.hidden_at IS NULL  -- if reader
   AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) x WHERE x.person_id = h.owner_id)  -- if reader
   AND m.id IS NOT NULL  -- if subscribed
   AND h.id = :id::uuid  -- if id
   AND (h.subscriber_count, h.id) < (:after_subscriber_count::bigint, :after_id::uuid)  -- if after_id
 ORDER BY h.subscriber_count DESC, h.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
