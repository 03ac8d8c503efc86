"""Events of investments and payment methods, with their notices."""

from typing import Any
from uuid import UUID

from campaigns.models import Campaign
from core.events import Kind, declare
from core.money import Money
from investments.models import (
    Acknowledgement,
    Correction,
    Distribution,
    Investment,
    InvestorDeclaration,
    KnowledgeTry,
    PaymentMethod,
    PayoutTarget,
    RiskCase,
    Settlement,
    WaitingEntry,
)
from notifications.effects import Category, Notice
from notifications.messages import Message


def _notice(message: str, *, sms: bool = True) -> Notice:
    """A notice to the investor."""
    facts = ("investment_id", "campaign_id", "campaign_title", "amount")
    path = "/investments/{investment_id}"
    return Notice(Message(message, Category.INVESTMENTS, facts, sms=sms, path=path), to="investor_id")


def _step(name: str, *effects: Notice, audit: bool = True, sealed: dict[str, Any] | None = None, **facts: Any) -> Kind:
    """An entry in an investment's timeline: the amount it is about, and perhaps a reason code."""
    if effects:
        facts |= {"campaign_id": UUID, "investor_id": UUID}
        sealed = {"campaign_title": str, **(sealed or {})}
    return Kind(
        f"investment.{name}",
        about=Investment,
        facts={"amount": Money, **facts},
        sealed=sealed or {},
        audit=audit,
        timeline=True,
        effects=effects,
    )


def _told(name: str, *, sms: bool = False) -> Kind:
    """What becomes of somebody's entry in a waiting list without their doing."""
    facts = ("campaign_id", "campaign_title", "amount")
    path = "/campaigns/{campaign_id}"
    message = Message(f"waiting_list_{name}", Category.INVESTMENTS, facts, sms=sms, path=path)
    return Kind(
        f"waiting_list.{name}",
        about=WaitingEntry,
        facts={"amount": Money, "campaign_id": UUID, "investor_id": UUID},
        sealed={"campaign_title": str},
        audit=False,
        effects=[Notice(message, to="investor_id")],
    )


NEW_BACKER = Notice(
    Message(
        "new_backer",
        Category.CAMPAIGNS,
        ("campaign_id", "campaign_title", "backer_name", "amount"),
        path="/campaigns/{campaign_id}",
    ),
    to="owner_id",
)


def _distribution(name: str, *effects: Notice, sealed: dict[str, Any] | None = None, **facts: Any) -> Kind:
    """What became of a distribution; notices go to its owner."""
    facts = {"amount": Money, "campaign_id": UUID, **facts}
    if sealed is None:
        facts, sealed = {**facts, "owner_id": UUID}, {"campaign_title": str}
    return Kind(f"distribution.{name}", about=Distribution, facts=facts, sealed=sealed, timeline=True, effects=effects)


def _disputed(name: str) -> Kind:
    """What a bank has done about a payment: its investor, the campaign's owner and staff are told."""
    facts = ("investment_id", "campaign_id", "campaign_title", "amount")
    to_owner = Message(f"backer_{name}", Category.CAMPAIGNS, facts, path="/campaigns/{campaign_id}")
    to_staff = Message(f"staff_{name}", Category.INVESTMENTS, facts, path="/campaigns/{campaign_id}")
    return _step(
        name,
        _notice(f"investment_{name}", sms=False),
        Notice(to_owner, to="owner_id"),
        Notice(to_staff, to="staff_ids"),
        reason=str,
        dispute_id=UUID,
        owner_id=UUID,
        staff_ids=list[UUID],
    )


def _disputed_distribution(name: str) -> Kind:
    facts = ("distribution_id", "campaign_id", "campaign_title", "amount")
    to_staff = Message(f"staff_distribution_{name}", Category.INVESTMENTS, facts, path="/campaigns/{campaign_id}")
    return _distribution(
        name,
        _to_owner(f"distribution_{name}"),
        Notice(to_staff, to="staff_ids"),
        reason=str,
        dispute_id=UUID,
        staff_ids=list[UUID],
    )


def _to_owner(message: str, *more: str) -> Notice:
    facts = ("distribution_id", "campaign_id", "campaign_title", "amount", *more)
    return Notice(Message(message, Category.CAMPAIGNS, facts, path="/campaigns/{campaign_id}"), to="owner_id")


def _target(name: str, *more: str, **facts: Any) -> Kind:
    """What becomes of where somebody's money goes: always mailed (SECURITY-GOALS 30)."""
    notice = Notice(Message(f"payout_target_{name}", facts=("ending", *more)), to="user_id")
    return Kind(
        f"payout_target.{name}",
        about=PayoutTarget,
        facts={"user_id": UUID, "ending": str, **facts},
        effects=[notice],
    )


