"""Events of identity review and badges, with their notices."""

from typing import Any
from uuid import UUID

from accounts.models import User
from core.events import Kind, declare
from kyc.models import Verification
from notifications.effects import Category, Notice
from notifications.messages import Message

PERSON = {"user_id": UUID}
PAPER = {**PERSON, "document_id": UUID, "document_kind": str}


def _notice(name: str, *facts: str, sms: bool = True) -> list[Notice]:
    return [Notice(Message(name, Category.KYC, facts, sms=sms, path="/kyc"), to="user_id")]


def _case(action: str, facts: dict[str, Any], **more: Any) -> Kind:
    return Kind(f"kyc.{action}", about=Verification, facts={**PERSON, **facts}, timeline=True, **more)


def _decision(status: str) -> Kind:
    """The message to the person is theirs and not kept here."""
    notice = _notice(f"kyc_{status}", "message")
    return _case(f"case_{status}", {"revision": int}, sealed={"message": str | None}, effects=notice)


declare(
    _case("started", {"document_type": str, "attempt": int}),
    _case("paper_sent", {**PAPER, "replaces": bool}),
    _case("submitted", {}, effects=_notice("kyc_received", sms=False)),
    _case("taken", {"taken_from": UUID | None}),
    _case("released", {}),
    _case("paper_viewed", PAPER),
    _case("paper_verified", PAPER),
    _case("paper_rejected", PAPER),
    _case("proposed", {"revision": int}),
    _case("proposal_dropped", {"proposed": int | None, "now_at": int}),
    _decision("verified"),
    _decision("rejected"),
    _decision("resubmit"),
    _case("expired", {}),
    Kind("identity.verified", about=User),
    Kind("identity.lost", about=User),
    Kind("badge.given", about=User, facts={"badge": str}),
    Kind("badge.taken", about=User, facts={"badge": str}),
)
