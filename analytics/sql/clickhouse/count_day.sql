-- Events of people and visitors on a day, by name, of the platform (a zero id), each campaign and each subject.
SELECT name, about_id, count() AS events, uniqExact(who) AS people
FROM (
    SELECT
        name,
        coalesce(user_id, visitor_id) AS who,
        arrayJoin([toNullable(toUUID('00000000-0000-0000-0000-000000000000')), campaign_id, subject_id]) AS about_id
    FROM raw_event FINAL
    WHERE occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
      AND is_known AND audience IN ('person', 'visitor')
)
WHERE about_id IS NOT NULL
GROUP BY name, about_id
