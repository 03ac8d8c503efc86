-- A day of raw events of people and visitors, in visits of eight events: :events events on the day :day, about one of
-- :campaigns in three of ten. The day has a partition already.
INSERT INTO analytics_rawevent (id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id,
        subject_id, page, source, medium, label, properties)
    SELECT gen_random_uuid(), name, occurred_at, occurred_at, CASE WHEN is_person THEN 'person' ELSE 'visitor' END, true,
           CASE WHEN is_person THEN who END, CASE WHEN NOT is_person THEN who END,
           CASE WHEN name LIKE 'campaign%%' THEN (%(campaigns)s::uuid[])[1 + visit %% cardinality(%(campaigns)s::uuid[])] END,
           NULL, '/c/solar-' || visit %% 50, source, CASE source WHEN '' THEN '' WHEN 'newsletter' THEN 'mail' ELSE 'search' END,
           '', '{"durationMs": 1200}'
      FROM (SELECT visit, is_person,
                   md5(CASE WHEN is_person THEN 'p' || visit * 7919 %% 100000 ELSE 'v' || %(day)s || visit END)::uuid AS who,
                   %(day)s::date AT TIME ZONE 'UTC' + (visit * 8 * 86000.0 / %(events)s + place * 45) * interval '1 second'
                       AS occurred_at,
                   (ARRAY['page_view', 'page_view', 'campaign_view', 'page_view', 'search', 'campaign_click', 'page_view',
                          'page_view'])[1 + place] AS name,
                   CASE WHEN place > 0 THEN '' ELSE (ARRAY['', 'newsletter', 'google', ''])[1 + visit %% 4] END AS source
              FROM generate_series(0, %(events)s::bigint - 1) n,
                   LATERAL (SELECT n / 8 AS visit, n %% 8 AS place, n / 8 %% 4 < 3 AS is_person) v) made
     WHERE occurred_at < (%(day)s::date + 1) AT TIME ZONE 'UTC'
