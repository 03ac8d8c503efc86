-- Which of these events are here. They occurred in a time, which narrows the search to its part of the primary key.
SELECT DISTINCT id FROM raw_event
WHERE occurred_at >= {first:DateTime64(6, 'UTC')} AND occurred_at <= {last:DateTime64(6, 'UTC')}
  AND id IN {ids:Array(UUID)}
