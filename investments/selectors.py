"""Reads shaped for one screen each. Sums are made by the primary database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _
from msgspec.json import Decoder
from msgspec.structs import asdict

from accounts.models import User
from campaigns.models import TermsVersion
from campaigns.outputs import TermsChange
from campaigns.rules import Rules, RuleSet, rule_set, version_on
from campaigns.rules.calendar import add_months
from campaigns.selectors import campaign_cards
from core import events
from core.data.statements import load
from core.money import Money, minor_text
from investments.access import investments_of
from investments.actions import investment_actions
from investments.eligibility import (
    PLACE,
    Facts,
    counted_at,
    investor_limit,
    loss_simulation,
    warning_threshold,
)
from investments.facts import investor_facts
from investments.models import (
    HELD_OF_PAYMENT,
    HOLDING,
    UNDER_WAY,
    Acknowledgement,
    Dispute,
    Distribution,
    Investment,
    InvestorDeclaration,
    KnowledgeTry,
    PaymentMethod,
    Reconciliation,
    Return,
    Settlement,
    WaitingEntry,
    WaitingStatus,
)
from investments.outputs import (
    AcknowledgedText,
    DisputeCard,
    DisputeRow,
    DistributionCard,
    EventRow,
    InvestmentCard,
    InvestmentEventCard,
    InvestmentOutput,
    InvestorProfileOutput,
    KnowledgeTestCard,
    LimitCard,
    LossSimulationCard,
    OptionCard,
    PaidFee,
    PortfolioTotal,
    QuestionCard,
    ReconfirmationOutput,
    ReconfirmationState,
    ReturnCard,
    ReturnedTotal,
    ReturnItem,
    ReturnRow,
    SettlementOutput,
    TextCard,
    WaitingOutput,
)
from investments.providers import PROVIDERS
from investments.services.fees import paid_with
from investments.services.reconfirming import asked, is_asked
from investments.services.settlements import read_case
from investments.services.waiting import latest_entry
from investments.texts import current_texts, knowledge_test
from ledger.selectors import totals

MOST = 100
"""The newest events, returns and disputes that an investment's page shows; `GET /api/investments/returns` has all."""
_LIST = load("investments/sql/investment_list.sql")
_HISTORY = load("investments/sql/investment_history.sql")
_EVENTS = Decoder(list[EventRow])
_RETURNS = Decoder(list[ReturnRow])
_DISPUTES = Decoder(list[DisputeRow])


def investment_rows(person: Any, *, status: str = "", **part: Any) -> list[Any]:
    """
    A person's own investments, newest first, for `investment_cards`.

    :param part: `core.api.pages.Part.parameters`
    """
    return _LIST.rows(viewer=person.pk, status=status or None, **part)


def investment_cards(rows: Sequence[Any], now: datetime) -> list[InvestmentCard]:
    """The cards of a page of `investment_rows`, with those of their campaigns in one more query."""
    campaigns = campaign_cards({row.campaign_id for row in rows}, now)
    return [InvestmentCard.of_row(row, campaigns[row.campaign_id]) for row in rows]


def payment_methods(person: Any) -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.of(person)


def latest_reconciliations() -> list[Reconciliation]:
    """The newest comparison with each provider."""
    newest = Reconciliation.objects.filter(provider=OuterRef("provider")).order_by("-id").values("pk")[:1]
    providers = Reconciliation.objects.filter(provider__in=PROVIDERS)
    return list(providers.filter(pk=Subquery(newest)).order_by("provider"))


def investment_page(investment: Investment, now: datetime) -> InvestmentOutput:
    (history,) = _HISTORY.rows(id=investment.pk, kinds=",".join(events.timeline_kinds()), limit=MOST)
    disputes = _DISPUTES.decode(history.disputes)
    is_disputed = any(one.status == Dispute.Status.OPEN for one in disputes)
    return InvestmentOutput(
        **asdict(InvestmentCard.of(investment, now)),
        fees=[PaidFee.of(line) for line in paid_with([investment.payment]).get(investment.payment.pk, ())],
        terms_version=investment.terms_version,
        reconfirmation=_reconfirmation(investment, now),
        allowed_actions=investment_actions(investment, now, is_disputed=is_disputed),
        events=[InvestmentEventCard.of_row(one, investment) for one in _EVENTS.decode(history.events)],
        returns=[ReturnCard.of_row(one) for one in _RETURNS.decode(history.returns)],
        disputes=[DisputeCard.of_row(one) for one in disputes],
    )


