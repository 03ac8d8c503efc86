"""Who may see and use which investment and payment method: their own. Another's answers like one that is not there."""

from typing import Any
from uuid import UUID

from campaigns.access import access_campaign, can_see_backers
from core.api.errors import NotFound
from investments.errors import InvestorsOnly, PaymentMethodNotFound
from investments.models import Investment, InvestmentQuerySet, PaymentMethod


def investments_of(person: Any, **filters: Any) -> InvestmentQuerySet:
    return Investment.objects.filter(investor_id=person.pk, **filters)


def access_investment(person: Any, investment_id: UUID) -> Investment:
    """:raises NotFound: missing, or somebody else's"""
    investment = investments_of(person).for_output().filter(pk=investment_id).first()
    if investment is None:
        raise NotFound()
    return investment


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


def access_payment_method(person: Any, method_id: UUID) -> PaymentMethod:
    """:raises PaymentMethodNotFound: missing, removed, or somebody else's"""
    method = PaymentMethod.objects.of(person).filter(pk=method_id).first()
    if method is None:
        raise PaymentMethodNotFound()
    return method
