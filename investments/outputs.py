"""What clients see of investments and payment methods."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta, Struct

from accounts.outputs.people import UserCard
from campaigns.fees import Due
from campaigns.models import Status as CampaignStatus
from campaigns.outputs import Allowance, CampaignCard, FeeAmount, TermsChange
from campaigns.rules import Rules
from core import events
from core.api.outputs import Count, Currency, Moment, MoneyText, Output, Page
from core.money import Money, minor_text
from investments.models import (
    Dispute,
    Distribution,
    DistributionCharge,
    FeeLine,
    Investment,
    PaymentMethod,
    PayoutTarget,
    Return,
    Settlement,
    Status,
    Step,
    WaitingEntry,
    WaitingStatus,
    cancellable_until,
)
from investments.providers.base import Setup
from investments.services.withdrawals import Withdrawal
from investments.statements import SUMS, MovementKind, Statement, Sums

RefundedAmount = Annotated[MoneyText, Meta(description="What went back or is on its way back.")]
Last4 = Annotated[str, Meta(pattern="^[0-9]{4}$")]


class PaymentMethodCard(Output):
    id: UUID
    type: PaymentMethod.Type
    brand: str
    last4: Last4
    expiry_month: Annotated[int, Meta(ge=1, le=12)] | None
    expiry_year: int | None
    is_default: bool
    created_at: Moment

    @classmethod
    def of(cls, method: PaymentMethod) -> Self:
        return cls(
            id=method.pk,
            type=PaymentMethod.Type(method.type),
            brand=method.brand,
            last4=method.last4,
            expiry_month=method.expiry_month,
            expiry_year=method.expiry_year,
            is_default=method.is_default,
            created_at=method.created_at,
        )


class PaymentMethodSetup(Output):
    """For entering a card in the provider's field in the browser, or a bank account on its page."""

    client_secret: Annotated[
        str | None, Meta(description="For a card; of the provider, for the browser of this person only.")
    ]
    url: Annotated[str | None, Meta(description="For a bank account: the provider's page, to which the person is led.")]
    token: Annotated[str | None, Meta(description="The `details.token` of the bank account that comes of it.")]

    @classmethod
    def of(cls, setup: Setup) -> Self:
        return cls(client_secret=setup.client_secret or None, url=setup.url or None, token=setup.token or None)


class PaidWith(Output):
    """The payment method of an investment; it stays when the person removes the method."""

    id: UUID
    type: PaymentMethod.Type
    brand: str
    last4: Last4

    @classmethod
    def of(cls, method: PaymentMethod) -> Self:
        return cls(id=method.pk, type=PaymentMethod.Type(method.type), brand=method.brand, last4=method.last4)


class PayoutTargetOutput(Output):
    """Where an owner's money goes."""

    id: UUID
    payment_method: PaidWith
    status: Annotated[
        PayoutTarget.Status, Meta(description="`unverified` until the provider has said whether it can be paid to.")
    ]
    reason: Annotated[str | None, Meta(description="The provider's code for a rejection.")]
    verified_at: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, target: PayoutTarget) -> Self:
        """From a row with its method."""
        return cls(
            id=target.pk,
            payment_method=PaidWith.of(target.method),
            status=PayoutTarget.Status(target.status),
            reason=target.reason or None,
            verified_at=target.verified_at,
            created_at=target.created_at,
        )


