-- Every movement of :investor's money, from the books: what a posting changed on the escrow of a campaign because of one
-- of the investments, on the fees that were paid with it, or on what has come back and is not paid out; and the release
-- of the escrow to the owner, less what was refunded out of what the owner is owed.
-- `minor` is positive; which way it went is in `kind`. Indexes: investment_by_investor, ledger_transaction_reference,
-- ledger_entry_is_one_per_account, the unique index of keys.
    SELECT t.effective_at AS at, t.id, i.id AS investment_id, i.campaign_id, i.reference, e.currency,
           abs(e.amount) AS minor,
           CASE WHEN a.code LIKE 'fees:%' THEN CASE WHEN e.amount < 0 THEN 'fee' ELSE 'fee_refund' END
                WHEN t.kind = 'dispute.lost' THEN 'dispute'
                WHEN a.code LIKE 'returns:%' THEN CASE WHEN e.amount < 0 THEN 'return' ELSE 'payout' END
                ELSE CASE WHEN e.amount < 0 THEN 'commitment' ELSE 'refund' END END AS kind
      FROM investments_investment i
      JOIN campaigns_campaign c ON c.id = i.campaign_id
      JOIN ledger_transaction t ON t.reference = 'investment:' || i.id AND t.phase = 'posted'
      JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account a ON a.id = e.account_id
       AND (a.code IN ('escrow:campaign:' || i.campaign_id,
                       'returns:user:' || i.investor_id || ':' || e.currency,
                       'payable:user:' || c.owner_id || ':' || e.currency)
            OR a.code LIKE 'fees:%')
       AND NOT (t.kind = 'dispute.lost' AND a.code LIKE 'payable:%')  -- told below, with what the platform bears of it
     WHERE i.investor_id = :investor::uuid
    UNION ALL
    SELECT t.effective_at, t.id, i.id, i.campaign_id, i.reference, i.currency,
           p.captured_minor - p.refunded_minor - frozen.minor, 'settlement'
      FROM investments_investment i
      JOIN investments_payment p ON p.investment_id = i.id
      JOIN ledger_transaction t ON t.key = 'release:' || i.campaign_id AND t.phase = 'posted'
     CROSS JOIN LATERAL (  -- not released with the rest; what came back when a dispute was won has a posting of its own
           SELECT coalesce(sum(d.voided_minor + CASE WHEN d.status <> 'won' THEN d.held_minor
                                                     WHEN late.id IS NOT NULL THEN d.restored_minor ELSE 0 END), 0) AS minor
             FROM investments_dispute d
             LEFT JOIN ledger_transaction late ON late.key = 'release:' || i.campaign_id || ':' || d.id
            WHERE d.payment_id = p.id AND NOT d.is_released) frozen
     WHERE i.investor_id = :investor::uuid AND p.captured_minor - p.refunded_minor - frozen.minor > 0
    UNION ALL
    SELECT late.effective_at, late.id, i.id, i.campaign_id, i.reference, d.currency, d.restored_minor, 'settlement'
      FROM investments_investment i
      JOIN investments_payment p ON p.investment_id = i.id
      JOIN investments_dispute d ON d.payment_id = p.id AND d.restored_minor > 0
      JOIN ledger_transaction late ON late.key = 'release:' || i.campaign_id || ':' || d.id
     WHERE i.investor_id = :investor::uuid
    UNION ALL
    SELECT d.closed_at, d.id, i.id, i.campaign_id, i.reference, d.currency, d.held_minor, 'settled_dispute'
      FROM investments_investment i
      JOIN investments_payment p ON p.investment_id = i.id
      JOIN investments_dispute d ON d.payment_id = p.id AND d.is_released AND d.status = 'lost' AND d.held_minor > 0
     WHERE i.investor_id = :investor::uuid
