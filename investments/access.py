"""
Who may see and use which investment and payment method: their own. One of others is answered like one that does not
exist.
"""

from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from campaigns.access import access_campaign, can_see_backers
from campaigns.errors import NotTheOwner
from campaigns.models import Campaign, Category
from campaigns.permissions import MODERATE
from core.api.errors import NotFound
from core.data import sql
from investments.errors import InvestorsOnly, NoSettlement, PaymentMethodNotFound
from investments.models import (
    HELD_OF_PAYMENT,
    Dispute,
    Distribution,
    DistributionCharge,
    Investment,
    InvestmentQuerySet,
    Payment,
    PaymentMethod,
    Settlement,
    Status,
    WaitingEntry,
    WaitingQuerySet,
)
from investments.permissions import APPROVE_SETTLEMENTS, REVIEW_DISTRIBUTIONS


def investments_of(person: Any, **filters: Any) -> InvestmentQuerySet:
    return Investment.objects.filter(investor_id=person.pk, **filters)


def access_investment(person: Any, investment_id: UUID) -> Investment:
    """
    With what its JSON shows, as a row of `for_output()` has it.

    :raises NotFound: missing, or somebody else's
    """
    found = sql.first(_own_investment(), [investment_id, person.pk], Investment, Payment, PaymentMethod, *CARD_MODELS)
    if found is None:
        raise NotFound()
    investment: Investment
    investment, payment, method, *campaign = found
    investment.payment, investment.method, investment.campaign = payment, method, as_card(*campaign)
    investment.investor = person
    return investment


def as_card(campaign: Campaign, owner: User, category: Category, cover: str | None) -> Campaign:
    """A campaign with what its card shows, from the columns of `CARD`."""
    campaign.owner, campaign.category = owner, category
    campaign.cover = cover  # type: ignore[attr-defined]
    return campaign


WITHOUT_TEXT = ("description",)
CARD_MODELS: tuple[sql.Chosen, ...] = ((Campaign, WITHOUT_TEXT), User, Category)
CARD = f"""
    {sql.columns(Campaign, "c", WITHOUT_TEXT)}, {sql.columns(User, "u")}, {sql.columns(Category, "g")},
    (SELECT f.storage_name FROM campaigns_campaignmedia x JOIN uploads f ON f.id = x.file_id
     WHERE x.campaign_id = c.id ORDER BY x.position LIMIT 1)
"""
"""Of a campaign `c` with its owner `u` and its category `g`; what `as_card` takes, after `CARD_MODELS`."""


@cache
def _own_investment() -> str:
    return f"""
        SELECT {sql.columns(Investment, "i")}, {sql.columns(Payment, "p")}, {sql.columns(PaymentMethod, "m")}, {CARD}
        FROM investments_investment i
        JOIN investments_payment p ON p.investment_id = i.id
        JOIN investments_paymentmethod m ON m.id = i.method_id
        JOIN campaigns_campaign c ON c.id = i.campaign_id
        JOIN accounts_user u ON u.id = c.owner_id
        JOIN campaigns_category g ON g.id = c.category_id
        WHERE i.id = %s AND i.investor_id = %s
    """


def investments_in(person: Any, campaign_id: UUID) -> InvestmentQuerySet:
    """
    All of them for the owner and moderators, one's own for an investor.

    :raises NotFound: a campaign that `person` may not see
    :raises InvestorsOnly: neither owner nor moderator nor investor
    """
    campaign = access_campaign(person, campaign_id)
    investments = Investment.objects.filter(campaign=campaign)
    if can_see_backers(person, campaign):
        return investments
    own = investments.filter(investor_id=person.pk)
    if not own.exists():
        raise InvestorsOnly()
    return own


def waiting_list_of(person: Any, campaign_id: UUID) -> WaitingQuerySet | None:
    """
    Who is in the waiting list of a campaign, for its owner and moderators; None for others, who see their own entry.

    :raises NotFound: a campaign that `person` may not see
    """
    campaign = access_campaign(person, campaign_id)
    if not can_see_backers(person, campaign):
        return None
    return WaitingEntry.objects.in_list().filter(campaign=campaign)


def holdings_in(campaign_id: UUID) -> InvestmentQuerySet:
    """The investments that hold a part of a settled campaign: something of them was neither refunded nor disputed."""
    held = Investment.objects.filter(campaign_id=campaign_id, status=Status.INVESTED)
    return held.alias(holding=HELD_OF_PAYMENT).filter(holding__gt=0)


def open_dispute(charge: str) -> Exists:
    """A condition for rows whose payment is disputed. `charge`: the field that leads to it."""
    return Exists(Dispute.objects.filter(payment=OuterRef(charge), status=Dispute.Status.OPEN))


def is_disputed(charged: Payment | DistributionCharge) -> bool:
    """Whether its payer contests it; asked under its lock by whoever goes by it."""
    return charged.disputes.filter(status=Dispute.Status.OPEN).exists()


def distributions_in(person: Any, campaign_id: UUID) -> tuple[QuerySet[Distribution], bool]:
    """
    All of them for the owner and for staff; for an investor those that were approved.

    :returns: and whether `person` sees sums instead of a part of their own
    :raises NotFound: a campaign that `person` may not see
    :raises InvestorsOnly: neither owner nor staff nor investor
    """
    campaign = access_campaign(person, campaign_id)
    found = Distribution.objects.filter(campaign=campaign)
    if campaign.owner_id == person.pk or REVIEW_DISTRIBUTIONS.held_by(person) or MODERATE.held_by(person):
        return found, True
    if not Investment.objects.filter(campaign=campaign, investor_id=person.pk, status=Status.INVESTED).exists():
        raise InvestorsOnly()
    return found.filter(status__in=[Distribution.Status.APPROVED, Distribution.Status.PAID]), False


def access_settlement(person: Any, campaign_id: UUID) -> Settlement:
    """
    For the owner of the campaign, and for staff who decide on it.

    :raises NotFound: a campaign that `person` may not see
    :raises NotTheOwner: :raises NoSettlement: nothing was released
    """
    campaign = access_campaign(person, campaign_id)
    if campaign.owner_id != person.pk and not APPROVE_SETTLEMENTS.held_by(person):
        raise NotTheOwner()
    settlement = Settlement.objects.select_related("owner").filter(campaign=campaign).first()
    if settlement is None:
        raise NoSettlement()
    return settlement


def is_protected(investor: User) -> bool:
    """
    Whether somebody counts as a non-sophisticated investor, or one who is not accredited: a reviewer has not confirmed
    the opposite by the badge `accredited_investor` (Regulation (EU) 2020/1503, Annex II; 17 CFR 230.501(a)).
    """
    return "accredited_investor" not in investor.badges


def access_payment_method(person: Any, method_id: UUID) -> PaymentMethod:
    """:raises PaymentMethodNotFound: missing, removed, or somebody else's"""
    method = PaymentMethod.objects.of(person).filter(pk=method_id).first()
    if method is None:
        raise PaymentMethodNotFound()
    return method
