"""For moderators: take a case, decide it, undo a decision. The record is `Decision`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from accounts.access import lock_people
from accounts.appeal_tokens import MAILED_LIFETIME, appeal_token
from accounts.models import Status, User
from accounts.reportable import TARGETS, fingerprint
from accounts.services import administration
from core import events
from core.api.errors import NotFound
from core.data.locks import lock
from core.data.transactions import retrying
from social.errors import ActionNotPossible, AlreadyUndone, CaseAboutYou, CaseChanged, CaseClaimed, CaseDecided
from social.models import Case, Decision, Report
from social.models.moderation import LEASE, SANCTIONS, TIMED, Action


@dataclass(frozen=True)
class Seen:
    """What a moderator has in front of them when they decide: how far the case was, and what the thing said."""

    revision: int
    reports: int
    words: str
    """The fingerprint of the thing, as it is now."""

    @classmethod
    def of(cls, case: Case) -> "Seen":
        target = TARGETS[case.target_type]
        thing = target.lock(case.target_id)
        return cls(case.revision, case.report_count, fingerprint(target.describe(thing) if thing is not None else None))

    @classmethod
    def read(cls, text: str) -> "Seen":
        """From `str(seen)`, as it came back with a form; of anything else nothing was seen."""
        parts = text.split("-")
        if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 9 for part in parts[:2]):
            return cls(-1, 0, "")
        return cls(int(parts[0]), int(parts[1]), parts[2])

    def __str__(self) -> str:
        return f"{self.revision}-{self.reports}-{self.words}"


@retrying
def open_case(*, moderator: Any, case_id: UUID, now: datetime, take_over: bool = False) -> tuple[Case, Seen]:
    """
    A case as it is now. It is the moderator's for ten minutes if nobody else has it.

    :param take_over: even if somebody else has it
    :raises NotFound: :raises CaseAboutYou: it is about the moderator
    """
    case = _lock_case(case_id)
    _refuse_own(moderator, case)
    holder = case.holder_at(now)
    if case.closed_at is None and (take_over or holder is None or holder == moderator):
        case.claimed_by, case.claimed_until = moderator, now + LEASE
        case.save(update_fields=["claimed_by", "claimed_until"])
        if take_over and holder not in (None, moderator):
            events.record("moderation.case_taken_over", case, actor=moderator, now=now, taken_from=holder.pk)
    return case, Seen.of(case)


@retrying
def put_back(*, moderator: Any, case_id: UUID) -> None:
    """Leave a case to others. One that is somebody else's is left alone."""
    case = _lock_case(case_id)
    if case.claimed_by_id == moderator.pk:
        case.claimed_by = case.claimed_until = None
        case.save(update_fields=["claimed_by", "claimed_until"])


@retrying
def decide(
    *,
    moderator: Any,
    case_id: UUID,
    seen: Seen,
    action: str,
    now: datetime,
    rule: str = "",
    words: str = "",
    note: str = "",
    length: timedelta | None = None,
    hides: bool = False,
) -> Decision:
    """
    Decide an open case, and close it unless only a note is added.

    :param seen: what `open_case` gave when the moderator looked
    :param words: to the person
    :param note: for staff
    :param length: of a freeze or a suspension
    :param hides: a warning, a freeze or a suspension that hides the thing too
    :raises NotFound: :raises CaseAboutYou: it is about the moderator
    :raises CaseDecided: :raises CaseClaimed: by somebody else
    :raises CaseChanged: reports came, or the thing was edited, since it was looked at
    :raises ActionNotPossible: nobody to warn, nothing to hide
    :raises SuspensionNotYours: to freeze or suspend staff takes an admin
    """
    case, person = _lock_with_person(case_id)
    _refuse_own(moderator, case)
    if case.closed_at is not None:
        raise CaseDecided()
    holder = case.holder_at(now)
    if holder not in (None, moderator):
        raise CaseClaimed(name=holder.name)
    present = Seen.of(case)
    if present != seen:
        raise CaseChanged(what=_difference(seen, present))
    until = now + length if action in TIMED and length else None
    taken = Decision(
        case=case, person=person, action=action, rule=rule, words=words, note=note, until=until, decided_by=moderator
    )
    also = [Action.HIDE] if hides and action in (Action.WARN, *TIMED) else []
    for each in (*also, action):
        _check_possible(case, person, each, moderator)
    for each in also:
        hidden = Decision(case=case, person=person, action=each, rule=rule, words=words, decided_by=moderator)
        _carry_out(hidden, now, tells=False)
    _carry_out(taken, now, hides=bool(also))
    case.revision += 1
    if action != Action.NOTE:
        _close(case, action, now)
    case.save()
    return taken


