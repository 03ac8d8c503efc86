-- A person's events, in the order in which they occurred. Index: raw_event_by_user.
SELECT
    id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id, subject_id,
    page, source, medium, label, properties
FROM raw_event FINAL
WHERE user_id = {user:UUID}
ORDER BY occurred_at, toUInt128(id)
