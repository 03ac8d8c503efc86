-- The days that have a partition.
SELECT DISTINCT partition FROM system.parts
WHERE database = currentDatabase() AND table = 'raw_event' AND active
