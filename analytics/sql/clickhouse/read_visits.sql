-- Sessions of a day: events of one person or visitor with less than half an hour between them. Ids are compared as
-- numbers, since the order of UUIDs in ClickHouse is another one than that of their digits.
SELECT
    who,
    user_id,
    min(occurred_at) AS started_at,
    max(occurred_at) AS ended_at,
    count() AS events,
    argMinIf(source, place, source <> '') AS first_source,
    argMinIf(medium, place, source <> '') AS first_medium,
    argMaxIf(source, place, source <> '') AS last_source,
    argMaxIf(medium, place, source <> '') AS last_medium,
    argMaxIf(label, place, source <> '') AS label,
    groupUniqArrayIf(assumeNotNull(campaign_id), name = 'campaign_view' AND campaign_id IS NOT NULL) AS campaign_ids
FROM (
    SELECT *, countIf(is_first) OVER (PARTITION BY who ORDER BY place ROWS UNBOUNDED PRECEDING) AS number
    FROM (
        SELECT
            name, occurred_at, user_id, campaign_id, source, medium, label,
            coalesce(user_id, visitor_id) AS who,
            (occurred_at, toUInt128(id)) AS place,
            -- the first event of somebody has 1970 before it
            dateDiff('microsecond', lagInFrame(occurred_at) OVER (
                PARTITION BY coalesce(user_id, visitor_id) ORDER BY (occurred_at, toUInt128(id))
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ), occurred_at) >= 1800000000 AS is_first
        FROM raw_event FINAL
        WHERE occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
          AND is_known AND audience IN ('person', 'visitor')
    )
)
GROUP BY who, user_id, number
