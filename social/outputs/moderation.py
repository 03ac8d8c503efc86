"""Reports as their reporters see them, and decisions as those whom they are about do."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from accounts.reportable import TargetType
from core.api.outputs import Moment, Output
from social.models import Appeal, Case, Decision, Report
from social.models.moderation import Action, ReportReason, Rule


class ReportStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class SanctionAction(StrEnum):
    WARN = "warn"
    HIDE = "hide"
    FREEZE = "freeze"
    SUSPEND = "suspend"


class SanctionState(StrEnum):
    IN_FORCE = "in_force"
    OVER = "over"
    UNDONE = "undone"


class ReportOutput(Output):
    id: UUID
    target_type: TargetType
    target_id: UUID
    reason: ReportReason
    status: Annotated[ReportStatus, Meta(description="`closed` once a moderator has looked at it.")]
    created_at: Moment

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            id=report.pk,
            target_type=TargetType(report.case.target_type),
            target_id=report.case.target_id,
            reason=ReportReason(report.reason),
            status=ReportStatus.CLOSED if report.case.closed_at else ReportStatus.OPEN,
            created_at=report.created_at,
        )


class SanctionTarget(Output):
    """What a decision is about."""

    type: TargetType
    id: UUID
    excerpt: Annotated[str, Meta(description="Its first words, or its name, as they were when it was reported.")]

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(type=TargetType(case.target_type), id=case.target_id, excerpt=case.excerpt)


class AppealOutput(Output):
    id: UUID
    text: str
    status: Appeal.Status
    answer: Annotated[str | None, Meta(description="What the moderator who judged it wrote.")]
    created_at: Moment
    judged_at: Moment | None

    @classmethod
    def of(cls, appeal: Appeal) -> Self:
        return cls(
            id=appeal.pk,
            text=appeal.text,
            status=Appeal.Status(appeal.status),
            answer=appeal.answer or None,
            created_at=appeal.created_at,
            judged_at=appeal.judged_at,
        )


class SanctionOutput(Output):
    """What moderators decided about something of mine."""

    id: UUID
    action: SanctionAction
    target: SanctionTarget
    reason: Annotated[Rule, Meta(description="The rule that it applies.")]
    words: Annotated[str | None, Meta(description="What the moderator wrote to me.")]
    until: Annotated[Moment | None, Meta(description="When a freeze or a suspension ends by itself.")]
    state: SanctionState
    appealable: bool
    appealable_until: Moment
    appeal: AppealOutput | None
    created_at: Moment

    @classmethod
    def of(cls, decision: Decision, now: datetime) -> Self:
        """From a row of `selectors.sanctions`."""
        appeal: Appeal | None = getattr(decision, "appeal", None)
        is_undone = getattr(decision, "undone_by", None) is not None
        over = SanctionState.OVER if decision.is_over_at(now) else SanctionState.IN_FORCE
        return cls(
            id=decision.pk,
            action=SanctionAction(Action(decision.action).value),
            target=SanctionTarget.of(decision.case),
            reason=Rule(decision.rule),
            words=decision.words or None,
            until=decision.until,
            state=SanctionState.UNDONE if is_undone else over,
            appealable=appeal is None and not is_undone and decision.appealable_until > now,
            appealable_until=decision.appealable_until,
            appeal=AppealOutput.of(appeal) if appeal is not None else None,
            created_at=decision.created_at,
        )
