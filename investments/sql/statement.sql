-- The movements of :investor's money from :since up to :until, the first one first.
SELECT m.at, m.id, m.investment_id, m.campaign_id, c.title AS campaign_title, m.reference, m.kind, m.currency, m.minor
  FROM (
-- include investments/sql/movements.part.sql
       ) m
  JOIN campaigns_campaign c ON c.id = m.campaign_id
 WHERE m.at >= :since::timestamptz AND m.at < :until::timestamptz
 ORDER BY m.at, m.id, m.investment_id
 LIMIT :limit