class SettlementOutput(Output):
    """What a funded campaign owes its owner, and how far that is paid."""

    id: UUID
    campaign_id: UUID
    status: Settlement.Status
    gross: Annotated[MoneyText, Meta(description="What was released to the owner.")]
    fees: Annotated[MoneyText, Meta(description="What of it the platform keeps.")]
    withheld: Annotated[MoneyText, Meta(description="What of it went back after the release: refunds, lost disputes.")]
    net: Annotated[MoneyText, Meta(description="What the owner gets altogether.")]
    paid: MoneyText
    remaining: Annotated[MoneyText, Meta(description="What of `net` is not paid yet.")]
    currency: Currency
    because: Annotated[str | None, Meta(description="Why it waits, as a code.")]
    reason: Annotated[str | None, Meta(description="What staff wrote when they rejected it.")]
    target: PayoutTargetOutput | None
    paid_at: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, settlement: Settlement, target: PayoutTarget | None, because: str) -> Self:
        return cls(
            id=settlement.pk,
            campaign_id=settlement.campaign_id,
            status=Settlement.Status(settlement.status),
            gross=settlement.gross.text,
            fees=settlement.fees.text,
            withheld=settlement.withheld.text,
            net=settlement.net.text,
            paid=settlement.paid.text,
            remaining=settlement.remaining.text,
            currency=settlement.currency,
            because=because or None,
            reason=settlement.reason or None,
            target=PayoutTargetOutput.of(target) if target else None,
            paid_at=settlement.paid_at,
            created_at=settlement.created_at,
        )


class NextAction(Output):
    type: Literal["redirect"]
    url: Annotated[str, Meta(description="Where the investor confirms the payment (3-D Secure).")]


class InvestmentCard(Output):
    """One's own investment."""

    id: UUID
    campaign: CampaignCard
    amount: MoneyText
    fee: Annotated[MoneyText, Meta(description="What is paid on top of `amount`.")]
    charged: Annotated[MoneyText, Meta(description="`amount` and `fee`: what the payment method is charged.")]
    refunded_amount: RefundedAmount
    currency: Currency
    status: Status
    reference: str
    payment_method: PaidWith
    next_action: NextAction | None
    failure_code: str | None
    cancellable_until: Moment
    created_at: Moment

    @classmethod
    def of_row(cls, row: Any, campaign: CampaignCard) -> Self:
        """From a row of `investments/sql` and the card of its campaign."""
        currency = row.currency
        return cls(
            id=row.id,
            campaign=campaign,
            amount=minor_text(row.amount_minor, currency),
            fee=minor_text(row.fee_minor, currency),
            charged=minor_text(row.amount_minor + row.fee_minor, currency),
            refunded_amount=minor_text(row.refunded_minor, currency),
            currency=currency,
            status=row.status,
            reference=row.reference,
            payment_method=PaidWith(
                id=row.method_id, type=row.method_type, brand=row.method_brand, last4=row.method_last4
            ),
            next_action=NextAction(type="redirect", url=row.action_url) if row.action_url else None,
            failure_code=row.failure_code or None,
            cancellable_until=cancellable_until(row.reflection_ends_at, row),
            created_at=row.created_at,
        )

    @classmethod
    def of(cls, investment: Investment, now: datetime) -> Self:
        """From a row of `for_output()`. Does not query."""
        payment = investment.payment
        return cls(
            id=investment.pk,
            campaign=CampaignCard.of(investment.campaign, now),
            amount=investment.text(investment.amount_minor),
            fee=investment.text(payment.fee_minor),
            charged=payment.amount.text,
            refunded_amount=investment.text(payment.refunded_minor),
            currency=investment.currency,
            status=Status(investment.status),
            reference=investment.reference,
            payment_method=PaidWith.of(investment.method),
            next_action=NextAction(type="redirect", url=payment.action_url) if payment.action_url else None,
            failure_code=payment.failure_code or None,
            cancellable_until=investment.cancellable_until,
            created_at=investment.created_at,
        )


class EventRow(Struct):
    """An event, as `investment_history.sql` selects it."""

    id: UUID
    kind: str
    at: datetime
    facts: dict[str, Any]


class PaidFee(Output):
    """A fee that was asked for with the payment of an investment."""

    id: Annotated[str, Meta(description="In `fees` of the campaign.")]
    amount: MoneyText
    refunded_amount: Annotated[MoneyText, Meta(description="What of it went back, or is on its way.")]

    @classmethod
    def of(cls, line: FeeLine) -> Self:
        return cls(id=line.fee, amount=line.amount.text, refunded_amount=line.refunded.text)


