-- The raw events of a day in some pages of its table, to be carried over. Read by the place of the rows: no index needed,
-- and each page is read once.
SELECT
    id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id, subject_id,
    page, source, medium, label, properties::text AS properties
FROM analytics_rawevent
WHERE occurred_at >= :since::timestamptz AND occurred_at < :until::timestamptz
  AND ctid >= :first::tid AND ctid < :last::tid
