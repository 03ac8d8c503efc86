-- What decides whether :investor may invest under the rule set :rules, whose amounts are in :currency, for
-- `investments.selectors.investor_facts`. One row, always.
--
--   counted_since   investments placed after this may count for the limit
--   campaign        whose documents are looked at; without one there are none
--   holding         the statuses in which an investment counts
--
-- Indexes: declaration_by_person, knowledge_try_by_person, acknowledgement_by_person, investment_by_investor, and the
-- unique index of payments by investment.
SELECT d.figures, d.created_at AS declared_at,
       EXISTS (SELECT FROM investments_investordeclaration o
                WHERE o.person_id = :investor::uuid AND o.currency <> :currency::text) AS declares_otherwise,
       t.created_at AS tested_at, t.passed, a.texts, a.versions, a.moments, i.placed, i.amounts, (
-- include campaigns/sql/unaccepted_documents.part.sql
       ) AS unaccepted
  FROM (SELECT) one
  LEFT JOIN LATERAL (
       SELECT figures, created_at FROM investments_investordeclaration
        WHERE person_id = :investor::uuid AND currency = :currency::text
        ORDER BY created_at DESC, id DESC LIMIT 1) d ON true
  LEFT JOIN LATERAL (
       SELECT created_at, passed FROM investments_knowledgetry
        WHERE person_id = :investor::uuid
        ORDER BY created_at DESC, id DESC LIMIT 1) t ON true
 CROSS JOIN LATERAL (
       SELECT array_agg(text_id) AS texts, array_agg(version) AS versions, array_agg(created_at) AS moments
         FROM (SELECT DISTINCT ON (text_id) text_id, version, created_at FROM investments_acknowledgement
                WHERE person_id = :investor::uuid
                ORDER BY text_id, created_at DESC, id DESC) newest) a
 CROSS JOIN LATERAL (
       SELECT array_agg(v.created_at ORDER BY v.created_at, v.id) AS placed,
              array_agg(v.amount_minor - p.refunded_minor - p.disputed_minor ORDER BY v.created_at, v.id) AS amounts
         FROM investments_investment v
         JOIN investments_payment p ON p.investment_id = v.id
         JOIN campaigns_campaign c ON c.id = v.campaign_id
        WHERE v.investor_id = :investor::uuid AND v.created_at > :counted_since::timestamptz
          AND v.status = ANY(:holding::text[]) AND c.rules = :rules::text) i
