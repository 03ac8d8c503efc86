"""
Investors confirm the new terms of a campaign, or get their money back (docs/amendments.md).

Who has to answer, and until when, follows from the versions of the terms and from the one that an investment has. No
row has to be there for it, so it holds from the commit of the amendment on, and ends without a job.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from campaigns.models import Campaign, Status as CampaignStatus, TermsVersion
from campaigns.services.amendments import RULE
from campaigns.services.funding import lock_backing, lock_campaign
from campaigns.verdicts import ALLOWED, Verdict
from core import events
from core.api.rendering import utc_text
from core.data.transactions import retrying
from investments.access import access_investment
from investments.errors import NothingToReconfirm, ReconfirmationOver, TermsChanged
from investments.models import HELD_OF_PAYMENT, Answer, Investment, Payment, Reconfirmation, Refund, Status
from investments.services.locks import Locked, lock_payment
from investments.services.refunds import request_refunds


class Asked(NamedTuple):
    """What an investor has to answer."""

    until: datetime
    version: int
    """The newest terms that need an answer."""
    is_over: bool
    """The time to answer has passed; the money goes back."""


def asked(amendments: Sequence[TermsVersion], terms_version: int, now: datetime) -> Asked | None:
    """
    Whether somebody who has agreed to one version of the terms has to confirm newer ones.

    Each amendment begins the period anew, but for those whose period had ended before: they had not confirmed.

    :param amendments: the versions of the terms that have to be confirmed, in their order
    """
    newer = [version for version in amendments if version.version > terms_version]
    if not newer:
        return None
    for version, following in pairwise([*newer, None]):
        assert version is not None and version.reconfirm_until is not None
        ended_by = now if following is None else min(now, following.created_at)
        if version.reconfirm_until <= ended_by:
            return Asked(version.reconfirm_until, version.version, is_over=True)
    last = newer[-1]
    assert last.reconfirm_until is not None
    return Asked(last.reconfirm_until, last.version, is_over=False)


def amendments_of(campaign_id: UUID) -> list[TermsVersion]:
    """The versions of a campaign's terms that have to be confirmed, in their order."""
    return list(TermsVersion.objects.filter(campaign_id=campaign_id, reconfirm_until__isnull=False).order_by("version"))


@retrying
def reconfirm(
    *, investor: User, investment_id: UUID, decline: bool, now: datetime, terms_version: int | None = None
) -> Investment:
    """
    Confirm the present terms of a campaign, or decline them and get the money back. Confirming twice changes nothing.

    :param terms_version: the terms that the investor has read
    :raises NotFound: missing, or somebody else's
    :raises NothingToReconfirm: nothing is asked
    :raises ReconfirmationOver: the time to answer has passed
    :raises TermsChanged: these are not the present terms
    """
    seen = access_investment(investor, investment_id)
    locked = lock_payment(seen.payment.pk)
    if decline:
        lock_backing(seen.campaign_id, investor.pk, now)  # before the campaign, as whoever commits beside us does
    campaign = lock_campaign(seen.campaign_id)
    investment = locked.investment
    if terms_version is not None and terms_version != campaign.terms_version:
        raise TermsChanged(terms_version=campaign.terms_version)
    investment.campaign = campaign
    amendments = amendments_of(campaign.pk) if campaign.reconfirm_until is not None else []
    answer_verdict(investment, amendments, now, decline=decline).require()
    if question_of(investment, amendments, now) is None:
        return investment  # confirmed before
    if decline:
        _give_back(campaign, locked, Answer.DECLINED, now)
    else:
        _answer(campaign, investment, Answer.CONFIRMED, now)
        investment.terms_version, investment.updated_at = campaign.terms_version, now
        investment.save(update_fields=["terms_version", "updated_at"])
        events.record("investment.reconfirmed", investment, actor=investor, now=now, amount=locked.payment.held)
    return investment


def _has_confirmed(investment: Investment, terms_version: int) -> bool:
    confirmed = investment.reconfirmations.filter(answer=Answer.CONFIRMED, terms_version__lte=terms_version)
    return investment.terms_version >= 1 and confirmed.exists()


