-- Of the people who joined in a day, week (from Monday) or month, UTC, how many were active in each since then: a row of
-- the cohort with `later` NULL, then one for each that is `later` by so many, 0 being the one in which they joined.
--
--   unit                        'day', 'week' or 'month', and with it one of
--   by_day, by_week, by_month
--   followed                    only people who follow this one
WITH cohort AS (
    SELECT u.id, date_trunc(:unit::text, u.created_at AT TIME ZONE 'UTC')::date AS start
    FROM accounts_user u
    WHERE u.created_at >= :since::timestamptz AND u.created_at < :until::timestamptz
        AND u.id IN (SELECT follower_id FROM social_follow WHERE followed_id = :followed::uuid) -- if followed
)
SELECT start, NULL::integer AS later, count(*) AS people FROM cohort GROUP BY start
UNION ALL
SELECT
    start,
    a.day - start, -- if by_day
    (a.day - start) / 7, -- if by_week
    (extract(year FROM age(a.day, start)) * 12 + extract(month FROM age(a.day, start)))::integer, -- if by_month
    count(DISTINCT cohort.id)
FROM cohort
JOIN analytics_activeday a ON a.user_id = cohort.id AND a.day >= start AND a.day < (:until::timestamptz AT TIME ZONE 'UTC')::date
GROUP BY 1, 2
ORDER BY 1, 2
