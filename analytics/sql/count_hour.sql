-- Events of an hour by name and audience, of the platform (a zero id), each campaign and each subject.
SELECT name, about_id, audience, count(*) AS events
FROM (
    SELECT name, audience, unnest(ARRAY['00000000-0000-0000-0000-000000000000'::uuid, campaign_id, subject_id]) AS about_id
    FROM analytics_rawevent
    WHERE occurred_at >= :since::timestamptz AND occurred_at < :until::timestamptz AND is_known
) AS counted
WHERE about_id IS NOT NULL
GROUP BY name, about_id, audience
