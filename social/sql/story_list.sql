-- Stories that are there at :now, newest first: those of :authors, people whom :viewer follows (story_authors.sql), or
-- with `own` the viewer's; or the one of :id, if the viewer may see it (`StoryQuerySet.visible_to`).
--
--   after_id    the story that the page before ended with
--
-- Indexes: story_by_author, person_views_a_story_once, person_follows_another_once.
SELECT s.id, s.caption, s.created_at, s.expires_at, s.views_count, s.hidden_at,
       s.author_id, a.first_name AS author_first_name, a.last_name AS author_last_name,
       a.profile_photo AS author_profile_photo, a.badges AS author_badges,
       EXISTS (SELECT FROM social_storyview w WHERE w.story_id = s.id AND w.viewer_id = :viewer::uuid) AS seen,
       json_build_array(u.media)::text AS media
  FROM social_story s
  JOIN accounts_user a ON a.id = s.author_id
  JOIN uploads_media u ON u.file_id = s.file_id
 WHERE s.expires_at > :now::timestamptz
   AND s.author_id = ANY(:authors::uuid[]) AND s.hidden_at IS NULL  -- if authors
   AND s.author_id = :viewer::uuid  -- if own
   AND s.id = :id::uuid  -- if id
   AND (s.author_id = :viewer::uuid OR (  -- if id
        a.status = 'active' AND s.hidden_at IS NULL  -- if id
        AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = s.author_id)  -- if id
        AND EXISTS (SELECT FROM social_follow f  -- if id
                     WHERE f.follower_id = :viewer::uuid AND f.followed_id = s.author_id)))  -- if id
   AND s.id < :after_id::uuid  -- if after_id
 ORDER BY s.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
