-- What each source has brought: investments, of how many people, and what the books say of their money. Every investment has one row, so
-- the sums over all rows are those of the campaign.
SELECT
    COALESCE(a.last_source, '') AS source,
    COALESCE(a.last_medium, '') AS medium,
    count(*) AS started,
    count(*) FILTER (WHERE booked.minor > 0) AS committed,
    count(*) FILTER (WHERE booked.minor > 0 AND i.status = 'invested') AS invested,
    count(DISTINCT i.investor_id) AS started_by,
    count(DISTINCT i.investor_id) FILTER (WHERE booked.minor > 0) AS committed_by,
    count(DISTINCT i.investor_id) FILTER (WHERE booked.minor > 0 AND i.status = 'invested') AS invested_by,
    COALESCE(sum(booked.minor), 0)::bigint AS minor,
    COALESCE(sum(booked.minor) FILTER (WHERE i.status = 'invested'), 0)::bigint AS invested_minor
FROM investments_investment i
LEFT JOIN analytics_attribution a ON a.investment_id = i.id
CROSS JOIN LATERAL (
    SELECT COALESCE(-sum(e.amount), 0) AS minor
    FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account account ON account.id = e.account_id
    WHERE t.reference = 'investment:' || i.id AND t.phase = 'posted'
      AND account.code = 'escrow:campaign:' || i.campaign_id
) AS booked
WHERE i.campaign_id = :campaign::uuid
    AND i.created_at >= :since::timestamptz -- if since
    AND i.created_at < :until::timestamptz -- if until
GROUP BY 1, 2
ORDER BY minor DESC, source, medium
