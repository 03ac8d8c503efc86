-- Groups, biggest first, a page of them, as far as who asks may see them (visible_group.part.sql).
--
--   viewer, reader, moderator, anonymous    who asks
--   left                                    in place of these: whoever just left sees once more what it was
--   member                                  only those that they are a member of
--   id                                      the one
--   after_member_count, after_id            the row that the page before ended with
--
-- Indexes: group_by_size, membership_by_user, person_is_in_a_group_once, the primary keys.
SELECT g.id, g.name, g.description, g.visibility, g.join_policy, g.member_count, g.hidden_at, g.created_at,
       m.role AS my_role, m.status AS my_status,
       c.id AS cover_id, c.storage_name AS cover_name, c.visibility AS cover_visibility,
       f.id AS profile_id, f.storage_name AS profile_name, f.visibility AS profile_visibility
  FROM social_group g
  LEFT JOIN social_membership m ON m.group_id = g.id AND m.user_id = :viewer::uuid
  LEFT JOIN uploads c ON c.id = g.cover_image_id
  LEFT JOIN uploads f ON f.id = g.profile_image_id
 WHERE
-- include social/sql/visible_group.part.sql
       true  -- if left
   AND m.status = 'member'  -- if member
   AND g.id = :id::uuid  -- if id
   AND (g.member_count, g.id) < (:after_member_count::bigint, :after_id::uuid)  -- if after_id
 ORDER BY g.member_count DESC, g.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