def _settlement(name: str, *more: str, told: str = "", only_if: str = "", sealed: Any = (), **facts: Any) -> Kind:
    """What becomes of what an owner is owed; notices go to the owner."""
    effects = []
    if told:
        words = ("settlement_id", "campaign_id", "campaign_title", "amount", *more)
        message = Message(told, Category.CAMPAIGNS, words, path="/campaigns/{campaign_id}")
        effects.append(Notice(message, to="owner_id", only_if=only_if))
    return Kind(
        f"settlement.{name}",
        about=Settlement,
        facts={"campaign_id": UUID, "owner_id": UUID, "amount": Money, **facts},
        sealed={"campaign_title": str, **dict(sealed)},
        timeline=True,
        effects=effects,
    )


def _of_risk(message: str, to: str, *facts: str) -> Notice:
    """A notice that is always mailed."""
    return Notice(Message(message, Category.SECURITY, facts), to=to)


declare(
    _step("placed", campaign_id=UUID),
    _step("requires_action", _notice("investment_requires_action"), audit=False),
    _step(
        "committed",
        _notice("investment_committed", sms=False),
        NEW_BACKER,
        owner_id=UUID,
        sealed={"backer_name": str},
    ),
    _step("failed", _notice("investment_failed"), reason=str),
    _step("withdrawal_requested", reason=str | None),
    _step("refund_requested", audit=False, reason=str),
    _step("awaiting_approval", reason=str),
    _step("approved", reason=str),
    Kind("investment.approval_given", about=Investment, facts={"amount": Money, "reason": str}),
    Kind("investment.staff_refund_proposed", about=Investment, facts={"amount": Money}),
    Kind("investment.staff_refund_rejected", about=Investment, facts={"amount": Money}),
    Kind("correction.proposed", about=Correction, facts={"original": str}),
    Kind("correction.booked", about=Correction, facts={"original": str}),
    Kind("correction.rejected", about=Correction, facts={"original": str}),
    _step("refunded", _notice("investment_refunded"), reason=str),
    _step("invested", _notice("investment_settled"), audit=False),
    _step("cancelled", reason=str),
    _step("reconfirmed"),
    Kind("waiting_list.joined", about=WaitingEntry, facts={"amount": Money, "campaign_id": UUID}),
    Kind("waiting_list.left", about=WaitingEntry, facts={"campaign_id": UUID}),
    _told("offered", sms=True),
    _told("expired"),
    _step("returned", _notice("investment_returned", sms=False), audit=False, reason=str),
    _step("payout_requested"),
    _step("paid_out", _notice("investment_paid_out", sms=False)),
    _step("payout_failed", _notice("investment_payout_failed", sms=False), reason=str),
    _disputed("disputed"),
    _disputed("dispute_won"),
    _disputed("dispute_lost"),
    _disputed_distribution("disputed"),
    _disputed_distribution("dispute_won"),
    _disputed_distribution("dispute_lost"),
    _distribution("proposed", sealed={}, distribution_kind=str),
    _distribution("paid_in"),
    _distribution("payment_failed", _to_owner("distribution_payment_failed"), reason=str),
    _distribution("approved", _to_owner("distribution_approved")),
    _distribution(
        "rejected",
        _to_owner("distribution_rejected", "reason"),
        owner_id=UUID,
        sealed={"campaign_title": str, "reason": str},
    ),
    _distribution("refunded"),
    _distribution("paid", _to_owner("distribution_paid", "holders"), holders=int),
    Kind("payment_method.added", about=PaymentMethod, facts={"type": str, "brand": str}),
    Kind("payment_method.removed", about=PaymentMethod),
    Kind(
        "risk_case.opened",
        about=RiskCase,
        facts={"person_id": UUID, "staff_ids": list[UUID], "rule": str, "count": int, "consequence": str},
        sealed={"method": str},
        effects=[
            _of_risk("payment_method_suspended", "person_id", "method", "consequence"),
            _of_risk("risk_case_opened", "staff_ids", "riskcase_id", "rule", "count"),
        ],
    ),
    Kind(
        "risk_case.decided",
        about=RiskCase,
        facts={"person_id": UUID, "consequence": str, "decision": str},
        sealed={"method": str},
        effects=[_of_risk("payment_method_reviewed", "person_id", "method", "consequence", "decision")],
    ),
    Kind("investor.profile_declared", about=InvestorDeclaration),
    Kind("investor.knowledge_tested", about=KnowledgeTry, facts={"passed": bool}),
    Kind("investor.text_acknowledged", about=Acknowledgement, facts={"text": str, "version": str}),
    _target("changed"),
    _target("removed"),
    _target("verified"),
    _target("rejected", reason=str),
    _settlement("opened", told="settlement_needs_target", only_if="needs_target", needs_target=bool),
    _settlement("approval_given"),
    _settlement("approved", told="settlement_approved"),
    _settlement("rejected", "reason", told="settlement_rejected", sealed={"reason": str}),
    _settlement("payment_began"),
    _settlement("payment_failed", told="settlement_failed", reason=str),
    _settlement("partly_paid", "remaining", told="settlement_partly_paid", remaining=Money),
    _settlement("paid", told="settlement_paid", only_if="was_anything", was_anything=bool),
    Kind("campaign.money_settled", about=Campaign, facts={"raised": Money}),
)