def _reconfirmation(investment: Investment, now: datetime) -> ReconfirmationOutput | None:
    """What is asked about new terms of the campaign, or what was answered to the last ones; None if there were none."""
    campaign = investment.campaign
    if campaign.reconfirm_until is None:
        return None
    versions = {one.version: one for one in TermsVersion.objects.filter(campaign_id=campaign.pk)}
    amendments = [one for _, one in sorted(versions.items()) if one.reconfirm_until is not None]
    answer = investment.reconfirmations.order_by("-id").first()
    question = asked(amendments, investment.terms_version, now) if is_asked(investment) else None
    if question is not None:
        state = ReconfirmationState.LAPSED if question.is_over else ReconfirmationState.OPEN
        since, version, until = investment.terms_version, campaign.terms_version, question.until
    elif answer is not None:
        state = ReconfirmationState(answer.answer)
        since, version = answer.from_version, answer.terms_version
        until = max(one.reconfirm_until for one in amendments if one.version <= version and one.reconfirm_until)
    else:
        return None
    return ReconfirmationOutput(
        state=state,
        until=until,
        terms_version=version,
        changes=TermsChange.between(versions[since].terms, versions[version].terms, campaign.currency),
    )


def waiting_page(person: Any, campaign_id: UUID, now: datetime) -> WaitingOutput:
    """
    A person's last entry in the waiting list of a campaign, whatever became of it.

    :raises NotWaiting: there is none
    """
    entry = latest_entry(person, campaign_id)
    before = WaitingEntry.objects.in_list().filter(campaign_id=campaign_id, position__lt=entry.position)
    is_waiting = entry.status_at(now, entry.campaign) == WaitingStatus.WAITING
    return WaitingOutput.of(
        entry,
        campaign=campaign_cards({campaign_id}, now)[campaign_id],
        ahead=before.count() if is_waiting else 0,
        now=now,
    )


def _returns() -> QuerySet[Return]:
    """What was credited, the newest first."""
    credited = Return.objects.filter(credited_at__isnull=False).select_related("distribution")
    return credited.order_by("-credited_at", "-id")


def returns_of(person: Any) -> QuerySet[Return]:
    return _returns().filter(investor_id=person.pk)


def return_items(rows: Sequence[Return], now: datetime) -> list[ReturnItem]:
    """The items of a page of `returns_of`, with the cards of their campaigns in one more query."""
    campaigns = campaign_cards({one.distribution.campaign_id for one in rows}, now)
    return [
        ReturnItem(
            **asdict(ReturnCard.of(one)),
            investment_id=one.investment_id,
            campaign=campaigns[one.distribution.campaign_id],
        )
        for one in rows
    ]


def returned_totals(person: Any) -> list[ReturnedTotal]:
    """Per currency: what came back, and what of it is still here, which the books say."""
    sums = _returned(person)
    here = totals(f"returns:user:{person.pk}:")
    return [
        ReturnedTotal(
            currency=currency,
            amount=minor_text(minor, currency),
            available=here[currency].available.text if currency in here else minor_text(0, currency),
        )
        for currency, minor in sorted(sums.items())
    ]


def _returned(person: Any) -> dict[str, int]:
    """Minor units by currency."""
    rows = Return.objects.filter(investor_id=person.pk, credited_at__isnull=False).values_list("currency")
    return {currency: int(minor) for currency, minor in rows.annotate(Sum("amount_minor")).order_by("currency")}


def distribution_cards(
    rows: Sequence[Distribution], viewer: Any, now: datetime, *, with_sums: bool
) -> list[DistributionCard]:
    """
    The cards of distributions with their charges, with what was credited, in two more queries.

    :param with_sums: for the owner and staff; without, what `viewer` gets of each
    """
    campaigns = campaign_cards({one.campaign_id for one in rows}, now)
    parts = Return.objects.filter(distribution__in=[one.pk for one in rows])
    parts = parts.filter(credited_at__isnull=False) if with_sums else parts.filter(investor_id=viewer.pk)
    sums = dict(parts.values_list("distribution").annotate(Sum("amount_minor")).order_by())
    return [
        DistributionCard.of(
            one,
            campaigns[one.campaign_id],
            with_sums=with_sums,
            minor=int(sums.get(one.pk, 0)) if with_sums or one.split_at else None,
        )
        for one in rows
    ]


def portfolio_totals(person: Any) -> list[PortfolioTotal]:
    """
    Per currency: what is in campaigns, what is on its way in, what came back as returns, what was refunded.

    Returns count when they were credited, whether they were paid out since or not.
    """
    rows = (
        investments_of(person)
        .values("currency")
        .order_by("currency")
        .annotate(
            invested=Sum(HELD_OF_PAYMENT, filter=Q(status__in=HOLDING), default=0),
            pending=Sum("amount_minor", filter=Q(status__in=UNDER_WAY), default=0),
            refunded=Sum("payment__refunded_minor", default=0),
        )
    )
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_PORTFOLIO, 0))
    for row in rows:
        sums[row["currency"]].update({name: int(row[name]) for name in ("invested", "pending", "refunded")})
    for currency, minor in _returned(person).items():
        sums[currency]["returned"] = minor
    return [
        PortfolioTotal(currency=currency, **{name: minor_text(minor, currency) for name, minor in amounts.items()})
        for currency, amounts in sorted(sums.items())
    ]


_PORTFOLIO = ("invested", "pending", "returned", "refunded")


