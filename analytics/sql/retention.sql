-- Of the people who joined in a week (begun on Monday, UTC), how many were active in each week since then.
WITH cohort AS (
    SELECT u.id, date_trunc('week', u.created_at AT TIME ZONE 'UTC')::date AS week
    FROM accounts_user u
    WHERE u.created_at >= :since::timestamptz AND u.created_at < :until::timestamptz
        AND u.id IN (SELECT follower_id FROM social_follow WHERE followed_id = :followed::uuid) -- if followed
)
SELECT week, 0 AS later, count(*) AS people, 0 AS active FROM cohort GROUP BY week
UNION ALL
SELECT week, (date_trunc('week', a.day)::date - week) / 7 + 1, 0, count(DISTINCT cohort.id)
FROM cohort
JOIN analytics_activeday a ON a.user_id = cohort.id AND a.day >= week AND a.day < :until::timestamptz
GROUP BY 1, 2
ORDER BY 1, 2
