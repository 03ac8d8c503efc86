-- What happened to the investment :id, the first thing first, what it has returned and its disputes, the newest first:
-- three lists in JSON of the :limit newest, for `investments.selectors`. One row, always. The caller knows who may see
-- the investment.
--
--   kinds   the events that are for its timeline, with commas between
--
-- Indexes: event_by_subject, and that of returns by investment.
SELECT (SELECT coalesce(json_agg(json_build_object('id', e.id, 'kind', e.kind, 'at', e.created_at, 'facts', e.facts)
                                 ORDER BY e.id), '[]')::text
          FROM (SELECT * FROM core_event
                 WHERE subject_id = :id::uuid AND kind = ANY (string_to_array(:kinds::text, ','))
                 ORDER BY id DESC
                 LIMIT :limit) e) AS events,
       (SELECT coalesce(json_agg(json_build_object('id', r.id, 'kind', d.kind, 'minor', r.amount_minor,
                                                   'currency', r.currency, 'at', r.credited_at)
                                 ORDER BY r.credited_at DESC, r.id DESC), '[]')::text
          FROM (SELECT * FROM investments_return
                 WHERE investment_id = :id::uuid AND credited_at IS NOT NULL
                 ORDER BY credited_at DESC, id DESC
                 LIMIT :limit) r
          JOIN investments_distribution d ON d.id = r.distribution_id) AS returns,
       (SELECT coalesce(json_agg(json_build_object('id', d.id, 'minor', d.amount_minor, 'currency', d.currency,
                                                   'status', d.status, 'reason', d.reason,
                                                   'opened_at', d.opened_at, 'closed_at', d.closed_at)
                                 ORDER BY d.id DESC), '[]')::text
          FROM (SELECT d.* FROM investments_dispute d
                  JOIN investments_payment p ON p.id = d.payment_id
                 WHERE p.investment_id = :id::uuid
                 ORDER BY d.id DESC
                 LIMIT :limit) d) AS disputes
