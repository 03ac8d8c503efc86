-- Beside a campaign's page: what :viewer has under way, over all campaigns, whether they have ever been in the waiting
-- list of the campaign, whether that has documents to accept, and what keeps them from paying with any method of theirs
-- (as `investments.suspensions.suspension`), for `investments.actions`. One row, always.
--
-- Indexes: investment_under_way, waiting_entry_is_one_per_campaign_and_person, payment_method_by_owner,
-- risk_case_holds_a_person_once, risk_case_suspends_a_card_once, risk_case_by_banned_card.
SELECT u.under_way_ids, u.under_way_campaigns, u.under_way_statuses,
       EXISTS (SELECT FROM investments_waitingentry w
                WHERE w.campaign_id = page.id AND w.investor_id = :viewer::uuid) AS has_waited,
       EXISTS (SELECT FROM campaigns_campaigndocument d WHERE d.campaign_id = page.id) AS has_documents,
       (SELECT CASE WHEN bool_or(h.is_held) THEN 'hold'
                    WHEN bool_and(h.is_suspended) THEN 'suspend_method' END
          FROM (SELECT EXISTS (SELECT FROM investments_riskcase r
                                WHERE r.person_id = m.owner_id AND r.consequence = 'hold'
                                  AND r.status IN ('open', 'kept')) AS is_held,
                       EXISTS (SELECT FROM investments_riskcase r
                                WHERE r.card = coalesce(nullif(m.fingerprint, ''), m.id::text)
                                  AND ((r.person_id = m.owner_id AND r.consequence = 'suspend_method'
                                        AND r.status IN ('open', 'kept'))
                                       OR r.status = 'banned')) AS is_suspended
                  FROM investments_paymentmethod m
                 WHERE m.owner_id = :viewer::uuid AND m.removed_at IS NULL) h) AS suspended
  FROM (SELECT array_agg(id) AS under_way_ids, array_agg(campaign_id) AS under_way_campaigns,
               array_agg(status::text) AS under_way_statuses
          FROM investments_investment
         WHERE investor_id = :viewer::uuid AND status IN ('pending', 'requires_action')) u
