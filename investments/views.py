"""/api/investments, and investments beside campaigns and profiles: parse, one call, answer."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from rest_framework.response import Response

from accounts.permissions import EmailVerified, KYCVerified, TwoFactorRecent
from campaigns import errors as campaign_errors
from core.api import limits
from core.api.errors import OutcomeUnknown
from core.api.idempotency import multi_phase
from core.api.openapi import Message, describe
from core.api.pages import paginate
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse, parse_query
from core.api.views import ApiViewSet
from investments import errors, selectors
from investments.access import access_investment, investments_in, investments_of
from investments.card_data import check_card_data
from investments.inputs import InvestInput, InvestmentQuery, PaymentMethodInput, WithdrawInput
from investments.models import Investment
from investments.outputs import (
    BackerCard,
    InvestmentCard,
    InvestmentOutput,
    PaymentMethodCard,
    PortfolioCard,
    PortfolioOutput,
    WithdrawalOutput,
)
from investments.services.investing import place_investment
from investments.services.methods import add_payment_method, remove_payment_method
from investments.services.provider_events import receive_event
from investments.services.withdrawals import withdraw_from_investment

NEW_METHODS = limits.Limit("payment-methods", 30, timedelta(hours=1))
"""Per person: enough for anyone with cards, too few for anyone trying out stolen ones."""


class Investments(ApiViewSet):
    permission_classes = [SignedIn]
    gates = {"withdraw": [EmailVerified, TwoFactorRecent]}

    @describe("List own investments", page_of=InvestmentCard, parameters=[InvestmentQuery])
    def list(self, request: Request) -> Response:
        filters = parse_query(InvestmentQuery, request)
        investments = investments_of(request.user).filter(**filters).for_output()
        return Response(paginate(request, investments, _cards(selectors.investment_card)))

    @describe("Read an own investment", answer=InvestmentOutput)
    def retrieve(self, request: Request, investment_id: UUID) -> Response:
        return Response(selectors.investment_page(access_investment(request.user, investment_id)))

    @describe(
        "Withdraw from an investment",
        request=WithdrawInput,
        answer=WithdrawalOutput,
        errors=[
            errors.PaymentMethodNotFound,
            errors.RefundToOriginalOnly,
            errors.CancelWindowClosed,
            errors.WithdrawalTooLarge,
            errors.RemainderBelowMinimum,
            errors.WholePaymentOnly,
            OutcomeUnknown,
        ],
        details="While the campaign is live and until `cancellableUntil` this cancels that part and refunds it. A "
        "payment that waits for 3-D Secure is given up as a whole (`cancelled`). `pending`: not finished yet; "
        "repeating the call with its `Idempotency-Key` tells how it goes on.",
    )
    @multi_phase
    def withdraw(self, request: Request, investment_id: UUID) -> Response:
        withdrawal = withdraw_from_investment(
            investor=request.user,
            investment_id=investment_id,
            ticket=request.ticket,
            now=timezone.now(),
            **parse(WithdrawInput, request),
        )
        return Response(selectors.withdrawal_card(withdrawal))


class CampaignInvestments(ApiViewSet):
    permission_classes = [SignedIn]
    gates = {"invest": [KYCVerified]}

    @describe(
        "Invest in a campaign",
        request=InvestInput,
        answer=InvestmentCard,
        errors=[
            errors.PaymentMethodNotFound,
            errors.PaymentMethodExpired,
            errors.PaymentDeclined,
            errors.TooManyOpenPayments,
            errors.ConfirmationPending,
            OutcomeUnknown,
            campaign_errors.OwnCampaign,
            campaign_errors.CampaignClosed,
            campaign_errors.CampaignNotOpen,
            campaign_errors.CurrencyMismatch,
            campaign_errors.BelowMinimum,
            campaign_errors.OverCap,
        ],
        details="Send an `Idempotency-Key`. `requires_action`: lead the investor to `nextAction.url`. `pending`: the "
        "outcome is not known yet; the investment ends `committed` or `failed` within 15 minutes, and repeating the "
        "call with its key tells how it goes on. A decline is an outcome: another try takes another key.",
    )
    @multi_phase
    def invest(self, request: Request, campaign_id: UUID) -> Response:
        investment = place_investment(
            investor=request.user,
            campaign_id=campaign_id,
            ticket=request.ticket,
            now=timezone.now(),
            **parse(InvestInput, request),
        )
        return Response(selectors.investment_card(investment))

    @describe("List a campaign's investments", page_of=BackerCard, errors=[errors.InvestorsOnly])
    def list(self, request: Request, campaign_id: UUID) -> Response:
        investments = investments_in(request.user, campaign_id).select_related("investor", "payment")
        return Response(paginate(request, investments, _cards(selectors.backer_card)))


class PaymentMethods(ApiViewSet):
    permission_classes = [KYCVerified]
    gates = {"list": [SignedIn], "remove": [SignedIn]}

    @describe("List own payment methods", page_of=PaymentMethodCard)
    def list(self, request: Request) -> Response:
        methods = selectors.payment_methods(request.user)
        return Response(paginate(request, methods, _cards(selectors.method_card)))

    @describe(
        "Add a payment method",
        request=PaymentMethodInput,
        answer=PaymentMethodCard,
        status=201,
        errors=[errors.RawCardDataRefused, errors.UnknownPaymentToken, errors.CardExpired, limits.RateLimited],
    )
    def create(self, request: Request) -> Response:
        standing = limits.hit(NEW_METHODS, request.user.pk)
        check_card_data(request.data)  # before the serializer, which quotes what is wrong
        data = parse(PaymentMethodInput, request)
        method = add_payment_method(owner=request.user, now=timezone.now(), **data)
        return Response(selectors.method_card(method), 201, headers=standing.headers)

    @describe(
        "Remove a payment method", answer=Message, errors=[errors.PaymentMethodNotFound, errors.PaymentMethodInUse]
    )
    def remove(self, request: Request, method_id: UUID) -> Response:
        remove_payment_method(owner=request.user, method_id=method_id, now=timezone.now())
        return Response({"message": _("Payment method removed successfully")})


class OwnPortfolio(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("My investments at a glance", page_of=PortfolioCard, answer=PortfolioOutput)
    def list(self, request: Request) -> Response:
        investments = investments_of(request.user).for_output()
        page = paginate(request, investments, _cards(selectors.portfolio_card))
        return Response({"totals": selectors.portfolio_totals(request.user), **page})


class Webhooks(ApiViewSet):
    permission_classes = [Open]

    @describe(
        "Receive a payment provider's event",
        request=OpenApiTypes.OBJECT,
        answer=Message,
        errors=[errors.UnknownProvider, errors.InvalidSignature, errors.UnreadableEvent],
    )
    def receive(self, request: Request, provider: str) -> Response:
        receive_event(provider=provider, body=request._request.body, headers=request.headers, now=timezone.now())
        return Response({"message": _("Event received")})


def _cards(card: Any) -> Any:
    def cards(rows: Sequence[Investment]) -> list[dict[str, Any]]:
        return [card(row) for row in rows]

    return cards
