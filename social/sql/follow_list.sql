-- The people who follow :person, or whom :person follows, the newest follow first, as far as :viewer may see them: nobody
-- who is suspended, erased or hidden from the viewer by a block.
--
--   followers, following    which, one of them
--   after_id                the follow that the page before ended with
--
-- Indexes: follow_by_followed, follow_by_follower, person_follows_another_once.
SELECT f.id, u.id AS user_id, u.first_name, u.last_name, u.profile_photo, u.badges,
       EXISTS (SELECT FROM social_follow mine
                WHERE mine.follower_id = :viewer::uuid AND mine.followed_id = u.id) AS followed_by_me
  FROM social_follow f
  JOIN accounts_user u ON u.id = f.follower_id  -- if followers
  JOIN accounts_user u ON u.id = f.followed_id  -- if following
 WHERE f.followed_id = :person::uuid  -- if followers
 WHERE f.follower_id = :person::uuid  -- if following
   AND u.status = 'active'
   AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = u.id)
   AND f.id < :after_id::uuid  -- if after_id
 ORDER BY f.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
