-- What is on the accounts whose code starts with a prefix, by currency (`day` is null), and what each day (UTC) since a
-- moment changed. Both on the accounts' own side, in minor units. Indexes: the primary keys, in the order of time.
WITH counted AS (
    SELECT id, currency, posted, ledger_side(kind) AS side FROM ledger_account WHERE code LIKE :prefix || '%'
)
SELECT currency, NULL::date AS day, sum(posted)::bigint AS minor
FROM counted
GROUP BY currency
UNION ALL
SELECT currency, day, sum(minor)::bigint
FROM (
    SELECT counted.currency, (t.created_at AT TIME ZONE 'UTC')::date AS day, e.amount * counted.side AS minor
    FROM ledger_entry e
    JOIN counted ON counted.id = e.account_id
    JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE e.id >= :first::uuid AND t.id >= :first::uuid AND t.phase = 'posted'
    OFFSET 0  -- so that days are added up as they come: the planner would expect one a transaction, and sort
) AS changed
GROUP BY currency, day
