-- Events of people and visitors on a day, by name, of the platform (a zero id), each campaign and each subject.
SELECT name, about_id, count(*) AS events, count(DISTINCT who) AS people
FROM (
    SELECT
        name,
        COALESCE(user_id, visitor_id) AS who,
        unnest(ARRAY['00000000-0000-0000-0000-000000000000'::uuid, campaign_id, subject_id]) AS about_id
    FROM analytics_rawevent
    WHERE occurred_at >= :since::timestamptz AND occurred_at < :until::timestamptz
      AND is_known AND audience IN ('person', 'visitor')
) AS counted
WHERE about_id IS NOT NULL
GROUP BY name, about_id
