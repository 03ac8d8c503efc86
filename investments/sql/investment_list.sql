-- The investments of :viewer, newest first, a page of them, with how they were paid and what says until when they can
-- be taken back. The cards of their campaigns are read by `campaigns.selectors.campaign_cards`.
--
--   status                      filter
--   after_created_at, after_id  the row that the page before ended with
--
-- plan each time with: status
--
-- Indexes: investment_by_investor, the primary keys, and the unique index of payments by investment.
SELECT i.id, i.created_at, i.campaign_id, i.amount_minor, i.currency, i.status, i.reference, i.reflection_ends_at,
       p.fee_minor, p.refunded_minor, p.action_url, p.failure_code,
       i.method_id, w.type AS method_type, w.brand AS method_brand, w.last4 AS method_last4,
       c.rules, c.rules_version, c.country, c.time_zone, c.ends_at  -- of the campaign: until when it can be taken back
  FROM (SELECT id  -- from the index alone, so that the order is its own whatever number of rows is guessed
          FROM investments_investment
         WHERE investor_id = :viewer::uuid
           AND status = :status::text  -- if status
           AND (created_at, id) < (:after_created_at::timestamptz, :after_id::uuid)  -- if after_id
         ORDER BY created_at DESC, id DESC
         LIMIT :limit
        OFFSET :start::bigint  -- if start
       ) page
  JOIN investments_investment i USING (id)
  JOIN investments_payment p ON p.investment_id = i.id
  JOIN investments_paymentmethod w ON w.id = i.method_id
  JOIN campaigns_campaign c ON c.id = i.campaign_id
 ORDER BY i.created_at DESC, i.id DESC
