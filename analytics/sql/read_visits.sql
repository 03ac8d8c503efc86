-- Sessions of a day: events of one person or visitor with less than half an hour between them.
SELECT
    who,
    user_id,
    min(occurred_at) AS started_at,
    max(occurred_at) AS ended_at,
    count(*) AS events,
    COALESCE((array_agg(source ORDER BY occurred_at, id) FILTER (WHERE source <> ''))[1], '') AS first_source,
    COALESCE((array_agg(medium ORDER BY occurred_at, id) FILTER (WHERE source <> ''))[1], '') AS first_medium,
    COALESCE((array_agg(source ORDER BY occurred_at DESC, id DESC) FILTER (WHERE source <> ''))[1], '') AS last_source,
    COALESCE((array_agg(medium ORDER BY occurred_at DESC, id DESC) FILTER (WHERE source <> ''))[1], '') AS last_medium,
    COALESCE((array_agg(label ORDER BY occurred_at DESC, id DESC) FILTER (WHERE source <> ''))[1], '') AS label,
    array_agg(DISTINCT campaign_id) FILTER (WHERE name = 'campaign_view' AND campaign_id IS NOT NULL) AS campaign_ids
FROM (
    SELECT *, count(*) FILTER (WHERE is_first) OVER (PARTITION BY who ORDER BY occurred_at, id) AS number
    FROM (
        SELECT
            *,
            COALESCE(user_id, visitor_id) AS who,
            occurred_at - lag(occurred_at) OVER (PARTITION BY COALESCE(user_id, visitor_id) ORDER BY occurred_at, id)
                >= interval '30 minutes' IS NOT FALSE AS is_first
        FROM analytics_rawevent
        WHERE occurred_at >= :since::timestamptz AND occurred_at < :until::timestamptz
          AND is_known AND audience IN ('person', 'visitor')
    ) AS seen
) AS numbered
GROUP BY who, user_id, number
