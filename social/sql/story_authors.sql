-- Those whom :viewer follows and who have a story that is there at :now, by their newest one: nobody who is suspended,
-- hidden from the viewer by a block, or muted.
--
--   after_id    the newest story of the author that the page before ended with
--
-- Bounded by how many one may follow. Indexes: follow_by_follower, story_by_author.
SELECT s.id, f.followed_id AS author_id
  FROM social_follow f
  JOIN accounts_user a ON a.id = f.followed_id
 CROSS JOIN LATERAL (
       SELECT id FROM social_story
        WHERE author_id = f.followed_id AND expires_at > :now::timestamptz AND hidden_at IS NULL
        ORDER BY id DESC LIMIT 1) s
 WHERE f.follower_id = :viewer::uuid
   AND a.status = 'active'
   AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = f.followed_id)
   AND NOT EXISTS (SELECT FROM accounts_muted_by(:viewer::uuid, :now::timestamptz) m WHERE m.person_id = f.followed_id)
   AND s.id < :after_id::uuid  -- if after_id
 ORDER BY s.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