def investor_profile(person: User, *, now: datetime) -> InvestorProfileOutput:
    """A person's own profile. The loss simulation is made of the newest figures in the currency of the rules for it."""
    newest = InvestorDeclaration.objects.filter(person=person).order_by("-created_at", "-id")
    declaration = newest.first()
    figures = declaration.open() if declaration else None
    tried = KnowledgeTry.objects.filter(person=person).order_by("-created_at", "-id").first()
    european = _rules_today(Rules.EU_ECSPR, now)
    simulated = newest.filter(currency=european.currency).first()
    simulated_figures = simulated.open() if simulated else None
    own_texts = Acknowledgement.objects.filter(person=person)
    acknowledged = own_texts.order_by("text_id", "-created_at", "-id").distinct("text_id")
    return InvestorProfileOutput(
        annual_income=minor_text(figures.annual_income, figures.currency) if figures else None,
        net_worth=minor_text(figures.net_worth, figures.currency) if figures else None,
        invested_elsewhere=minor_text(figures.invested_elsewhere, figures.currency) if figures else None,
        currency=figures.currency if figures else None,
        declared_at=declaration.created_at if declaration and figures else None,
        knowledge_test=KnowledgeTestCard(
            passed=tried.passed,
            score=tried.score,
            pass_score=tried.pass_percent,
            taken_at=tried.created_at,
            valid_until=european["knowledge_test"].after(tried.created_at, PLACE),
        )
        if tried
        else None,
        loss_simulation=LossSimulationCard(
            amount=minor_text(loss_simulation(simulated_figures, european), european.currency),
            currency=european.currency,
            valid_until=european["loss_simulation"].after(simulated.created_at, PLACE),
        )
        if simulated and simulated_figures
        else None,
        acknowledgements=[
            AcknowledgedText(id=one.text_id, version=one.version, sha256=one.sha256, acknowledged_at=one.created_at)
            for one in acknowledged
        ],
        texts=[
            TextCard(
                id=text.id,
                version=text.version,
                sha256=text.sha256,
                rules=text.rules,
                source=text.source,
                text=text.text,
            )
            for text in current_texts().values()
        ],
        questions=[
            QuestionCard(
                id=question.id,
                text=question.text,
                options=[OptionCard(id=option.id, text=option.text) for option in question.options],
            )
            for question in knowledge_test().questions
        ],
    )


def investor_limits(person: User, *, now: datetime) -> list[LimitCard]:
    """What a person may invest under each rule set that limits or warns, as the rules of today say."""
    american, european = _rules_today(Rules.US_REG_CF, now), _rules_today(Rules.EU_ECSPR, now)
    return [
        _american_limit(investor_facts(person, american, now=now), american, now),
        _european_limit(investor_facts(person, european, now=now), european, now),
    ]


def _american_limit(facts: Facts, rules: RuleSet, now: datetime) -> LimitCard:
    used = sum(minor for _, minor in counted_at(facts, rules, now))
    limit: int | None = None
    because = _("You are accredited: these rules set no limit.")
    if facts.protected and facts.figures is None:
        limit, because = 0, _("Declare your annual income and net worth in this currency first.")
    elif facts.protected and facts.figures is not None:
        used += facts.figures.invested_elsewhere
        limit, rule = investor_limit(facts.figures, rules)
        because = rules[rule].text
    return LimitCard(
        rules=rules.name,
        limit=None if limit is None else minor_text(limit, rules.currency),
        used=minor_text(used, rules.currency),
        remaining=None if limit is None else minor_text(max(0, limit - used), rules.currency),
        currency=rules.currency,
        because=because,
        window_starts_at=rules["investor_limit_window"].before(now, PLACE),
    )


def _european_limit(facts: Facts, rules: RuleSet, now: datetime) -> LimitCard:
    window_starts_at = add_months(now, -12, PLACE)
    if not facts.protected:
        because = _("You are a sophisticated investor: these rules set no limit.")
    elif facts.figures is None:
        because = _("These rules set no limit. Declare your net worth in this currency before you invest.")
    else:
        above = Money(warning_threshold(facts.figures, rules), rules.currency)
        because = _("These rules set no limit. Above %(amount)s you are warned and consent to each investment.") % {
            "amount": above
        }
    return LimitCard(
        rules=rules.name,
        limit=None,
        used=minor_text(sum(one.minor for one in facts.counted if one.placed_at >= window_starts_at), rules.currency),
        remaining=None,
        currency=rules.currency,
        because=because,
        window_starts_at=window_starts_at,
    )


def _rules_today(name: Rules, now: datetime) -> RuleSet:
    return rule_set(name, version_on(name, now.date()))


def settlement_page(settlement: Settlement) -> SettlementOutput:
    """With where it goes: the target of its last payment once it is paid, before that the present one."""
    case = read_case(settlement)
    target, because = case.target, settlement.because
    if settlement.status in (Settlement.Status.PAYING, Settlement.Status.PAID):
        payment = settlement.payments.select_related("target__method").order_by("-attempt").first()
        target = payment.target if payment else None
    elif settlement.status == Settlement.Status.WAITING_FOR_TARGET:
        because = case.waits_for_target or because
    return SettlementOutput.of(settlement, target, because)