def answer_verdict(
    investment: Investment, amendments: Sequence[TermsVersion], now: datetime, *, decline: bool
) -> Verdict:
    """
    Whether an investor may confirm, or decline, the present terms. Confirming again is no mistake.

    :param investment: with its campaign and payment
    :param amendments: `amendments_of` its campaign
    """
    question = question_of(investment, amendments, now)
    if question is None:
        is_repeat = not decline and bool(amendments) and _has_confirmed(investment, investment.campaign.terms_version)
        return ALLOWED if is_repeat else Verdict(NothingToReconfirm())
    if question.is_over:
        return Verdict(ReconfirmationOver(until=utc_text(question.until)), RULE)
    return Verdict(rule=RULE, changes_at=question.until)


def question_of(investment: Investment, amendments: Sequence[TermsVersion], now: datetime) -> Asked | None:
    """What is asked of a commitment that is in a live campaign; nobody else is asked."""
    return asked(amendments, investment.terms_version, now) if is_asked(investment) else None


def is_asked(investment: Investment) -> bool:
    """Whether its money is in a campaign that is not decided: only then new terms are to be confirmed."""
    is_held = investment.status == Status.COMMITTED and investment.payment.held_minor > 0
    return is_held and investment.campaign.status == CampaignStatus.LIVE


def _give_back(campaign: Campaign, locked: Locked, answer: Answer, now: datetime) -> None:
    _answer(campaign, locked.investment, answer, now)
    request_refunds([locked], Refund.Reason.NOT_RECONFIRMED, now=now, locked_campaign=campaign)


def _answer(campaign: Campaign, investment: Investment, answer: Answer, now: datetime) -> None:
    Reconfirmation.objects.create(
        investment=investment,
        from_version=investment.terms_version,
        terms_version=campaign.terms_version,
        answer=answer,
        created_at=now,
    )


# --- By the clock ---------------------------------------------------------------------------------------------------


def unconfirmed(now: datetime) -> Iterator[UUID]:
    """Ids of payments whose investors have not confirmed new terms in time."""
    amended = Campaign.objects.filter(status=CampaignStatus.LIVE, reconfirm_until__isnull=False)
    for campaign_id in amended.order_by("id").values_list("pk", flat=True):
        amendments = amendments_of(campaign_id)
        open_ones = commitments_before(campaign_id, amendments[-1].version)
        for payment_id, terms_version in open_ones.values_list("payment__pk", "terms_version"):
            question = asked(amendments, terms_version, now)
            if question is not None and question.is_over:
                yield payment_id


def commitments_before(campaign_id: UUID, version: int) -> QuerySet[Investment]:
    """What is in a campaign from people who have agreed to older terms only."""
    older = Investment.objects.filter(
        campaign_id=campaign_id,
        status=Status.COMMITTED,
        terms_version__lt=version,
    )
    return older.alias(left=HELD_OF_PAYMENT).filter(left__gt=0).order_by("id")


def waits_for_answers(campaign: Campaign) -> bool:
    """Whether somebody has still to confirm the terms of a campaign, or to be refunded since they did not."""
    if campaign.reconfirm_until is None:
        return False
    return commitments_before(campaign.pk, amendments_of(campaign.pk)[-1].version).exists()


@retrying
def refund_unconfirmed(payment_id: UUID, *, now: datetime) -> None:
    """Give back what was not confirmed in time. Repeating it changes nothing."""
    payment = Payment.objects.select_related("investment").get(pk=payment_id)
    locked = lock_payment(payment_id)
    lock_backing(payment.investment.campaign_id, payment.investment.investor_id, now)
    campaign = lock_campaign(payment.investment.campaign_id)
    locked.investment.campaign = campaign
    question = question_of(locked.investment, amendments_of(campaign.pk), now)
    if question is not None and question.is_over:
        _give_back(campaign, locked, Answer.LAPSED, now)
