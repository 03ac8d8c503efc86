-- Who, of those who are signed in, did something on a day.
SELECT DISTINCT assumeNotNull(user_id)
FROM raw_event FINAL
WHERE occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
  AND audience = 'person' AND user_id IS NOT NULL
