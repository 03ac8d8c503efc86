-- Beside a campaign's page: what :viewer has under way, over all campaigns, whether they have ever been in the waiting
-- list of the campaign, and whether that has documents to accept, for `investments.actions`. One row, always.
--
-- Indexes: investment_under_way, waiting_entry_is_one_per_campaign_and_person.
SELECT u.under_way_ids, u.under_way_campaigns, u.under_way_statuses,
       EXISTS (SELECT FROM investments_waitingentry w
                WHERE w.campaign_id = page.id AND w.investor_id = :viewer::uuid) AS has_waited,
       EXISTS (SELECT FROM campaigns_campaigndocument d WHERE d.campaign_id = page.id) AS has_documents
  FROM (SELECT array_agg(id) AS under_way_ids, array_agg(campaign_id) AS under_way_campaigns,
               array_agg(status::text) AS under_way_statuses
          FROM investments_investment
         WHERE investor_id = :viewer::uuid AND status IN ('pending', 'requires_action')) u
