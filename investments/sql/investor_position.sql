-- What :investor has under way, over all campaigns, whether they have ever been in the waiting list of :campaign, and
-- whether that has documents to accept, for `investments.actions`. One row, always.
--
-- Indexes: investment_by_investor, waiting_entry_is_one_per_campaign_and_person.
SELECT u.ids, u.campaigns, u.statuses,
       EXISTS (SELECT FROM investments_waitingentry w
                WHERE w.campaign_id = :campaign::uuid AND w.investor_id = :investor::uuid) AS has_waited,
       EXISTS (SELECT FROM campaigns_campaigndocument d WHERE d.campaign_id = :campaign::uuid) AS has_documents
  FROM (SELECT array_agg(id) AS ids, array_agg(campaign_id) AS campaigns, array_agg(status::text) AS statuses
          FROM investments_investment
         WHERE investor_id = :investor::uuid AND status IN ('pending', 'requires_action')) u
