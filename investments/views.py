"""/api/investments, and investments beside campaigns and profiles: parse, one call, answer."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from msgspec.structs import asdict
from rest_framework.response import Response

from accounts.permissions import EmailVerified, KYCVerified, TwoFactorRecent
from campaigns import errors as campaign_errors
from core import clock
from core.api import limits
from core.api.card_numbers import RawCardDataRefused
from core.api.errors import InvalidAmount, OutcomeUnknown
from core.api.idempotency import multi_phase, prepared
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part, paginate
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from core.csv_files import csv_response
from core.pdf import pdf_response
from investments import errors, selectors
from investments.access import (
    access_investment,
    access_settlement,
    distributions_in,
    investments_in,
    investments_of,
    waiting_list_of,
)
from investments.card_data import check_card_data
from investments.inputs import (
    AcceptOfferInput,
    DisputeInput,
    DistributionInput,
    InvestInput,
    InvestmentQuery,
    InvestorProfileInput,
    PaymentMethodInput,
    PayoutTargetInput,
    PreviewQuery,
    ReconfirmInput,
    SetupInput,
    StatementQuery,
    WaitInput,
    WithdrawInput,
)
from investments.outputs import (
    BackerCard,
    DisputeCard,
    DistributionCard,
    InvestmentCard,
    InvestmentOutput,
    InvestmentPreview,
    InvestorProfileOutput,
    LimitsOutput,
    PaymentMethodCard,
    PaymentMethodSetup,
    PayoutTargetOutput,
    PortfolioCard,
    PortfolioPage,
    ReturnPage,
    SettlementOutput,
    StatementOutput,
    WaitingCard,
    WaitingOutput,
    WithdrawalOutput,
)
from investments.papers import CSV_HEADER, receipt, statement_paper, statement_rows
from investments.providers.base import Instrument
from investments.services.distributions import propose_distribution
from investments.services.investing import accept_offer, join_waiting_list, place_investment, preview_investment
from investments.services.methods import (
    add_payment_method,
    read_instrument,
    remove_payment_method,
    set_up_payment_method,
)
from investments.services.payout_targets import payout_target_of, remove_payout_target, set_payout_target
from investments.services.profiles import save_profile
from investments.services.provider_events import receive_event
from investments.services.reconfirming import reconfirm
from investments.services.sandbox_disputes import play_dispute
from investments.services.waiting import leave_waiting_list
from investments.services.withdrawals import withdraw_from_investment
from investments.statements import MOST, statement_of
from ledger.errors import InsufficientFunds

NEW_METHODS = limits.Limit("payment-methods", 30, timedelta(hours=1))
"""Per person: enough for anyone with cards, too few for anyone trying out stolen ones."""
PAPERS = limits.Limit("papers", 60, timedelta(hours=1))
"""Per person: a PDF in a rare script takes seconds to make."""


def _with_headers(answer: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    for name, value in headers.items():
        answer[name] = value
    return answer


NOT_AN_INVESTOR_NOW = (
    errors.PaymentMethodNotFound,
    errors.PaymentMethodExpired,
    errors.PaymentMethodSuspended,
    errors.PaymentsHeld,
    errors.TooManyOpenPayments,
    errors.ConfirmationPending,
)
NOT_ELIGIBLE = (
    errors.ConsentRequired,
    errors.AcknowledgementRequired,
    errors.InvestorProfileRequired,
    errors.ProfileCurrencyMismatch,
    errors.InvestorLimitExceeded,
    errors.KnowledgeTestRequired,
    errors.LossSimulationRequired,
    errors.WarningConsentRequired,
    errors.UnknownAcknowledgement,
    errors.AcknowledgementSuperseded,
)
"""What the rule set of a campaign says."""
CAMPAIGN_NOT_OPEN = (campaign_errors.OwnCampaign, campaign_errors.CampaignClosed, campaign_errors.CampaignNotOpen)


class Investments(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"withdraw": [EmailVerified, TwoFactorRecent], "reconfirm": [EmailVerified]}

    @operation("listInvestments", query=InvestmentQuery, returns=Page[InvestmentCard])
    def list(self, request: Request, query: dict[str, Any]) -> Page[InvestmentCard]:
        """List own investments"""
        part = asked_part(request, keys=("created_at", "id"))
        rows = selectors.investment_rows(request.user, **query, **part.parameters)
        whole = partial(investments_of, request.user, **query)
        return part.page_of(rows, together=partial(selectors.investment_cards, now=clock.now()), whole=whole)

    @operation("listReturns", returns=ReturnPage)
    def list_returns(self, request: Request) -> ReturnPage:
        """
        List what own investments brought back

        The newest first; `withdraw` on an investment pays out what is available of it.
        """
        now = clock.now()
        page = paginate(
            request,
            selectors.returns_of(request.user),
            together=partial(selectors.return_items, now=now),
            order=("-credited_at", "-id"),
        )
        return ReturnPage(**asdict(page), totals=selectors.returned_totals(request.user))

    @operation(
        "getStatement",
        query=StatementQuery,
        returns=StatementOutput,
        files=["text/csv", "application/pdf"],
        errors=[errors.YearNotBegun, errors.StatementTooLong, limits.RateLimited],
    )
    def get_statement(self, request: Request, query: dict[str, Any]) -> HttpResponseBase:
        """
        Read what moved in a year

        Every movement of own money from 1 January to 31 December (UTC), and what there was before and after, from the
        books. As JSON, as CSV (`format=csv`; RFC 4180, UTF-8), or as a PDF. A text that a spreadsheet would run as a
        formula begins with an apostrophe.
        """
        limit = limits.hit(PAPERS, request.user.pk)
        year, kind = query["year"], query["format"]
        statement = statement_of(request.user, year, most=MOST[kind], now=clock.now())
        answer: HttpResponse
        if kind == "json":
            return Response(StatementOutput.of(statement), headers=limit.headers)
        if kind == "csv":
            answer = csv_response(f"statement-{year}", CSV_HEADER, statement_rows(statement))
        else:
            answer = pdf_response(f"statement-{year}", statement_paper(statement, request.user.name))
        return _with_headers(answer, limit.headers)

    @operation("getReceipt", files=["application/pdf"], errors=[limits.RateLimited])
    def get_receipt(self, request: Request, investment_id: UUID) -> HttpResponse:
        """
        Download the receipt of an own investment

        A PDF: date, security, price, number, issuer, what the platform gets, payment method, status and refunds.
        """
        limit = limits.hit(PAPERS, request.user.pk)
        investment = access_investment(request.user, investment_id)
        answer = pdf_response(f"receipt-{investment.reference}", receipt(investment))
        return _with_headers(answer, limit.headers)

    @operation("getInvestment", returns=InvestmentOutput)
    def retrieve(self, request: Request, investment_id: UUID) -> InvestmentOutput:
        """Read an own investment"""
        return selectors.investment_page(access_investment(request.user, investment_id), clock.now())

    @operation(
        "withdrawInvestment",
        WithdrawInput,
        returns=WithdrawalOutput,
        errors=[
            errors.PaymentMethodNotFound,
            errors.RefundToOriginalOnly,
            errors.PaymentDisputed,
            errors.CancelWindowClosed,
            errors.WithdrawalTooLarge,
            errors.RemainderBelowMinimum,
            errors.WholePaymentOnly,
            errors.PaymentMethodExpired,
            errors.PaymentMethodSuspended,
            errors.PayoutDeclined,
            errors.PayoutsNotSupported,
            InsufficientFunds,
            OutcomeUnknown,
        ],
    )
    @multi_phase
    def withdraw(self, request: Request, investment_id: UUID, data: dict[str, Any]) -> WithdrawalOutput:
        """
        Withdraw from an investment

        While the campaign is live and until `cancellableUntil` this cancels that part and refunds it. A payment that
        waits for 3-D Secure is given up as a whole (`cancelled`). Once the campaign's money is released, it pays out
        what the investment has returned, up to what is available and to any own method (`paid`). `pending`: not
        finished yet; repeating the call with its `Idempotency-Key` returns its present state.
        """
        withdrawal = withdraw_from_investment(
            investor=request.user,
            investment_id=investment_id,
            ticket=request.ticket,
            now=clock.now(),
            **data,
        )
        return WithdrawalOutput.of(withdrawal)

    @operation(
        "reconfirmInvestment",
        ReconfirmInput,
        returns=InvestmentOutput,
        errors=[errors.NothingToReconfirm, errors.ReconfirmationOver, errors.TermsChanged],
    )
    def reconfirm(self, request: Request, investment_id: UUID, data: dict[str, Any]) -> InvestmentOutput:
        """
        Confirm new terms of a campaign, or decline them

        `reconfirmation` of the investment says what has changed and until when. Who declines, or says nothing, gets
        the money back.
        """
        now = clock.now()
        reconfirm(
            investor=request.user,
            investment_id=investment_id,
            decline=data.get("decision") == "decline",
            terms_version=data.get("terms_version"),
            now=now,
        )
        return selectors.investment_page(access_investment(request.user, investment_id), now)


class InvestorProfile(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"save": [EmailVerified]}

    @operation("getInvestorProfile", returns=InvestorProfileOutput)
    def retrieve(self, request: Request) -> InvestorProfileOutput:
        """Read what my rights and limits are computed from"""
        return selectors.investor_profile(request.user, now=clock.now())

    @operation(
        "updateInvestorProfile",
        InvestorProfileInput,
        returns=InvestorProfileOutput,
        errors=[
            InvalidAmount,
            errors.ProfileCurrencyNotSupported,
            errors.AnswersIncomplete,
            errors.UnknownAcknowledgement,
            errors.AcknowledgementSuperseded,
            limits.RateLimited,
        ],
    )
    def save(self, request: Request, data: dict[str, Any]) -> InvestorProfileOutput:
        """
        Declare figures, take the knowledge test, acknowledge texts

        Each call is a declaration of its own; the newest one in a currency counts. With `answers` the knowledge test is
        taken anew.
        """
        save_profile(person=request.user, now=clock.now(), **data)
        return selectors.investor_profile(request.user, now=clock.now())

    @operation("listInvestorLimits", returns=LimitsOutput)
    def list_limits(self, request: Request) -> LimitsOutput:
        """Read how much I may invest"""
        return LimitsOutput(items=selectors.investor_limits(request.user, now=clock.now()))


class CampaignInvestments(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"invest": [KYCVerified]}

    @operation(
        "placeInvestment",
        InvestInput,
        returns=InvestmentCard,
        errors=[
            *NOT_AN_INVESTOR_NOW,
            *CAMPAIGN_NOT_OPEN,
            errors.FeeChanged,
            errors.PaymentDeclined,
            OutcomeUnknown,
            *NOT_ELIGIBLE,
            campaign_errors.CurrencyMismatch,
            campaign_errors.BelowMinimum,
            campaign_errors.OverCap,
        ],
    )
    @multi_phase
    def invest(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> InvestmentCard:
        """
        Invest in a campaign

        What is charged is `amount` and the fees of the campaign (`GET .../invest/preview`); who sends the `total` that
        was shown is charged that or nothing. Send an `Idempotency-Key`. `requires_action`: lead the investor to
        `nextAction.url`. `pending`: the outcome is not known yet; the investment ends `committed` or `failed` within 15
        minutes, and repeating the call with its key returns its present state. A decline is an outcome: another try
        takes another key.
        """
        investment = place_investment(
            investor=request.user,
            campaign_id=campaign_id,
            ticket=request.ticket,
            now=clock.now(),
            **data,
        )
        return InvestmentCard.of(investment, clock.now())

    @operation(
        "previewInvestment",
        query=PreviewQuery,
        returns=InvestmentPreview,
        errors=[
            InvalidAmount,
            *CAMPAIGN_NOT_OPEN,
            campaign_errors.CurrencyMismatch,
            campaign_errors.BelowMinimum,
            campaign_errors.OverCap,
        ],
    )
    def preview(self, request: Request, campaign_id: UUID, query: dict[str, Any]) -> InvestmentPreview:
        """
        Read what an investment would cost

        The fees on top of an amount, to the last minor unit, and the whole charge. An amount that could not be invested
        now is refused as in investing; limits of the person are not looked at.
        """
        amount, due = preview_investment(investor=request.user, campaign_id=campaign_id, now=clock.now(), **query)
        return InvestmentPreview.of(amount, due)

    @operation("listCampaignInvestments", returns=Page[BackerCard], errors=[errors.InvestorsOnly])
    def list(self, request: Request, campaign_id: UUID) -> Page[BackerCard]:
        """List a campaign's investments"""
        investments = investments_in(request.user, campaign_id).select_related("investor", "payment")
        return paginate(request, investments, BackerCard.of)


