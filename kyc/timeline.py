"""A case's history in words, for the review screen. Several views by one person within minutes are one line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import User
from kyc.models import CaseEvent

TOGETHER = timedelta(minutes=15)
LABELS = {
    "started": gettext_lazy("started the verification"),
    "paper_sent": gettext_lazy("sent"),
    "submitted": gettext_lazy("Complete, handed to the reviewers"),
    "taken": gettext_lazy("took the case"),
    "released": gettext_lazy("put the case back"),
    "paper_viewed": gettext_lazy("looked at"),
    "paper_verified": gettext_lazy("verified"),
    "paper_rejected": gettext_lazy("rejected"),
    "proposed": gettext_lazy("proposed to verify"),
    "proposal_dropped": gettext_lazy("Proposal dropped: the evidence had changed"),
    "case_verified": gettext_lazy("verified the person"),
    "case_rejected": gettext_lazy("rejected the case"),
    "case_resubmit": gettext_lazy("asked to resubmit"),
    "expired": gettext_lazy("Expired without papers"),
}
TONES = {
    "case_verified": "good",
    "paper_verified": "good",
    "case_rejected": "bad",
    "paper_rejected": "bad",
    "case_resubmit": "warn",
    "proposed": "info",
    "proposal_dropped": "warn",
    "paper_viewed": "faint",
    "taken": "faint",
    "released": "faint",
}
_JOINED = ("paper_viewed", "paper_sent")
_IMPERSONAL = ("submitted", "proposal_dropped", "expired")


@dataclass(slots=True)
class Line:
    at: datetime
    who: str
    what: str
    tone: str
    words: dict[str, str]
    things: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return f"{self.what} {', '.join(self.things)}" if self.things else self.what


def timeline(events: Iterable[CaseEvent]) -> list[Line]:
    """:param events: newest first"""
    lines: list[Line] = []
    joinable: dict[tuple[Any, ...], Line] = {}
    for event in events:
        thing = event.document.get_kind_display().lower() if event.document else ""
        key = (event.action, event.actor_id, tuple(sorted(event.words.items())))
        before = joinable.get(key)
        if before and before.at - event.created_at < TOGETHER:
            if thing not in before.things:
                before.things.insert(0, thing)
            continue
        line = Line(
            at=event.created_at,
            who="" if event.action in _IMPERSONAL else _name(event.actor),
            what=str(LABELS.get(event.action, event.action)),
            tone=TONES.get(event.action, ""),
            words=event.words,
            things=[thing] if thing else [],
        )
        lines.append(line)
        if event.action in _JOINED:
            joinable[key] = line
    return lines


def _name(actor: User | None) -> str:
    return actor.name if actor else _("The clock")


def age_text(age: timedelta) -> str:
    """How long, in one unit: `5 min`, `30 h`, `3 days`."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s days") % {"n": minutes // (24 * 60)}
