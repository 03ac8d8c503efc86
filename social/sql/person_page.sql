-- The public profile of the person :id as :viewer sees it at :now. One row; none for somebody who is erased, suspended or
-- hidden from the viewer by a block. Posts and campaigns are counted as far as the viewer may see them at all: on their
-- own page, those for everybody, and for followers and moderators those for followers too; posts in groups and channels
-- are counted for their author alone, so that the number tells nobody of what they cannot see.
--
--   moderator    whether the viewer has the rights of a moderator
--
-- Indexes: the primary keys, person_follows_another_once, follow_by_follower, post_by_author, campaign_by_owner,
-- person_mutes_another_once.
SELECT u.id AS user_id, u.first_name, u.last_name, u.profile_photo, u.badges, u.bio, u.location, u.website, u.cover_photo,
       u.created_at,
       coalesce(c.followers_count, 0) AS followers_count, coalesce(c.following_count, 0) AS following_count,
       CASE WHEN u.id = :viewer::uuid THEN coalesce(c.posts_count, 0)
            ELSE coalesce(n.public_posts, 0) + CASE WHEN
                true OR  -- if moderator
                EXISTS (SELECT FROM social_follow f WHERE f.follower_id = :viewer::uuid AND f.followed_id = u.id)
            THEN coalesce(n.followers_posts, 0) ELSE 0 END
       END AS posts_count,
       (SELECT count(*) FROM campaigns_campaign k
         WHERE k.owner_id = u.id AND k.status IN ('live', 'funded', 'failed', 'cancelled', 'settled')) AS campaigns_count,
       EXISTS (SELECT FROM social_follow f
                WHERE f.follower_id = :viewer::uuid AND f.followed_id = u.id) AS followed_by_me,
       EXISTS (SELECT FROM social_follow f
                WHERE f.follower_id = u.id AND f.followed_id = :viewer::uuid) AS follows_me,
       (SELECT count(*) FROM social_follow mine
          JOIN social_follow theirs ON theirs.follower_id = mine.followed_id AND theirs.followed_id = u.id
         WHERE mine.follower_id = :viewer::uuid) AS mutual_count,
       m.id IS NOT NULL AS muting, m.until AS muted_until
  FROM accounts_user u
  LEFT JOIN accounts_profile c ON c.user_id = u.id
  LEFT JOIN social_authorcounts n ON n.user_id = u.id
  LEFT JOIN accounts_mute m
    ON m.muter_id = :viewer::uuid AND m.muted_id = u.id AND (m.until IS NULL OR m.until > :now::timestamptz)
 WHERE u.id = :id::uuid
   AND u.status = 'active'
   AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = u.id)