class InvestmentPreview(Output):
    """What an investment would cost now: `total` is `amount` and all `fees`."""

    amount: MoneyText
    fees: list[FeeAmount]
    total: Annotated[MoneyText, Meta(description="Send it with the investment, and nothing else is charged.")]
    currency: Currency

    @classmethod
    def of(cls, amount: Money, due: Sequence[Due]) -> Self:
        total = sum((one.amount for one in due), amount)
        return cls(
            amount=amount.text,
            fees=[FeeAmount.of_due(one) for one in due],
            total=total.text,
            currency=amount.currency,
        )


class InvestmentEventCard(Output):
    """A step of the investment: an entry of its timeline."""

    id: UUID
    kind: Step
    amount: MoneyText
    currency: Currency
    note: str | None
    at: Moment

    @classmethod
    def of_row(cls, event: EventRow, investment: Investment) -> Self:
        """From an event of `investment_history.sql`."""
        facts = events.facts_of(event)
        return cls(
            id=event.id,
            kind=Step(event.kind.partition(".")[2]),
            amount=facts["amount"].text,
            currency=investment.currency,
            note=facts.get("reason") or None,
            at=event.at,
        )


class DisputeRow(Struct):
    """A dispute, as `investment_history.sql` selects it."""

    id: UUID
    minor: int
    currency: str
    status: Dispute.Status
    reason: str
    opened_at: datetime
    closed_at: datetime | None


class DisputeCard(Output):
    """A dispute about the payment of an investment: its holder contests the charge at the bank (a chargeback)."""

    id: UUID
    amount: MoneyText
    currency: Currency
    status: Annotated[
        Dispute.Status,
        Meta(description="`open`: the amount is frozen; `lost`: it went back to the holder; `won`: it counts again."),
    ]
    reason: Annotated[str | None, Meta(description="The provider's code.")]
    opened_at: Moment
    closed_at: Moment | None

    @classmethod
    def of_row(cls, row: DisputeRow) -> Self:
        return cls(
            id=row.id,
            amount=minor_text(row.minor, row.currency),
            currency=row.currency,
            status=row.status,
            reason=row.reason or None,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
        )

    @classmethod
    def of(cls, dispute: Dispute) -> Self:
        return cls(
            id=dispute.pk,
            amount=dispute.amount.text,
            currency=dispute.currency,
            status=Dispute.Status(dispute.status),
            reason=dispute.reason or None,
            opened_at=dispute.opened_at,
            closed_at=dispute.closed_at,
        )


class ReturnRow(Struct):
    """A return, as `investment_history.sql` selects it."""

    id: UUID
    kind: Distribution.Kind
    minor: int
    currency: str
    at: datetime


class ReturnCard(Output):
    """What an investment brought back: its part of a distribution."""

    id: UUID
    kind: Distribution.Kind
    amount: MoneyText
    currency: Currency
    paid_at: Moment

    @classmethod
    def of(cls, one: Return) -> Self:
        """From a row with its distribution, that was credited. Does not query."""
        assert one.credited_at is not None
        return cls(
            id=one.pk,
            kind=Distribution.Kind(one.distribution.kind),
            amount=one.amount.text,
            currency=one.currency,
            paid_at=one.credited_at,
        )

    @classmethod
    def of_row(cls, row: ReturnRow) -> Self:
        return cls(
            id=row.id,
            kind=row.kind,
            amount=minor_text(row.minor, row.currency),
            currency=row.currency,
            paid_at=row.at,
        )


class ReturnItem(ReturnCard):
    """The same in the list of all returns."""

    investment_id: UUID
    campaign: CampaignCard


class ReturnedTotal(Output):
    """Of one currency, over all investments."""

    currency: Currency
    amount: Annotated[MoneyText, Meta(description="What came back as returns, paid out or not.")]
    available: Annotated[MoneyText, Meta(description="What of it can be withdrawn.")]


class ReturnPage(Page[ReturnItem]):
    """A page of one's returns, with the totals of all of them."""

    totals: list[ReturnedTotal]