def _carry_out(decision: Decision, now: datetime, *, tells: bool = True, hides: bool = False) -> None:
    """
    :param tells: whether the person is told of it
    :param hides: whether what they are told is that the thing was hidden, too
    """
    decision.created_at = now
    decision.save(force_insert=True)
    case, person = decision.case, decision.person
    if decision.action == Action.HIDE:
        target = TARGETS[case.target_type]
        target.set_hidden(target.lock(case.target_id), now, now)
    elif decision.action in TIMED:
        assert person is not None
        _set_times(person, decision.decided_by, now, decision.get_rule_display())
    record_decision(decision, now, tells=tells and decision.action in SANCTIONS, hides=hides)


def _close(case: Case, action: str, now: datetime) -> None:
    case.closed_at, case.claimed_by, case.claimed_until = now, None, None
    if case.held_at is not None:
        _release(case, now)
    outcome = Report.Outcome.DISMISSED if action == Action.DISMISS else Report.Outcome.UPHELD
    case.reports.update(outcome=outcome)


def _release(case: Case, now: datetime) -> None:
    case.held_at = None
    target = TARGETS[case.target_type]
    thing = target.lock(case.target_id)
    if thing is not None:
        target.set_held(thing, None, now)


@retrying
def undo(*, moderator: Any, decision_id: UUID, now: datetime, words: str = "", note: str = "") -> Decision:
    """
    Take a decision back, with what it did. A case that was decided by it alone waits for a decision again.

    :raises NotFound: :raises CaseAboutYou: it is about the moderator
    :raises AlreadyUndone:
    :raises ActionNotPossible: notes, and what undoes another
    """
    found = Decision.objects.filter(pk=decision_id).values_list("case_id", flat=True).first()
    if found is None:
        raise NotFound()
    case, person = _lock_with_person(found)
    _refuse_own(moderator, case)
    decision = case.decisions.get(pk=decision_id)
    taken_back = take_back(decision, case, person, moderator=moderator, now=now, words=words, note=note)
    if not case.decisions.standing().exclude(action__in=(Action.NOTE, Action.UNDO)).exists():
        _reopen(case)
    return taken_back


def take_back(
    decision: Decision,
    case: Case,
    person: Any,
    *,
    moderator: Any,
    now: datetime,
    words: str = "",
    note: str = "",
    tells: bool = True,
) -> Decision:
    """
    The same in the caller's transaction, which has locked the person and the case; the case stays as it is.

    :param tells: whether the person is told of it
    """
    if decision.action not in (*SANCTIONS, Action.DISMISS):
        raise ActionNotPossible()
    if Decision.objects.filter(undoes=decision).exists():
        raise AlreadyUndone()
    taken_back = Decision.objects.create(
        case=case,
        person=person,
        action=Action.UNDO,
        words=words,
        note=note,
        undoes=decision,
        decided_by=moderator,
        created_at=now,
    )
    if decision.action == Action.HIDE and not _standing_about(case).filter(action=Action.HIDE).exists():
        target = TARGETS[case.target_type]
        thing = target.lock(case.target_id)
        if thing is not None:
            target.set_hidden(thing, None, now)
    elif decision.action in TIMED and person is not None:
        _set_times(person, moderator, now)
    case.revision += 1
    case.save(update_fields=["revision"])
    record_decision(taken_back, now, tells=tells and decision.action in SANCTIONS)
    return taken_back


def _reopen(case: Case) -> None:
    """Not while later reports have a case of their own."""
    later = Case.objects.filter(target_type=case.target_type, target_id=case.target_id, closed_at__isnull=True)
    if not later.exists():
        case.closed_at = None
        case.save(update_fields=["closed_at"])
        case.reports.update(outcome="")


