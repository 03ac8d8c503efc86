-- How many events of each name occurred in a time.
SELECT name, count() FROM raw_event FINAL
WHERE occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
GROUP BY name
