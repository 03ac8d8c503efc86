"""
What can be wrong between our rows, our books and a provider's statement, and the SQL that finds it.

Each check selects: about, reference, our amount and theirs (minor units or NULL), currency, detail.
"""

from enum import StrEnum


class Check(StrEnum):
    """What can be wrong with a movement of money, or with a sum."""

    MISSING = "missing"
    """We have it and the provider's statement does not."""
    EXTRA = "extra"
    """The provider's statement has it and we do not, or we had given it up."""
    DIFFERING = "differing"
    """Other amounts."""
    WRONG_CURRENCY = "wrong_currency"
    DOUBLED = "doubled"
    """Twice in the provider's statement."""
    LATE = "late"
    """Moved at the provider and still under way here, or under way for more than 15 minutes."""
    UNBOOKED = "unbooked"
    """A business row says that it happened and the ledger does not."""
    UNEXPLAINED = "unexplained"
    """The ledger moved the provider's money and no business row says why."""
    UNAPPROVED = "unapproved"
    """It moved, and fewer people have approved it than it took."""
    SUM = "sum"
    """A kept sum is not what its parts give."""


THEIRS = """
    CREATE TEMP TABLE reconciled_theirs (
        move text, key text, provider_id text, minor bigint, currency text, at timestamptz, fee bigint, line_id text
    ) ON COMMIT DROP
"""
OURS = """
    CREATE TEMP TABLE reconciled_ours ON COMMIT DROP AS
    SELECT moved.*, entry.minor AS booked_minor, entry.currency AS booked_currency, entry.booked_by,
           moved.since <= %(late)s AS is_late
      FROM (
        SELECT 'charge' AS move, payment.key, investment.reference,
               CASE payment.status WHEN 'captured' THEN 'done' WHEN 'failed' THEN 'failed' ELSE 'open' END AS state,
               investment.amount_minor + payment.fee_minor AS minor, investment.currency, payment.created_at AS since,
               payment.reservation_id, payment.created_at AS asked_at
          FROM investments_payment payment
          JOIN investments_investment investment ON investment.id = payment.investment_id
         WHERE payment.provider = %(provider)s
        UNION ALL
        SELECT 'refund', format('refund-%%s-%%s', refund.id, refund.attempt), investment.reference,
               CASE refund.status WHEN 'refunded' THEN 'done' ELSE 'open' END,
               -(refund.amount_minor + refund.fee_minor), refund.currency,
               CASE WHEN refund.people_needed = 0 OR refund.approved_at IS NOT NULL
                    THEN coalesce(refund.retry_at, refund.approved_at, refund.created_at) END,
               refund.reservation_id, refund.created_at
          FROM investments_refund refund
          JOIN investments_payment payment ON payment.id = refund.payment_id
          JOIN investments_investment investment ON investment.id = payment.investment_id
         WHERE payment.provider = %(provider)s
        UNION ALL
        SELECT 'charge', charge.key, format('distribution %%s', distribution.id),
               CASE WHEN charge.status IN ('captured', 'refunding', 'refunded') THEN 'done'
                    WHEN charge.status = 'failed' THEN 'failed' ELSE 'open' END,
               distribution.amount_minor, distribution.currency, charge.created_at,
               charge.reservation_id, charge.created_at
          FROM investments_distributioncharge charge
          JOIN investments_distribution distribution ON distribution.id = charge.distribution_id
         WHERE charge.provider = %(provider)s
        UNION ALL
        SELECT 'refund', format('refund-%%s-%%s', charge.id, charge.refund_attempt),
               format('distribution %%s', distribution.id),
               CASE charge.status WHEN 'refunded' THEN 'done' ELSE 'open' END,
               -distribution.amount_minor, distribution.currency, coalesce(charge.retry_at, distribution.decided_at),
               charge.refund_reservation_id, distribution.decided_at
          FROM investments_distributioncharge charge
          JOIN investments_distribution distribution ON distribution.id = charge.distribution_id
         WHERE charge.provider = %(provider)s AND charge.status IN ('refunding', 'refunded')
        UNION ALL
        SELECT 'payout', format('payout-%%s', payout.id), investment.reference,
               CASE payout.status WHEN 'paid' THEN 'done' WHEN 'failed' THEN 'failed' ELSE 'open' END,
               -payout.amount_minor, payout.currency,
               CASE WHEN payout.people_needed = 0 OR payout.approved_at IS NOT NULL
                    THEN coalesce(payout.approved_at, payout.created_at) END,
               payout.reservation_id, payout.created_at
          FROM investments_payout payout
          JOIN investments_investment investment ON investment.id = payout.investment_id
         WHERE payout.provider = %(provider)s
        UNION ALL
        SELECT moves.move, format('%%s-%%s', moves.move, dispute.provider_id),
               coalesce(investment.reference, format('distribution %%s', charge.distribution_id)), 'done',
               moves.minor, dispute.currency, moves.at, moves.reservation_id, moves.at
          FROM investments_dispute dispute
          LEFT JOIN investments_payment payment ON payment.id = dispute.payment_id
          LEFT JOIN investments_investment investment ON investment.id = payment.investment_id
          LEFT JOIN investments_distributioncharge charge ON charge.id = dispute.distribution_charge_id
         CROSS JOIN LATERAL (VALUES
            ('dispute', -dispute.amount_minor, dispute.opened_at, dispute.opening_id),
            ('dispute_reversal', dispute.amount_minor, dispute.closed_at, dispute.reversal_id)
         ) moves (move, minor, at, reservation_id)
         WHERE dispute.provider = %(provider)s AND moves.reservation_id IS NOT NULL
        UNION ALL
        SELECT 'payout', format('settlement-%%s-%%s', payment.settlement_id, payment.attempt),
               format('settlement of campaign %%s', settlement.campaign_id),
               CASE payment.status WHEN 'paid' THEN 'done' WHEN 'failed' THEN 'failed' ELSE 'open' END,
               -payment.amount_minor, payment.currency, payment.created_at, payment.reservation_id, payment.created_at
          FROM investments_settlementpayment payment
          JOIN investments_settlement settlement ON settlement.id = payment.settlement_id
         WHERE payment.provider = %(provider)s
      ) moved
      LEFT JOIN LATERAL (
        SELECT sum(booked.amount) AS minor, booked.currency, posting.id AS booked_by
          FROM ledger_transaction posting
          JOIN ledger_entry booked ON booked.transaction_id = posting.id
          JOIN ledger_account account ON account.id = booked.account_id
         WHERE posting.resolves_id = moved.reservation_id AND posting.phase = 'posted'
           AND account.code IN (format('provider:%%s:%%s', %(provider)s::text, moved.currency),
                                format('overdraft:provider:%%s:%%s', %(provider)s::text, moved.currency))
         GROUP BY posting.id, booked.currency
      ) entry ON true
     WHERE moved.asked_at >= %(since)s
        OR moved.state = 'open' OR EXISTS (SELECT FROM reconciled_theirs theirs WHERE theirs.key = moved.key)
"""
CHECKS: tuple[tuple[Check, str], ...] = (
    (
        Check.MISSING,
        """
        SELECT ours.move, ours.reference, abs(ours.minor), NULL, ours.currency,
               format('%%s of %%s is not in the statement of the provider', ours.move, ours.key)
          FROM reconciled_ours ours
         WHERE ours.state = 'done' AND (ours.booked_by IS NULL OR ours.booked_by < %(asked)s)
           AND NOT EXISTS (SELECT FROM reconciled_theirs theirs WHERE theirs.key = ours.key)
         ORDER BY ours.asked_at, ours.key
        """,
    ),
    (
        Check.EXTRA,
        """
        SELECT theirs.move, theirs.provider_id, NULL, abs(theirs.minor), theirs.currency,
               CASE WHEN ours.key IS NULL
                    THEN format('the provider has a %%s under the key %%L, which is not ours', theirs.move, theirs.key)
                    ELSE format('the provider has the %%s of %%s, given up here', theirs.move, ours.reference) END
          FROM reconciled_theirs theirs
          LEFT JOIN reconciled_ours ours ON ours.key = theirs.key AND ours.move = theirs.move
         WHERE theirs.move <> 'fee' AND (ours.key IS NULL OR ours.state = 'failed')
         ORDER BY theirs.at, theirs.provider_id
        """,
    ),
    (
        Check.DOUBLED,
        """
        SELECT min(theirs.move), coalesce(min(ours.reference), theirs.key), min(abs(ours.minor)),
               sum(abs(theirs.minor)), min(theirs.currency),
               format('%%s lines of the statement have the key %%s: %%s',
                      count(*), theirs.key, string_agg(DISTINCT theirs.provider_id, ', '))
          FROM reconciled_theirs theirs LEFT JOIN reconciled_ours ours USING (key)
         WHERE theirs.key <> ''
         GROUP BY theirs.key HAVING count(*) > 1
         ORDER BY theirs.key
        """,
    ),
    (
        Check.WRONG_CURRENCY,
        """
        SELECT ours.move, ours.reference, abs(ours.minor), NULL, ours.currency,
               format('the provider has it in %%s', theirs.currency)
          FROM reconciled_ours ours JOIN reconciled_theirs theirs USING (key)
         WHERE ours.currency <> theirs.currency
         ORDER BY ours.key
        """,
    ),
    (
        Check.DIFFERING,
        """
        SELECT ours.move, ours.reference, abs(ours.minor), abs(theirs.minor), ours.currency,
               format('the provider has another amount for %%s', ours.key)
          FROM reconciled_ours ours JOIN reconciled_theirs theirs USING (key)
         WHERE ours.currency = theirs.currency AND ours.minor <> theirs.minor
         UNION ALL
        SELECT ours.move, ours.reference, abs(ours.minor), abs(ours.booked_minor), ours.currency,
               format('the ledger has another amount for %%s', ours.key)
          FROM reconciled_ours ours
         WHERE ours.booked_minor <> ours.minor OR ours.booked_currency <> ours.currency
         ORDER BY 2
        """,
    ),
    (
        Check.LATE,
        """
        SELECT ours.move, ours.reference, abs(ours.minor), abs(theirs.minor), ours.currency,
               CASE WHEN theirs.key IS NULL THEN format('under way since %%s', ours.since)
                    ELSE format('moved at the provider at %%s and still under way here', theirs.at) END
          FROM reconciled_ours ours LEFT JOIN reconciled_theirs theirs USING (key)
         WHERE ours.state = 'open' AND ours.is_late
         ORDER BY ours.asked_at, ours.key
        """,
    ),
    (
        Check.UNBOOKED,
        """
        SELECT ours.move, ours.reference, abs(ours.minor), NULL, ours.currency, format('%%s is not booked', ours.key)
          FROM reconciled_ours ours WHERE ours.state = 'done' AND ours.booked_minor IS NULL
         ORDER BY ours.asked_at, ours.key
        """,
    ),
    (
        Check.UNBOOKED,
        """
        SELECT 'fee', theirs.line_id, NULL, theirs.fee, theirs.currency, 'a fee of the provider is not booked'
          FROM reconciled_theirs theirs
         WHERE theirs.fee <> 0
           AND NOT EXISTS (SELECT FROM investments_providerfee fee
                            WHERE fee.provider = %(provider)s AND fee.line_id = theirs.line_id)
         ORDER BY theirs.at, theirs.line_id
        """,
    ),
    (
        Check.MISSING,
        """
        SELECT 'fee', fee.line_id, fee.amount_minor, NULL, fee.currency,
               'a fee was booked for a line that is not in the statement of the provider'
          FROM investments_providerfee fee
         WHERE fee.provider = %(provider)s AND fee.taken_at >= %(since)s AND fee.created_at < %(started)s
           AND NOT EXISTS (SELECT FROM reconciled_theirs theirs WHERE theirs.line_id = fee.line_id)
         ORDER BY fee.taken_at, fee.line_id
        """,
    ),
    (
        Check.DIFFERING,
        """
        SELECT 'fee', fee.line_id, fee.amount_minor, theirs.fee, fee.currency,
               format('the provider has taken another fee, in %%s', theirs.currency)
          FROM investments_providerfee fee JOIN reconciled_theirs theirs ON theirs.line_id = fee.line_id
         WHERE fee.provider = %(provider)s AND (fee.amount_minor, fee.currency) <> (theirs.fee, theirs.currency)
         ORDER BY fee.taken_at, fee.line_id
        """,
    ),
    (
        Check.SUM,
        """
        WITH taken AS (
            SELECT currency, sum(amount_minor) AS minor FROM investments_providerfee
             WHERE provider = %(provider)s GROUP BY currency
        ), booked AS (
            SELECT currency, posted AS minor FROM ledger_account
             WHERE code = format('expenses:provider:%%s:%%s', %(provider)s::text, currency)
        )
        SELECT 'fee', format('expenses:provider:%%s:%%s', %(provider)s::text, currency), coalesce(booked.minor, 0),
               coalesce(taken.minor, 0), currency, 'the ledger does not have what the provider has taken for itself'
          FROM taken FULL JOIN booked USING (currency)
         WHERE coalesce(booked.minor, 0) <> coalesce(taken.minor, 0)
         ORDER BY 2
        """,
    ),
    (
        Check.UNEXPLAINED,
        """
        SELECT 'provider', posting.key, abs(entry.amount), NULL, entry.currency,
               format('posting %%s (%%s) moved money of the provider, and no business row says why',
                      posting.key, posting.kind)
          FROM ledger_account account
          JOIN ledger_entry entry ON entry.account_id = account.id
          JOIN ledger_transaction posting ON posting.id = entry.transaction_id AND posting.phase = 'posted'
         WHERE account.code LIKE format('provider:%%s:%%%%', %(provider)s::text)
           AND NOT EXISTS (SELECT FROM investments_payment WHERE reservation_id = posting.resolves_id)
           AND NOT EXISTS (SELECT FROM investments_refund WHERE reservation_id = posting.resolves_id)
           AND NOT EXISTS (SELECT FROM investments_distributioncharge
                            WHERE posting.resolves_id IN (reservation_id, refund_reservation_id))
           AND NOT EXISTS (SELECT FROM investments_payout WHERE reservation_id = posting.resolves_id)
           AND NOT EXISTS (SELECT FROM investments_dispute
                            WHERE posting.resolves_id IN (opening_id, reversal_id))
           AND NOT EXISTS (SELECT FROM investments_providerfee WHERE posting.key = format('provider-fee:%%s', id))
           AND NOT EXISTS (SELECT FROM investments_correction
                            WHERE status = 'booked' AND posting.id IN (posting_id, original_id))
           AND NOT EXISTS (SELECT FROM investments_settlementpayment WHERE reservation_id = posting.resolves_id)
         ORDER BY posting.id
        """,
    ),
    (
        Check.SUM,
        """
        WITH held AS (
            SELECT investment.campaign_id,
                   sum(payment.captured_minor - payment.refunded_minor - payment.disputed_minor)
                       FILTER (WHERE investment.status IN ('committed', 'invested')) AS raised,
                   sum(investment.amount_minor)
                       FILTER (WHERE investment.status IN ('pending', 'requires_action')) AS reserved
              FROM investments_investment investment
              JOIN investments_payment payment ON payment.investment_id = investment.id
             GROUP BY investment.campaign_id
        )
        SELECT 'campaign', campaign.id::text, sums.kept, sums.given, campaign.currency, sums.what
          FROM campaigns_campaign campaign
          LEFT JOIN held ON held.campaign_id = campaign.id
          LEFT JOIN ledger_account escrow ON escrow.code = format('escrow:campaign:%%s', campaign.id)
         CROSS JOIN LATERAL (VALUES
            (campaign.raised_minor, coalesce(held.raised, 0), 'what is raised is not what its investments hold'),
            (campaign.reserved_minor, coalesce(held.reserved, 0), 'what is reserved is not what is under way'),
            (coalesce(escrow.pending_in, 0), coalesce(held.reserved, 0),
             'the ledger expects another sum than is under way'),
            (coalesce(escrow.posted - escrow.pending_out, 0), campaign.raised_minor - campaign.settled_minor,
             'the escrow in the ledger is not what the campaign holds')
         ) sums (kept, given, what)
         WHERE sums.kept <> sums.given
         ORDER BY campaign.id
        """,
    ),
    (
        Check.SUM,
        """
        WITH credited AS (
            SELECT distribution_id, sum(amount_minor) AS minor FROM investments_return
             WHERE credited_at IS NOT NULL GROUP BY distribution_id
        )
        SELECT 'distribution', distribution.id::text, coalesce(account.posted - account.pending_out, 0), sums.given,
               distribution.currency, 'the ledger does not hold what was paid in and not credited'
          FROM investments_distribution distribution
          JOIN investments_distributioncharge charge ON charge.distribution_id = distribution.id
          LEFT JOIN credited ON credited.distribution_id = distribution.id
          LEFT JOIN ledger_account account ON account.code = format('distribution:%%s', distribution.id)
         CROSS JOIN LATERAL (SELECT
            CASE charge.status WHEN 'captured' THEN distribution.amount_minor ELSE 0 END - coalesce(credited.minor, 0)
                - coalesce((SELECT sum(dispute.held_minor) FROM investments_dispute dispute
                             WHERE dispute.distribution_charge_id = charge.id AND dispute.status = 'open'), 0)
         ) sums (given)
         WHERE coalesce(account.posted - account.pending_out, 0) <> sums.given
         ORDER BY distribution.id
        """,
    ),
    (
        Check.SUM,
        """
        SELECT 'dispute', dispute.provider_id, sums.kept, sums.given, dispute.currency, sums.what
          FROM investments_dispute dispute
          LEFT JOIN ledger_account account ON account.code = format('dispute:%%s', dispute.id)
         CROSS JOIN LATERAL (VALUES
            (coalesce(account.posted, 0), CASE dispute.status WHEN 'open' THEN dispute.amount_minor ELSE 0 END,
             'the ledger holds another sum than the dispute keeps from us'),
            (coalesce(account.pending_out, 0),
             CASE dispute.status WHEN 'open' THEN dispute.amount_minor - dispute.refund_minor ELSE 0 END,
             'the ledger has frozen another sum for the case that it is lost')
         ) sums (kept, given, what)
         WHERE sums.kept <> sums.given
         UNION ALL
        SELECT 'dispute', investment.reference, payment.disputed_minor, coalesce(taken.minor, 0), investment.currency,
               'what is disputed of the payment is not what its disputes have taken'
          FROM investments_payment payment
          JOIN investments_investment investment ON investment.id = payment.investment_id
          LEFT JOIN (
            SELECT payment_id, sum(held_minor + voided_minor) AS minor FROM investments_dispute
             WHERE status <> 'won' GROUP BY payment_id
          ) taken ON taken.payment_id = payment.id
         WHERE payment.disputed_minor <> coalesce(taken.minor, 0)
         UNION ALL
        SELECT 'losses', account.code, account.posted, coalesce(lost.minor, 0), account.currency,
               'what disputes have cost the platform is not what its account says'
          FROM ledger_account account
          LEFT JOIN (
            SELECT currency, sum(amount_minor - voided_minor - fee_minor
                                 - CASE WHEN is_released THEN payable_minor ELSE held_minor END) AS minor
              FROM investments_dispute WHERE status = 'lost' GROUP BY currency
          ) lost USING (currency)
         WHERE account.code = format('losses:disputes:%%s', account.currency)
           AND account.posted <> coalesce(lost.minor, 0)
         ORDER BY 2
        """,
    ),
    (
        Check.SUM,
        """
        WITH moved AS (
            SELECT format('returns:user:%%s:%%s', investor_id, currency) AS code, currency, amount_minor AS minor
              FROM investments_return WHERE credited_at IS NOT NULL
            UNION ALL
            SELECT format('returns:user:%%s:%%s', investment.investor_id, payout.currency), payout.currency,
                   -payout.amount_minor
              FROM investments_payout payout
              JOIN investments_investment investment ON investment.id = payout.investment_id
             WHERE payout.status <> 'failed'
        ), held AS (SELECT code, min(currency) AS currency, sum(minor) AS minor FROM moved GROUP BY code)
        SELECT 'returns', coalesce(held.code, account.code), coalesce(account.posted - account.pending_out, 0),
               coalesce(held.minor, 0), coalesce(held.currency, account.currency),
               'what an investor is owed is not what was returned and not paid out'
          FROM held
          FULL JOIN (SELECT * FROM ledger_account WHERE code LIKE 'returns:user:%%') account ON account.code = held.code
         WHERE coalesce(account.posted - account.pending_out, 0) <> coalesce(held.minor, 0)
         ORDER BY 2
        """,
    ),
    (
        Check.SUM,
        """
        WITH kept AS (
            SELECT CASE WHEN line.payment_id IS NULL OR campaign.status = 'settled'
                        THEN format('fees:%%s:%%s', line.kind, line.currency)
                        ELSE format('fees:held:campaign:%%s', campaign.id) END AS code,
                   line.currency, line.amount_minor - line.refunded_minor AS minor
              FROM investments_feeline line
              JOIN campaigns_campaign campaign ON campaign.id = line.campaign_id
              LEFT JOIN investments_payment payment ON payment.id = line.payment_id
             WHERE line.payment_id IS NULL OR payment.status = 'captured'
        ), due AS (SELECT code, min(currency) AS currency, sum(minor) AS minor FROM kept GROUP BY code)
        SELECT 'fees', coalesce(due.code, account.code), coalesce(account.posted - account.pending_out, 0),
               coalesce(due.minor, 0), coalesce(due.currency, account.currency),
               'the ledger does not hold what was paid in fees and not given back'
          FROM due
          FULL JOIN (SELECT * FROM ledger_account WHERE code LIKE 'fees:%%') account ON account.code = due.code
         WHERE coalesce(account.posted - account.pending_out, 0) <> coalesce(due.minor, 0)
         ORDER BY 2
        """,
    ),
    (
        Check.SUM,
        """
        WITH lines AS (
            SELECT payment_id, sum(amount_minor) AS minor, sum(refunded_minor) AS back
              FROM investments_feeline WHERE payment_id IS NOT NULL GROUP BY payment_id
        ), refunds AS (
            SELECT payment_id, sum(fee_minor) AS back FROM (
                SELECT payment_id, fee_minor FROM investments_refund WHERE status <> 'voided'
                UNION ALL
                SELECT payment_id, fee_minor FROM investments_dispute WHERE payment_id IS NOT NULL
            ) parts WHERE fee_minor > 0 GROUP BY payment_id
        )
        SELECT 'fees', investment.reference, sums.kept, sums.given, investment.currency, sums.what
          FROM (SELECT id, investment_id, fee_minor FROM investments_payment WHERE fee_minor > 0
                UNION SELECT id, investment_id, fee_minor FROM investments_payment JOIN lines ON payment_id = id
                UNION SELECT id, investment_id, fee_minor FROM investments_payment JOIN refunds ON payment_id = id
               ) payment
          JOIN investments_investment investment ON investment.id = payment.investment_id
          LEFT JOIN lines ON lines.payment_id = payment.id
          LEFT JOIN refunds ON refunds.payment_id = payment.id
         CROSS JOIN LATERAL (VALUES
            (payment.fee_minor, coalesce(lines.minor, 0), 'the fee of the payment is not the sum of its lines'),
            (coalesce(lines.back, 0), coalesce(refunds.back, 0),
             'what its fees have given back is not what its refunds and disputes have')
         ) sums (kept, given, what)
         WHERE sums.kept <> sums.given
         ORDER BY 2
        """,
    ),
    (
        Check.UNAPPROVED,
        """
        WITH given AS (
            SELECT subject_kind, subject_id, digest, count(DISTINCT person_id) AS people
              FROM investments_approval GROUP BY subject_kind, subject_id, digest
        ), moved AS (
            SELECT 'refund' AS kind, refund.id, '' AS digest, refund.people_needed, investment.reference,
                   refund.amount_minor AS minor, refund.currency
              FROM investments_refund refund
              JOIN investments_payment payment ON payment.id = refund.payment_id
              JOIN investments_investment investment ON investment.id = payment.investment_id
             WHERE refund.status = 'refunded' AND refund.people_needed > 0
            UNION ALL
            SELECT 'payout', payout.id, '', payout.people_needed, investment.reference,
                   payout.amount_minor, payout.currency
              FROM investments_payout payout
              JOIN investments_investment investment ON investment.id = payout.investment_id
             WHERE payout.status = 'paid' AND payout.people_needed > 0
            UNION ALL
            SELECT 'settlement', settlement_id, digest, people_needed,
                   format('settlement-%%s-%%s', settlement_id, attempt), amount_minor, currency
              FROM investments_settlementpayment WHERE status <> 'failed' AND people_needed > 0
        )
        SELECT moved.kind, moved.reference, moved.minor, NULL, moved.currency,
               format('it took the approval of %%s people', moved.people_needed)
          FROM moved
         WHERE NOT EXISTS (
            SELECT FROM given
             WHERE given.subject_kind = moved.kind AND given.subject_id = moved.id
               AND moved.digest IN ('', given.digest) AND given.people >= moved.people_needed)
         ORDER BY 2
        """,
    ),
    (
        Check.SUM,
        """
        WITH booked AS (
            SELECT posting.kind, posting.reference, sum(-entry.amount) AS minor, min(entry.currency) AS currency
              FROM ledger_transaction posting
              JOIN ledger_entry entry ON entry.transaction_id = posting.id
              JOIN ledger_account account ON account.id = entry.account_id AND account.code LIKE 'payable:user:%%'
             WHERE posting.phase = 'posted' AND posting.kind IN ('campaign.released', 'settlement.paid_out')
             GROUP BY posting.kind, posting.reference
        ), paid AS (
            SELECT settlement_id, sum(amount_minor) AS minor
              FROM investments_settlementpayment WHERE status = 'paid' GROUP BY settlement_id
        )
        SELECT 'settlement', settlement.campaign_id::text, sums.kept, sums.given, settlement.currency, sums.what
          FROM investments_settlement settlement
          LEFT JOIN booked released
            ON released.reference = format('campaign:%%s', settlement.campaign_id)
           AND released.kind = 'campaign.released'
          LEFT JOIN booked gone
            ON gone.kind = 'settlement.paid_out' AND gone.reference = format('campaign:%%s', settlement.campaign_id)
          LEFT JOIN paid ON paid.settlement_id = settlement.id
         CROSS JOIN LATERAL (VALUES
            (settlement.gross_minor + settlement.late_minor - settlement.fees_minor, coalesce(released.minor, 0),
             'what is owed to an owner is not what was released'),
            (settlement.paid_minor, coalesce(paid.minor, 0), 'what an owner was paid is not what its payments are'),
            (settlement.paid_minor, coalesce(-gone.minor, 0), 'the ledger has paid an owner another sum')
         ) sums (kept, given, what)
         WHERE sums.kept <> sums.given
         UNION ALL
        SELECT 'settlement', booked.reference, NULL, booked.minor, booked.currency, 'released, and nobody is owed it'
          FROM booked
         WHERE booked.kind = 'campaign.released' AND NOT EXISTS (
            SELECT FROM investments_settlement WHERE format('campaign:%%s', campaign_id) = booked.reference)
         ORDER BY 2
        """,
    ),
)
BOOKED = """
    SELECT currency, sum(minor) FROM (
        SELECT currency, posted AS minor FROM ledger_account WHERE code LIKE %(codes)s
        UNION ALL  -- a debt to the provider, which it has taken off what it holds
        SELECT currency, -posted FROM ledger_account WHERE code LIKE 'overdraft:' || %(codes)s
        UNION ALL  -- booked since: not in what the provider held then
        SELECT entry.currency, -entry.amount
          FROM ledger_transaction posting
          JOIN ledger_entry entry ON entry.transaction_id = posting.id
          JOIN ledger_account account ON account.id = entry.account_id
         WHERE posting.id >= %(asked)s AND posting.phase = 'posted'
           AND (account.code LIKE %(codes)s OR account.code LIKE 'overdraft:' || %(codes)s)
           AND NOT EXISTS (  -- its own fees are booked after it was asked, and taken before
               SELECT FROM investments_providerfee fee JOIN reconciled_theirs theirs ON theirs.line_id = fee.line_id
                WHERE posting.key = format('provider-fee:%%s', fee.id))
        UNION ALL  -- moved there, and not booked then
        SELECT theirs.currency, theirs.minor
          FROM reconciled_theirs theirs JOIN reconciled_ours ours USING (key)
         WHERE ours.state <> 'failed' AND (ours.booked_by IS NULL OR ours.booked_by >= %(asked)s)
        UNION ALL  -- taken there, and not booked
        SELECT theirs.currency, -theirs.fee
          FROM reconciled_theirs theirs
         WHERE theirs.fee <> 0
           AND NOT EXISTS (SELECT FROM investments_providerfee fee
                            WHERE fee.provider = %(provider)s AND fee.line_id = theirs.line_id)
    ) parts
    GROUP BY currency
"""