def _standing_about(case: Case) -> Any:
    return Decision.objects.standing().filter(case__target_type=case.target_type, case__target_id=case.target_id)


def _set_times(person: User, by: Any, now: datetime, because: Any = "") -> None:
    """A person is frozen and suspended until the last of the decisions that stand."""
    standing = Decision.objects.standing().filter(person=person, until__gt=now)
    ends = dict(standing.order_by().values_list("action").annotate(end=Max("until")))
    if person.frozen_until != ends.get(Action.FREEZE):
        administration.set_frozen(user=person, until=ends.get(Action.FREEZE))
    suspended_until, present = ends.get(Action.SUSPEND), person.suspended_until
    if suspended_until is not None and (present is None or present < suspended_until):
        if person.status != Status.SUSPENDED or present is not None:  # one without an end is not touched
            administration.suspend(user_id=person.pk, reason=str(because), by=by, until=suspended_until, now=now)
    else:
        administration.shorten_suspension(user=person, until=suspended_until, by=by, now=now)


def _check_possible(case: Case, person: Any, action: str, moderator: Any) -> None:
    target = TARGETS[case.target_type]
    if action in SANCTIONS and (person is None or person.status == Status.DELETED):
        raise ActionNotPossible()
    if action == Action.HIDE and (not target.can_be_hidden or target.lock(case.target_id) is None):
        raise ActionNotPossible()
    if action in TIMED:
        administration.check_suspender(person, moderator)


def _lock_case(case_id: UUID) -> Case:
    """:raises NotFound:"""
    case = lock(Case.objects.filter(pk=case_id)).first()
    if case is None:
        raise NotFound()
    return case


def _lock_with_person(case_id: UUID) -> tuple[Case, Any]:
    """A case and whom it is about, both locked; the person comes first in the order of locks."""
    about = Case.objects.filter(pk=case_id).values_list("person_id", flat=True).first()
    people = lock_people(about) if about else {}
    return _lock_case(case_id), people.get(about) if about else None


def lock_for_appeal(decision_id: UUID) -> tuple[Decision, Case, Any]:
    """:raises NotFound:"""
    found = Decision.objects.filter(pk=decision_id).values_list("case_id", flat=True).first()
    if found is None:
        raise NotFound()
    case, person = _lock_with_person(found)
    return case.decisions.get(pk=decision_id), case, person


def _refuse_own(moderator: Any, case: Case) -> None:
    if case.person_id == moderator.pk:
        raise CaseAboutYou()


def _difference(seen: Seen, present: Seen) -> str:
    more = present.reports - seen.reports
    changes = [ngettext("%(n)s more report", "%(n)s more reports", more) % {"n": more}] if more else []
    if present.words != seen.words:
        changes.append(_("what was reported was edited or deleted"))
    return ", ".join(changes) or _("a moderator added to it")


def record_decision(decision: Decision, now: datetime, *, tells: bool, hides: bool = False) -> None:
    """The line in the audit log, from which the word to the person follows."""
    case = decision.case
    events.record(
        f"moderation.{_EVENTS[Action(decision.action)]}",
        decision,
        actor=decision.decided_by,
        now=now,
        person_id=decision.person_id,
        target_type=case.target_type,
        target_id=case.target_id,
        tells=tells,
        excerpt=case.excerpt,
        words=decision.words,
        **_facts(decision, hides, now),
    )


def _facts(decision: Decision, hides: bool, now: datetime) -> dict[str, Any]:
    """What a sanction says besides what every decision does."""
    if decision.action not in SANCTIONS:
        return {}
    why = {"rule": decision.rule, "hides": hides}
    if decision.until is None:
        return why
    times = {"until": decision.until, "moment": f"{date_format(decision.until, 'j F Y, H:i')} UTC"}
    if decision.action == Action.SUSPEND and decision.person_id:
        times["appeal_token"] = appeal_token(decision.person_id, now, MAILED_LIFETIME)
    return {**why, **times}


_EVENTS = {
    Action.DISMISS: "dismissed",
    Action.NOTE: "noted",
    Action.WARN: "warned",
    Action.HIDE: "hidden",
    Action.FREEZE: "frozen",
    Action.SUSPEND: "suspended",
    Action.UNDO: "undone",
}