class DistributionCard(Output):
    """Money for the investors of a campaign. Its owner and staff see sums, an investor their own part."""

    id: UUID
    campaign: CampaignCard
    kind: Distribution.Kind
    note: str | None
    amount: MoneyText
    currency: Currency
    status: Distribution.Status
    per_holder: Annotated[
        MoneyText | None, Meta(description="What you get, once the amount is split. Null for the owner and staff.")
    ]
    holder_count: Annotated[Count | None, Meta(description="How many investments get a part. Null for investors.")]
    credited_amount: Annotated[MoneyText | None, Meta(description="What holders have got. Null for investors.")]
    payment_status: Annotated[
        DistributionCharge.Status | None, Meta(description="How far its owner has paid it in. Null for investors.")
    ]
    next_action: NextAction | None
    failure_code: str | None
    reason: Annotated[str | None, Meta(description="Why it was rejected. Null for investors.")]
    paid_at: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, one: Distribution, campaign: CampaignCard, *, with_sums: bool, minor: int | None) -> Self:
        """
        :param with_sums: for the owner and staff
        :param minor: what all holders have got, or for an investor their own part
        """
        charge = one.charge
        amount = None if minor is None else minor_text(minor, one.currency)
        action = charge.action_url if with_sums else ""
        return cls(
            id=one.pk,
            campaign=campaign,
            kind=Distribution.Kind(one.kind),
            note=one.note or None,
            amount=one.amount.text,
            currency=one.currency,
            status=Distribution.Status(one.status),
            per_holder=None if with_sums else amount,
            holder_count=one.holder_count if with_sums else None,
            credited_amount=amount if with_sums else None,
            payment_status=DistributionCharge.Status(charge.status) if with_sums else None,
            next_action=NextAction(type="redirect", url=action) if action else None,
            failure_code=(charge.failure_code or None) if with_sums else None,
            reason=(one.reason or None) if with_sums else None,
            paid_at=one.paid_at,
            created_at=one.created_at,
        )


InvestmentAction = Literal["withdraw", "reconfirm", "decline_terms"]


class ReconfirmationState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LAPSED = "lapsed"


class ReconfirmationOutput(Output):
    """New terms of the campaign, and what their investor said to them."""

    state: Annotated[ReconfirmationState, Meta(description="`lapsed`: not confirmed in time; the money goes back.")]
    until: Moment
    terms_version: int
    changes: Annotated[list[TermsChange], Meta(description="Since the terms that the investor had agreed to.")]


class AllowedInvestmentAction(Allowance):
    """
    Something that may, or may not, be done with an investment now. The second factor that `withdraw` asks for is not
    considered.
    """

    action: InvestmentAction


class InvestmentOutput(InvestmentCard):
    """One's own investment, with what happened to it and what it returned."""

    fees: Annotated[list[PaidFee], Meta(description="They add up to `fee`.")]
    terms_version: Annotated[int, Meta(ge=1, description="The terms that its investor has agreed to.")]
    reconfirmation: ReconfirmationOutput | None

    allowed_actions: Annotated[
        list[AllowedInvestmentAction],
        Meta(description="What the investor may do with it now, why not, and until when."),
    ]
    events: list[InvestmentEventCard]
    returns: list[ReturnCard]
    disputes: list[DisputeCard]


class BackerCard(Output):
    """Somebody's investment as the campaign's owner sees it."""

    id: UUID
    investor: UserCard
    amount: MoneyText
    refunded_amount: RefundedAmount
    currency: Currency
    status: Status
    created_at: Moment

    @classmethod
    def of(cls, investment: Investment) -> Self:
        return cls(
            id=investment.pk,
            investor=UserCard.of(investment.investor),
            amount=investment.text(investment.amount_minor),
            refunded_amount=investment.text(investment.payment.refunded_minor),
            currency=investment.currency,
            status=Status(investment.status),
            created_at=investment.created_at,
        )


