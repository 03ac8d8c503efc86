-- The events that occurred in a time.
SELECT
    id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id, subject_id,
    page, source, medium, label, properties
FROM raw_event FINAL
WHERE occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