class WaitingLists(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"join": [KYCVerified], "accept": [KYCVerified], "leave": [EmailVerified]}

    @operation(
        "joinWaitingList",
        WaitInput,
        returns=WaitingOutput,
        status=201,
        errors=[
            *NOT_AN_INVESTOR_NOW,
            *CAMPAIGN_NOT_OPEN,
            *NOT_ELIGIBLE,
            campaign_errors.CurrencyMismatch,
            campaign_errors.BelowMinimum,
            campaign_errors.OverCap,
            errors.AlreadyWaiting,
            errors.RoomAvailable,
        ],
    )
    def join(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> WaitingOutput:
        """
        Wait for a place in a full campaign

        First come, first served, and nothing is charged. A place that becomes free is offered for 72 hours. An offer
        may be for a part of the amount; what becomes free later is added to it.
        """
        now = clock.now()
        join_waiting_list(investor=request.user, campaign_id=campaign_id, now=now, **data)
        return selectors.waiting_page(request.user, campaign_id, now)

    @operation("getWaitingList", returns=WaitingOutput | Page[WaitingCard], errors=[errors.NotWaiting])
    def retrieve(self, request: Request, campaign_id: UUID) -> WaitingOutput | Page[WaitingCard]:
        """
        Read my entry in a waiting list

        The last one, whatever became of it. The campaign's owner and moderators get the list of those who wait, the
        first one first.
        """
        now = clock.now()
        everybody = waiting_list_of(request.user, campaign_id)
        if everybody is None:
            return selectors.waiting_page(request.user, campaign_id, now)
        entries = everybody.select_related("investor", "campaign")
        return paginate(request, entries, partial(WaitingCard.of, now=now), order=("position", "id"))

    @operation("leaveWaitingList", returns=WaitingOutput, errors=[errors.NotWaiting])
    def leave(self, request: Request, campaign_id: UUID) -> WaitingOutput:
        """
        Leave a waiting list

        An offer goes to the next.
        """
        now = clock.now()
        leave_waiting_list(investor=request.user, campaign_id=campaign_id, now=now)
        return selectors.waiting_page(request.user, campaign_id, now)

    @operation(
        "acceptWaitingListOffer",
        AcceptOfferInput,
        returns=InvestmentCard,
        errors=[
            *NOT_AN_INVESTOR_NOW,
            *CAMPAIGN_NOT_OPEN,
            *NOT_ELIGIBLE,
            errors.FeeChanged,
            errors.PaymentDeclined,
            OutcomeUnknown,
            errors.NotWaiting,
            errors.NoOffer,
            errors.OfferExpired,
        ],
    )
    @multi_phase
    def accept(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> InvestmentCard:
        """
        Accept a place that is offered

        Invests the offered amount; everything is as in investing. A place whose payment fails goes to the next.
        """
        investment = accept_offer(
            investor=request.user, campaign_id=campaign_id, ticket=request.ticket, now=clock.now(), **data
        )
        return InvestmentCard.of(investment, clock.now())


class Distributions(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"propose": [KYCVerified]}

    @operation("listDistributions", returns=Page[DistributionCard], errors=[errors.InvestorsOnly])
    def list(self, request: Request, campaign_id: UUID) -> Page[DistributionCard]:
        """
        List a campaign's distributions

        The owner and staff see all of them with their sums; an investor sees those that were approved, with the part
        that is theirs.
        """
        found, with_sums = distributions_in(request.user, campaign_id)
        cards = partial(selectors.distribution_cards, viewer=request.user, now=clock.now(), with_sums=with_sums)
        return paginate(request, found.select_related("charge"), together=cards)

    @operation(
        "proposeDistribution",
        DistributionInput,
        returns=DistributionCard,
        status=201,
        errors=[
            campaign_errors.NotTheOwner,
            errors.NothingToDistributeTo,
            errors.PaymentMethodNotFound,
            errors.PaymentMethodExpired,
            errors.PaymentMethodSuspended,
            errors.PaymentsHeld,
            errors.DistributionUnderWay,
            errors.DistributionDeclined,
            OutcomeUnknown,
        ],
    )
    @multi_phase
    def propose(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> DistributionCard:
        """
        Propose a distribution and pay it in

        For the owner of a campaign that was funded and is settled, in its currency. The payment method is charged at
        once: `paymentStatus` says how far that is, and `nextAction` where the owner confirms it. Staff approve it, then
        each investor gets a part. The money of a rejected one goes back to the method that paid.
        """
        now = clock.now()
        distribution = propose_distribution(
            owner=request.user, campaign_id=campaign_id, ticket=request.ticket, now=now, **data
        )
        (card,) = selectors.distribution_cards([distribution], request.user, now, with_sums=True)
        return card


class PaymentMethods(ApiViewSet):
    permission_classes = [KYCVerified]
    action_permissions = {"list": [SignedIn], "remove": [SignedIn]}

    def _instrument(self, request: Request) -> tuple[Instrument, limits.LimitState]:
        limit = limits.hit(NEW_METHODS, request.user.pk)
        check_card_data(request.data)  # before the serializer, which quotes what is wrong
        data = parse(PaymentMethodInput, request)
        return read_instrument(owner=request.user, now=clock.now(), **data), limit

    def _setup(self, request: Request) -> tuple[PaymentMethodSetup, limits.LimitState]:
        limit = limits.hit(NEW_METHODS, request.user.pk)
        check_card_data(request.data)
        data = parse(SetupInput, request)
        return PaymentMethodSetup.of(set_up_payment_method(owner=request.user, now=clock.now(), **data)), limit

    @operation("listPaymentMethods", returns=Page[PaymentMethodCard])
    def list(self, request: Request) -> Page[PaymentMethodCard]:
        """List own payment methods"""
        return paginate(request, selectors.payment_methods(request.user), PaymentMethodCard.of)

    @operation(
        "addPaymentMethod",
        PaymentMethodInput,
        returns=PaymentMethodCard,
        status=201,
        errors=[
            RawCardDataRefused,
            errors.UnknownPaymentToken,
            errors.PaymentMethodDeclined,
            errors.PaymentMethodSuspended,
            errors.CardExpired,
            errors.ProviderUnavailable,
            limits.RateLimited,
        ],
    )
    @prepared(_instrument)
    def create(self, request: Request, prepared: tuple[Instrument, limits.LimitState]) -> Response:
        """Add a payment method"""
        instrument, limit = prepared
        method = add_payment_method(owner=request.user, instrument=instrument, now=clock.now())
        return Response(PaymentMethodCard.of(method), 201, headers=limit.headers)

    @operation(
        "setUpPaymentMethod",
        SetupInput,
        returns=PaymentMethodSetup,
        errors=[RawCardDataRefused, errors.SetupNotNeeded, errors.ProviderUnavailable, limits.RateLimited],
    )
    @prepared(_setup)
    def set_up(self, request: Request, prepared: tuple[PaymentMethodSetup, limits.LimitState]) -> Response:
        """
        Prepare the provider's field for a new card, or its page for a bank account

        A card is entered in the provider's own field in the browser, with this secret; a bank account that money is
        paid out to on its own page. What comes of it there is the token for
        `POST /api/investments/payment-methods`. A provider without these: 404 `setup_not_needed`.
        """
        setup, limit = prepared
        return Response(setup, headers=limit.headers)

    @operation(
        "removePaymentMethod",
        returns=Message,
        errors=[errors.PaymentMethodNotFound, errors.PaymentMethodInUse],
    )
    def remove(self, request: Request, method_id: UUID) -> Message:
        """Remove a payment method"""
        remove_payment_method(owner=request.user, method_id=method_id, now=clock.now())
        return Message(message=_("Payment method removed successfully"))


class PayoutTargets(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"choose": [KYCVerified, TwoFactorRecent], "remove": [EmailVerified, TwoFactorRecent]}

    @operation("getPayoutTarget", returns=PayoutTargetOutput, errors=[errors.NoPayoutTarget])
    def retrieve(self, request: Request) -> PayoutTargetOutput:
        """Read where the money of own campaigns goes"""
        return PayoutTargetOutput.of(payout_target_of(request.user))

    @operation(
        "setPayoutTarget",
        PayoutTargetInput,
        returns=PayoutTargetOutput,
        errors=[errors.PaymentMethodNotFound, errors.PayoutTargetNotABankAccount],
    )
    def choose(self, request: Request, data: dict[str, Any]) -> PayoutTargetOutput:
        """
        Choose where the money of own campaigns goes

        A bank account among own payment methods. The provider verifies it: `status` says how far that is. A change is
        mailed, and voids what was approved for the account before.
        """
        return PayoutTargetOutput.of(set_payout_target(owner=request.user, now=clock.now(), **data))

    @operation("removePayoutTarget", returns=Message, errors=[errors.NoPayoutTarget])
    def remove(self, request: Request) -> Message:
        """
        Remove where the money of own campaigns goes

        Nothing is paid out until another account is chosen.
        """
        remove_payout_target(owner=request.user, now=clock.now())
        return Message(message=_("Payout target removed"))


class Settlements(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("getSettlement", returns=SettlementOutput, errors=[campaign_errors.NotTheOwner, errors.NoSettlement])
    def retrieve(self, request: Request, campaign_id: UUID) -> SettlementOutput:
        """
        Read what a campaign owes its owner

        For its owner. The money goes to the payout target once that is verified; a large sum waits for the approval of
        two people.
        """
        return selectors.settlement_page(access_settlement(request.user, campaign_id))


class OwnPortfolio(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("getPortfolio", returns=PortfolioPage)
    def list(self, request: Request) -> PortfolioPage:
        """My investments at a glance"""
        investments = investments_of(request.user).for_output()
        page = paginate(request, investments, partial(PortfolioCard.of, now=clock.now()))
        return PortfolioPage(**asdict(page), totals=selectors.portfolio_totals(request.user))


class SandboxPayments(ApiViewSet):
    permission_classes = [SignedIn]
    refuses_card_numbers = True

    @operation(
        "disputeSandboxPayment",
        DisputeInput,
        returns=DisputeCard,
        errors=[errors.ChargeNotDisputable, errors.DisputeNotOpen, errors.DisputeClosed],
    )
    @multi_phase
    def dispute(self, request: Request, investment_id: UUID, data: dict[str, Any]) -> DisputeCard:
        """
        Dispute a payment of the sandbox

        As the holder of the card does at their bank (`open`), and as the bank decides (`won`, `lost`): for the
        investor, and for staff who may read investments. The provider's signed event is what changes the books. Where
        another provider takes the payments, there is nothing here.
        """
        dispute = play_dispute(person=request.user, investment_id=investment_id, now=clock.now(), **data)
        return DisputeCard.of(dispute)


class Webhooks(ApiViewSet):
    permission_classes = [Open]

    @operation(
        "receivePaymentWebhook",
        OpenApiTypes.OBJECT,
        returns=Message,
        errors=[errors.UnknownProvider, errors.InvalidSignature, errors.UnreadableEvent],
    )
    def receive(self, request: Request, provider: str) -> Message:
        """Receive a payment provider's event"""
        receive_event(provider=provider, body=request._request.body, headers=request.headers, now=clock.now())
        return Message(message=_("Event received"))
