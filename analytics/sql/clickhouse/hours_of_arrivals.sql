-- The hours in which the events occurred that were carried over in a time. Index: raw_event_by_arrival.
SELECT DISTINCT toStartOfHour(occurred_at) AS hour
FROM raw_event
WHERE shipped_at >= {since:DateTime64(6, 'UTC')} AND shipped_at < {until:DateTime64(6, 'UTC')}
ORDER BY hour
