-- What came to a person, by day (UTC).
SELECT 'posts' AS what, (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS number
FROM social_post
WHERE author_id = :person::uuid AND deleted_at IS NULL
  AND created_at >= :since::timestamptz AND created_at < :until::timestamptz
GROUP BY 2
UNION ALL
SELECT 'likes', (r.created_at AT TIME ZONE 'UTC')::date, count(*)
FROM social_reaction r
JOIN social_post p ON p.id = r.post_id
WHERE p.author_id = :person::uuid AND p.deleted_at IS NULL AND r.user_id <> :person::uuid AND r.emoji = :like
  AND r.created_at >= :since::timestamptz AND r.created_at < :until::timestamptz
GROUP BY 2
UNION ALL
SELECT 'comments', (c.created_at AT TIME ZONE 'UTC')::date, count(*)
FROM social_comment c
JOIN social_post p ON p.id = c.post_id
WHERE p.author_id = :person::uuid AND p.deleted_at IS NULL AND c.author_id <> :person::uuid AND c.deleted_at IS NULL
  AND c.created_at >= :since::timestamptz AND c.created_at < :until::timestamptz
GROUP BY 2
UNION ALL
SELECT 'followers', (created_at AT TIME ZONE 'UTC')::date, count(*)
FROM social_follow
WHERE followed_id = :person::uuid
  AND created_at >= :since::timestamptz AND created_at < :until::timestamptz
GROUP BY 2
