"""
What a person may do with a campaign at a moment, why not, and when that changes (docs/investor-rights.md).

Each answer comes from the checks that the call itself makes. Apps above add theirs: `investments` says who may invest.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from accounts.errors import EmailNotVerified, KYCRequired
from campaigns.errors import HasInvestments, IssuerCapExceeded, NotADraft, NotLive, NotPublishedYet
from campaigns.models import EDITABLE, PUBLIC, Amendment, AmendmentStatus, Campaign, Status
from campaigns.outputs import Action, AllowedAction
from campaigns.services.amendments import may_amend
from campaigns.services.early_close import may_close_early
from campaigns.services.issuer_caps import reach_within_issuer_cap
from campaigns.services.transitions import TRANSITIONS
from campaigns.verdicts import ALLOWED, Verdict, first_refusal
from core.data.statements import Statement, load

Source = Callable[[Any, Any, datetime], Iterator[tuple[Action, Verdict]]]
"""`source(person, campaign, now)`: what else a person may do; the campaign is a row of its page."""
_sources: dict[Source, str] = {}


def add_source(*, beside: str) -> Callable[[Source], Source]:
    """
    Have an app above say what else a person may do with a campaign. Call it when the app is loaded.

    :param beside: the file of a SELECT of one row about the campaign `page.id` and the `:viewer`, whose columns the
        source finds in its row of the page
    """

    def add(source: Source) -> Source:
        _sources[source] = beside
        return source

    return add


@cache
def page_statement() -> Statement:
    """The statement of a campaign's page, with what the sources ask for. First called after the apps were loaded."""
    return load("campaigns/sql/campaign_page.sql", beside=list(_sources.values()))


def campaign_actions(person: Any, campaign: Any, now: datetime, *, own: Campaign | None = None) -> list[AllowedAction]:
    """
    For the person who reads the campaign's page: the owner's actions for its owner, an investor's for others.

    :param campaign: a row of `page_statement`
    :param own: the same campaign, when it is the person's
    """
    if person.pk is None:
        return []
    found: list[tuple[Action, Verdict]] = []
    if own is not None:
        found += _of_owner(person, own, now)
    for source in _sources:
        found += source(person, campaign, now)
    return [AllowedAction.of(*one) for one in found]


def _of_owner(owner: Any, campaign: Campaign, now: datetime) -> Iterator[tuple[Action, Verdict]]:
    verified, proven = email_verified(owner), identity_proven(owner)
    yield "edit", verified
    yield "submit", first_refusal([lambda: proven, lambda: _is_draft(campaign), lambda: _submission(campaign, now)])
    yield "delete", first_refusal([lambda: verified, lambda: _holds_nothing(campaign), lambda: _is_draft(campaign)])
    yield "cancel", first_refusal([lambda: verified, lambda: _cancellation(campaign, now)])
    yield "close_early", first_refusal([lambda: verified, lambda: may_close_early(campaign, now)])
    yield "amend", first_refusal([lambda: verified, lambda: _amendment(campaign, now)])
    yield "post_update", first_refusal([lambda: verified, lambda: _is_published(campaign)])


def email_verified(person: Any) -> Verdict:
    """What `accounts.permissions.EmailVerified` asks."""
    return ALLOWED if person.email_verified else Verdict(EmailNotVerified())


def identity_proven(person: Any) -> Verdict:
    """What `accounts.permissions.KYCVerified` asks."""
    return first_refusal(
        [lambda: email_verified(person), lambda: ALLOWED if person.kyc_verified else Verdict(KYCRequired())]
    )


def _is_draft(campaign: Campaign) -> Verdict:
    return ALLOWED if campaign.status in EDITABLE else Verdict(NotADraft(status=campaign.status))


def _submission(campaign: Campaign, now: datetime) -> Verdict:
    try:
        reach_within_issuer_cap(campaign, now=now)
    except IssuerCapExceeded as refusal:
        return Verdict(refusal, "issuer_cap")
    return TRANSITIONS[Status.DRAFT, Status.IN_REVIEW].verdict(campaign, now)


def _holds_nothing(campaign: Campaign) -> Verdict:
    return Verdict(HasInvestments()) if campaign.raised_minor or campaign.reserved_minor else ALLOWED


def _cancellation(campaign: Campaign, now: datetime) -> Verdict:
    if campaign.status != Status.LIVE:
        return Verdict(NotLive(status=campaign.status))
    return TRANSITIONS[Status.LIVE, Status.CANCELLED].verdict(campaign, now)


def _amendment(campaign: Campaign, now: datetime) -> Verdict:
    is_one_open = Amendment.objects.filter(campaign=campaign, status=AmendmentStatus.PROPOSED).exists()
    return may_amend(campaign, now, is_one_open=is_one_open)


def _is_published(campaign: Campaign) -> Verdict:
    return ALLOWED if campaign.status in PUBLIC else Verdict(NotPublishedYet())
