-- What moved before :since, and from then up to :until, by currency and kind.
SELECT m.currency, m.kind,
       coalesce(sum(m.minor) FILTER (WHERE m.at < :since::timestamptz), 0)::bigint AS before,
       coalesce(sum(m.minor) FILTER (WHERE m.at >= :since::timestamptz), 0)::bigint AS within
  FROM (
-- include investments/sql/movements.part.sql
       ) m
 WHERE m.at < :until::timestamptz
 GROUP BY m.currency, m.kind
