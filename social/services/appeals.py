"""Appeals against decisions: asked for by the person, judged by another moderator."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying
from social.errors import AlreadyAppealed, AppealJudged, CaseAboutYou, NotAppealable, OwnDecision
from social.models import Appeal, Decision, Report
from social.models.moderation import SANCTIONS
from social.services.decisions import lock_for_appeal, take_back

APPEALING = Limit("social:appeals", 20, timedelta(days=1))
"""Per person."""


@retrying
def appeal(*, person: Any, decision_id: UUID, text: str, now: datetime) -> Appeal:
    """
    Ask for a decision about oneself to be looked at again.

    :raises NotFound: no such decision about the person
    :raises AlreadyAppealed: :raises NotAppealable: it was undone, or thirty days have passed
    """
    if not Decision.objects.sanctions_of(person.pk).filter(pk=decision_id).exists():
        raise NotFound()
    decision, _, _ = lock_for_appeal(decision_id)
    if Appeal.objects.filter(decision=decision).exists():
        raise AlreadyAppealed()
    if decision.appealable_until <= now or Decision.objects.filter(undoes=decision).exists():
        raise NotAppealable()
    made = Appeal.objects.create(decision=decision, text=text, created_at=now)
    events.record("moderation.appealed", made, actor=person, now=now, person_id=person.pk)
    return made


@retrying
def judge_appeal(*, moderator: Any, appeal_id: UUID, overturn: bool, answer: str, now: datetime) -> Appeal:
    """
    Let a decision stand, or undo it with what it did; its reports were then wrong.

    :param answer: to the person
    :raises NotFound: :raises AppealJudged:
    :raises OwnDecision: the moderator took the decision :raises CaseAboutYou: it is about them
    """
    decision_id = Appeal.objects.filter(pk=appeal_id).values_list("decision_id", flat=True).first()
    if decision_id is None:
        raise NotFound()
    decision, case, person = lock_for_appeal(decision_id)
    judged = Appeal.objects.get(pk=appeal_id)
    if case.person_id == moderator.pk:
        raise CaseAboutYou()
    if decision.decided_by_id == moderator.pk:
        raise OwnDecision()
    if judged.status != Appeal.Status.OPEN:
        raise AppealJudged()
    judged.status = Appeal.Status.OVERTURNED if overturn else Appeal.Status.UPHELD
    judged.answer, judged.judged_by, judged.judged_at = answer, moderator, now
    judged.save()
    if overturn and not Decision.objects.filter(undoes=decision).exists():
        take_back(decision, case, person, moderator=moderator, now=now, words=answer, tells=False)
        if not case.decisions.standing().filter(action__in=SANCTIONS).exists():
            case.reports.update(outcome=Report.Outcome.DISMISSED)
    events.record(
        "moderation.appeal_overturned" if overturn else "moderation.appeal_upheld",
        judged,
        actor=moderator,
        now=now,
        person_id=decision.person_id,
        target_type=case.target_type,
        excerpt=case.excerpt,
        words=answer,
    )
    return judged
