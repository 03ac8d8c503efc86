-- Deletes events that were carried over, from the pages in which they were read; answers how many.
WITH gone AS (
    DELETE FROM analytics_rawevent
    WHERE occurred_at >= :since::timestamptz AND occurred_at < :until::timestamptz
      AND ctid >= :first::tid AND ctid < :last::tid
      AND id = ANY(:ids::uuid[])
    RETURNING id
)
SELECT count(*) AS deleted FROM gone