class WaitingPlace(Output):
    """Of an entry in a waiting list, by the clock."""

    id: UUID
    amount: Annotated[MoneyText, Meta(description="What is wanted.")]
    currency: Currency
    position: Annotated[int, Meta(ge=1, description="Who has the smaller one comes first.")]
    status: WaitingStatus
    offered_amount: Annotated[
        MoneyText | None, Meta(description="What is kept free: all that is wanted, or the part there is room for.")
    ]
    offer_ends_at: Annotated[Moment | None, Meta(description="Until when the offer holds.")]
    created_at: Moment

    @classmethod
    def members(cls, entry: WaitingEntry, now: datetime) -> dict[str, Any]:
        campaign = entry.campaign
        status = entry.status_at(now, campaign)
        is_offered = status == WaitingStatus.OFFERED
        ends_at = entry.offer_ends_at
        return {
            "id": entry.pk,
            "amount": campaign.text(entry.amount_minor),
            "currency": entry.currency,
            "position": entry.position,
            "status": status,
            "offered_amount": campaign.text(entry.offered_minor) if is_offered else None,
            "offer_ends_at": min(ends_at, campaign.ends_at) if is_offered and ends_at else None,
            "created_at": entry.created_at,
        }


class WaitingOutput(WaitingPlace):
    """One's own entry in the waiting list of a campaign."""

    campaign: CampaignCard
    ahead: Annotated[int, Meta(ge=0, description="How many entries come before it.")]
    investment_id: Annotated[UUID | None, Meta(description="The investment that it became.")]

    @classmethod
    def of(cls, entry: WaitingEntry, *, campaign: CampaignCard, ahead: int, now: datetime) -> Self:
        return cls(**cls.members(entry, now), campaign=campaign, ahead=ahead, investment_id=entry.investment_id)


class WaitingCard(WaitingPlace):
    """Somebody's entry as the campaign's owner sees it."""

    investor: UserCard

    @classmethod
    def of(cls, entry: WaitingEntry, now: datetime) -> Self:
        return cls(**cls.members(entry, now), investor=UserCard.of(entry.investor))


class StatementMovement(Output):
    """Money that moved: `amount` is positive, `kind` says which way it went."""

    at: Moment
    kind: MovementKind
    amount: MoneyText
    currency: Currency
    reference: str
    investment_id: UUID
    campaign_id: UUID
    campaign_title: str


class StatementBalance(Output):
    committed: Annotated[MoneyText, Meta(description="Held by campaigns that are not settled.")]
    invested: Annotated[MoneyText, Meta(description="Released to the owners of funded campaigns.")]
    returned: Annotated[MoneyText, Meta(description="What came back and is not paid out.")]
    fees: Annotated[MoneyText, Meta(description="Paid on top of investments, and not given back.")]

    @classmethod
    def of(cls, sums: Mapping[str, int], currency: str) -> Self:
        return cls(**{name: minor_text(sums[name], currency) for name in SUMS})


class StatementTotal(Output):
    """Of one currency: `closing` is `opening` with what moved."""

    currency: Currency
    opening: StatementBalance
    commitments: MoneyText
    refunds: MoneyText
    settlements: MoneyText
    returns: MoneyText
    payouts: MoneyText
    disputes: Annotated[MoneyText, Meta(description="What banks took back of commitments.")]
    settled_disputes: Annotated[MoneyText, Meta(description="The same, after it was released to the owner.")]
    fees: MoneyText
    fee_refunds: MoneyText
    closing: StatementBalance

    @classmethod
    def of(cls, sums: Sums) -> Self:
        moved = {f"{kind}s": minor_text(sums.moved[kind], sums.currency) for kind in MovementKind}
        return cls(
            currency=sums.currency,
            opening=StatementBalance.of(sums.opening, sums.currency),
            closing=StatementBalance.of(sums.closing, sums.currency),
            **moved,
        )


class StatementOutput(Output):
    """Every movement of a year, the first one first."""

    year: int
    totals: list[StatementTotal]
    movements: list[StatementMovement]

    @classmethod
    def of(cls, statement: Statement) -> Self:
        return cls(
            year=statement.year,
            totals=[StatementTotal.of(sums) for sums in statement.sums],
            movements=[
                StatementMovement(
                    at=one.at,
                    kind=one.kind,
                    amount=minor_text(one.minor, one.currency),
                    currency=one.currency,
                    reference=one.reference,
                    investment_id=one.investment_id,
                    campaign_id=one.campaign_id,
                    campaign_title=one.campaign_title,
                )
                for one in statement.movements
            ],
        )


