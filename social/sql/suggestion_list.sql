-- People whom :viewer does not follow and may know, the most in common first: nobody who is suspended, hidden from the
-- viewer by a block, or muted. What they have in common is read as it was at :as_of, the moment of the first page, so that
-- pages fit together: of follows and memberships that began before the id :before. Each source is bounded.
--
--   after_as_of, after_score, after_user_id    the row that the page before ended with
--
-- Indexes: follow_by_follower, membership_by_user, membership_by_group, backing_is_one_per_campaign_and_person.
WITH mine AS (
    SELECT f.followed_id FROM social_follow f JOIN accounts_user u ON u.id = f.followed_id AND u.status = 'active'
     WHERE f.follower_id = :viewer::uuid AND f.id < :before::uuid
     ORDER BY f.id DESC LIMIT 200
), groups AS (
    SELECT m.group_id FROM social_membership m JOIN social_group g ON g.id = m.group_id AND g.hidden_at IS NULL
     WHERE m.user_id = :viewer::uuid AND m.status = 'member' AND m.id < :before::uuid
     ORDER BY m.id DESC LIMIT 50
), backed AS (
    SELECT b.campaign_id FROM campaigns_backing b JOIN accounts_profile p ON p.user_id = b.backer_id
     WHERE b.backer_id = :viewer::uuid AND b.committed_minor > 0 AND p.shows_backed_campaigns
     ORDER BY b.id DESC LIMIT 50
), common AS (
    SELECT f.followed_id AS person_id, 1 AS score, 'mutual_follow' AS kind, mine.followed_id AS about
      FROM mine CROSS JOIN LATERAL (
           SELECT followed_id FROM social_follow
            WHERE follower_id = mine.followed_id AND id < :before::uuid ORDER BY id DESC LIMIT 50) f
    UNION ALL
    SELECT m.user_id, 2, 'shared_group', groups.group_id
      FROM groups CROSS JOIN LATERAL (
           SELECT user_id FROM social_membership
            WHERE group_id = groups.group_id AND status = 'member' AND id < :before::uuid ORDER BY id DESC LIMIT 100) m
    UNION ALL
    SELECT b.backer_id, 3, 'same_campaign', backed.campaign_id
      FROM backed CROSS JOIN LATERAL (
           SELECT backer_id FROM campaigns_backing
            WHERE campaign_id = backed.campaign_id AND committed_minor > 0 ORDER BY backer_id DESC LIMIT 200) b
      JOIN accounts_profile p ON p.user_id = b.backer_id AND p.shows_backed_campaigns
), found AS (
    SELECT person_id, sum(score) AS score, count(*) FILTER (WHERE kind = 'mutual_follow') AS mutual_count,
           (array_agg(about ORDER BY about DESC) FILTER (WHERE kind = 'mutual_follow'))[:3] AS follows,
           (array_agg(about ORDER BY about DESC) FILTER (WHERE kind = 'shared_group'))[:3] AS groups,
           (array_agg(about ORDER BY about DESC) FILTER (WHERE kind = 'same_campaign'))[:3] AS campaigns
      FROM common GROUP BY person_id
)
SELECT :as_of::timestamptz AS as_of, found.score, u.id AS user_id, u.first_name, u.last_name, u.profile_photo, u.badges,
       found.mutual_count,
       (SELECT json_agg(json_build_object('kind', 'same_campaign', 'id', k.id, 'name', k.title) ORDER BY k.id DESC)::text
          FROM campaigns_campaign k WHERE k.id = ANY(found.campaigns)) AS campaigns,
       (SELECT json_agg(json_build_object('kind', 'shared_group', 'id', g.id, 'name', g.name) ORDER BY g.id DESC)::text
          FROM social_group g WHERE g.id = ANY(found.groups)) AS groups,
       (SELECT json_agg(json_build_object('kind', 'mutual_follow', 'id', o.id,
                                          'name', trim(o.first_name || ' ' || o.last_name)) ORDER BY o.id DESC)::text
          FROM accounts_user o WHERE o.id = ANY(found.follows)) AS follows
  FROM found JOIN accounts_user u ON u.id = found.person_id
 WHERE u.id <> :viewer::uuid AND u.status = 'active'
   AND NOT EXISTS (SELECT FROM social_follow f WHERE f.follower_id = :viewer::uuid AND f.followed_id = u.id)
   AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = u.id)
   AND NOT EXISTS (SELECT FROM accounts_muted_by(:viewer::uuid, :now::timestamptz) m WHERE m.person_id = u.id)
   AND (found.score, u.id) < (:after_score::bigint, :after_user_id::uuid)  -- if after_user_id
 ORDER BY found.score DESC, u.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
