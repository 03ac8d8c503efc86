"""Papers for investors: the receipt of an investment, and the statement of a year, as PDF and CSV."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from core import pdf
from core.money import Money, minor_text
from investments.models import Investment, Refund
from investments.services.fees import paid_with
from investments.statements import EFFECTS, SUMS, MovementKind, Statement
from ledger.models import Entry, Posting

CSV_HEADER = ("date", "kind", "amount", "currency", "reference", "campaign", "investmentId")


def receipt(investment: Investment) -> pdf.Paper:
    """
    What was bought, for how much, from whom, and what the platform gets for it (17 CFR 227.302(d)(1) and (e)).

    :param investment: with its campaign, owner, payment and method
    """
    campaign, payment, method = investment.campaign, investment.payment, investment.method
    lines = paid_with([payment]).get(payment.pk, ())
    refunds = list(Refund.objects.filter(payment=payment).order_by("id"))
    pairs = [
        (_("Reference"), investment.reference),
        (_("Date of the transaction"), _moment(investment.created_at)),
        (_("Investor"), investment.investor.name),
        (_("Issuer"), campaign.owner.name),
        (_("Country of the issuer"), campaign.country or _("not stated")),
        (
            _("Security"),
            _("Participation in “%(title)s”, terms version %(version)s")
            % {"title": campaign.title, "version": investment.terms_version},
        ),
        (_("Price of one"), str(investment.amount)),
        (_("Number"), "1"),
        (_("Amount of the commitment"), str(investment.amount)),
        *((campaign.fees[line.fee].about, str(line.amount)) for line in lines),
        (_("Charged"), str(payment.amount)),
        (_("Paid"), str(payment.paid)),
        (_("Status"), investment.get_status_display()),
        (_("Can be cancelled until"), _moment(investment.cancellable_until)),
        (_("Payment method"), f"{method.get_type_display()} · {method.brand} ···· {method.last4}"),
        (_("Intermediary"), settings.PUBLIC_URL),
    ]
    blocks: list[pdf.Block] = [pdf.Facts(pairs), pdf.Heading(_("Remuneration of the platform"))]
    blocks.append(pdf.Facts(_remuneration(investment)))
    blocks.append(pdf.Heading(_("Refunds")))
    if refunds:
        blocks.append(pdf.Facts([(_moment(one.created_at), _refund(one)) for one in refunds]))
    else:
        blocks.append(pdf.Words(_("Nothing was refunded.")))
    made_at = max([investment.updated_at, payment.updated_at, *(one.updated_at for one in refunds)])
    blocks.append(pdf.Words(_("As of %(moment)s.") % {"moment": _moment(made_at)}))
    return pdf.Paper(_("Receipt for your investment"), blocks, made_at)


def _refund(refund: Refund) -> str:
    return f"{refund.total} · {refund.get_reason_display()} · {refund.get_status_display()}"


def _remuneration(investment: Investment) -> list[tuple[str, str]]:
    """What the books have on accounts of fees because of the investment, and because of its whole campaign."""
    of_campaign = _fees(f"campaign:{investment.campaign_id}", investment.currency)
    return [
        (_("Paid by you"), str(_fees(f"investment:{investment.pk}", investment.currency))),
        (_("Paid by the issuer, for all investments"), str(of_campaign)),
    ]


def _fees(reference: str, currency: str) -> Money:
    entries = Entry.objects.filter(
        posting__reference=reference,
        posting__phase=Posting.Phase.POSTED,
        account__code__startswith="fees:",
        currency=currency,
    )
    return Money(-int(entries.aggregate(total=Sum("amount"))["total"] or 0), currency)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


# --- The statement of a year ----------------------------------------------------------------------------------------


def statement_rows(statement: Statement) -> Iterator[tuple[Any, ...]]:
    """
    Lines of the CSV: for each currency what there was at the beginning, every movement in its order, and what there is
    at the end. Dates are days in UTC, amounts are in major units.
    """
    for sums in statement.sums:
        for name in SUMS:
            amount = minor_text(sums.opening[name], sums.currency)
            yield (f"{statement.year}-01-01", f"opening {name}", amount, sums.currency, None, None, None)
    for one in statement.movements:
        amount = minor_text(one.minor, one.currency)
        day = one.at.astimezone(UTC).date()
        yield (day, one.kind.value, amount, one.currency, one.reference, one.campaign_title, str(one.investment_id))
    for sums in statement.sums:
        for name in SUMS:
            amount = minor_text(sums.closing[name], sums.currency)
            yield (f"{statement.year}-12-31", f"closing {name}", amount, sums.currency, None, None, None)


def statement_paper(statement: Statement, investor_name: str) -> pdf.Paper:
    words = _kind_words()
    blocks: list[pdf.Block] = [pdf.Facts([(_("Investor"), investor_name), (_("Days"), _("in UTC"))])]
    for sums in statement.sums:
        rows = [
            (_("1 January"), *(minor_text(sums.opening[name], sums.currency) for name in SUMS)),
            *(
                (words[kind], *(_change(sums.moved[kind] * effect.get(name, 0), sums.currency) for name in SUMS))
                for kind, effect in EFFECTS.items()
            ),
            (_("31 December"), *(minor_text(sums.closing[name], sums.currency) for name in SUMS)),
        ]
        header = (sums.currency, *(_sum_words()[name] for name in SUMS))
        blocks.append(pdf.Table(header, rows, (34, *(39,) * len(SUMS)), right=frozenset(range(1, len(SUMS) + 1))))
        blocks.append(pdf.Words(""))
    blocks.append(pdf.Heading(_("Movements")))
    if statement.movements:
        rows = [
            (
                f"{one.at.astimezone(UTC):%Y-%m-%d}",
                words[one.kind],
                one.reference,
                one.campaign_title,
                f"{minor_text(one.minor, one.currency)} {one.currency}",
            )
            for one in statement.movements
        ]
        header = (_("Date"), _("What"), _("Reference"), _("Campaign"), _("Amount"))
        blocks.append(pdf.Table(header, rows, (20, 26, 28, 78, 38), right=frozenset({4})))
    else:
        blocks.append(pdf.Words(_("Nothing moved in this year.")))
    made_at = statement.movements[-1].at if statement.movements else datetime(statement.year, 1, 1, tzinfo=UTC)
    return pdf.Paper(_("Statement for %(year)s") % {"year": statement.year}, blocks, made_at)


def _change(minor: int, currency: str) -> str:
    return minor_text(minor, currency) if minor else ""


def _kind_words() -> dict[MovementKind, str]:
    return {
        MovementKind.COMMITMENT: _("Commitment"),
        MovementKind.REFUND: _("Refund"),
        MovementKind.SETTLEMENT: _("Settlement"),
        MovementKind.RETURN: _("Return"),
        MovementKind.PAYOUT: _("Payout"),
        MovementKind.DISPUTE: _("Taken back by the bank"),
        MovementKind.SETTLED_DISPUTE: _("Taken back by the bank after settlement"),
        MovementKind.FEE: _("Fee"),
        MovementKind.FEE_REFUND: _("Fee back"),
    }


def _sum_words() -> dict[str, str]:
    return {
        "committed": _("Committed to campaigns"),
        "invested": _("Invested"),
        "returned": _("Returned, not paid out"),
        "fees": _("Fees paid"),
    }