class PortfolioTotal(Output):
    """Of one currency."""

    currency: Currency
    invested: Annotated[MoneyText, Meta(description="What is in campaigns.")]
    pending: Annotated[MoneyText, Meta(description="What is on its way in.")]
    returned: Annotated[MoneyText, Meta(description="What came back as returns.")]
    refunded: MoneyText


class PortfolioCard(Output):
    id: UUID
    campaign: CampaignCard
    amount: MoneyText
    refunded_amount: RefundedAmount
    currency: Currency
    status: Status
    progress_percent: float
    campaign_status: CampaignStatus
    created_at: Moment

    @classmethod
    def of(cls, investment: Investment, now: datetime) -> Self:
        """From a row of `for_output()`. Does not query."""
        campaign = CampaignCard.of(investment.campaign, now)
        return cls(
            id=investment.pk,
            campaign=campaign,
            amount=investment.text(investment.amount_minor),
            refunded_amount=investment.text(investment.payment.refunded_minor),
            currency=investment.currency,
            status=Status(investment.status),
            progress_percent=campaign.progress_percent,
            campaign_status=campaign.status,
            created_at=investment.created_at,
        )


class PortfolioPage(Page[PortfolioCard]):
    """A page of one's investments, with the totals of all of them."""

    totals: list[PortfolioTotal]


class KnowledgeTestCard(Output):
    """The last try of the entry knowledge test."""

    passed: bool
    score: Annotated[int, Meta(ge=0, le=100, description="Percent.")]
    pass_score: Annotated[int, Meta(ge=0, le=100, description="What passes.")]
    taken_at: Moment
    valid_until: Moment


class LossSimulationCard(Output):
    """Ten percent of net worth: the loss that one should be able to bear."""

    amount: MoneyText
    currency: Currency
    valid_until: Moment


class AcknowledgedText(Output):
    id: str
    version: str
    sha256: Annotated[str, Meta(description="Of the words, in UTF-8.")]
    acknowledged_at: Moment


class TextCard(Output):
    """What can be acknowledged, in its present words."""

    id: str
    version: str
    sha256: str
    rules: Rules
    source: Annotated[str, Meta(description="The paragraph that asks for it.")]
    text: str


class OptionCard(Output):
    id: str
    text: str


class QuestionCard(Output):
    id: str
    text: str
    options: list[OptionCard]


class InvestorProfileOutput(Output):
    """What a person has declared, answered and acknowledged, and what there is to answer and to acknowledge."""

    annual_income: MoneyText | None
    net_worth: MoneyText | None
    invested_elsewhere: MoneyText | None
    currency: Currency | None
    declared_at: Moment | None
    knowledge_test: KnowledgeTestCard | None
    loss_simulation: LossSimulationCard | None
    acknowledgements: Annotated[list[AcknowledgedText], Meta(description="The newest of each text.")]
    texts: list[TextCard]
    questions: list[QuestionCard]


class LimitCard(Output):
    """How much a person may invest under one rule set."""

    rules: Rules
    limit: Annotated[MoneyText | None, Meta(description="Null: there is none.")]
    used: MoneyText
    remaining: MoneyText | None
    currency: Currency
    because: Annotated[str, Meta(description="In words for the person.")]
    window_starts_at: Annotated[Moment, Meta(description="What was placed before it does not count.")]


class LimitsOutput(Output):
    items: list[LimitCard]


class WithdrawalStatus(StrEnum):
    PENDING = "pending"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    PAID = "paid"


class WithdrawalOutput(Output):
    id: UUID
    investment_id: UUID
    amount: MoneyText
    fee: Annotated[MoneyText, Meta(description="What of the investment's fee goes back on top of `amount`.")]
    currency: Currency
    status: WithdrawalStatus
    created_at: Moment

    @classmethod
    def of(cls, withdrawal: Withdrawal) -> Self:
        return cls(
            id=withdrawal.id,
            investment_id=withdrawal.investment_id,
            amount=withdrawal.amount.text,
            fee=minor_text(withdrawal.fee_minor, withdrawal.amount.currency),
            currency=withdrawal.amount.currency,
            status=WithdrawalStatus(withdrawal.status),
            created_at=withdrawal.created_at,
        )
