"""Reporting something, and holding back what several trusted people report."""

from datetime import datetime
from math import log10
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.reportable import TARGETS, fingerprint
from core import events
from core.data.locks import lock
from core.data.transactions import retrying
from social.errors import OwnThing
from social.models import Case, Report
from social.models.moderation import Action, ReportReason
from social.services.trust import is_trusted, trusted_reporters
from uploads.services import hold_files

MAX_VERSIONS = 10
"""So many different versions of a thing are kept in a case: the first, and the latest ones."""
GRAVITY = {ReportReason.FRAUD: 30, ReportReason.ABUSE: 20, ReportReason.SPAM: 10, ReportReason.OTHER: 10}
FOR_A_TRUSTED_REPORTER, FOR_A_REPORT, MAX_COUNTED = 15, 3, 20


@retrying
def report(
    *, reporter: Any, target_type: str, target_id: UUID, reason: str, details: str = "", now: datetime
) -> tuple[Report, bool]:
    """
    Tell moderators that something breaks a rule.

    :returns: the report, and whether it is new: reporting again while the case is open changes nothing
    :raises NotFound: no such thing that the reporter may see
    :raises OwnThing: it is their own
    """
    target = TARGETS[target_type]
    thing = target.find(reporter, target_id, now)
    person_id = target.person_id(thing)
    if person_id == reporter.pk:
        raise OwnThing(field="targetId")
    case = _open_case(target_type, target_id, person_id, now)
    thing = target.find(reporter, target_id, now)  # as it is now: it may have been hidden while this waited
    earlier = case.reports.filter(reporter=reporter).first()
    if earlier is not None:
        return earlier, False
    made = Report.objects.create(
        case=case,
        reporter=reporter,
        reason=reason,
        details=details,
        is_trusted=is_trusted(reporter, now),
        created_at=now,
    )
    _keep_version(case, target.describe(thing), target.lines_before(thing, reporter), now)
    case.report_count += 1
    case.trusted_count = trusted_reporters(case)
    case.severity = _severity(case, target.reach(thing))
    case.revision += 1
    case.save(update_fields=["versions", "report_count", "trusted_count", "severity", "revision"])
    _hold_if_many(case, now)
    return made, True


def _open_case(target_type: str, target_id: UUID, person_id: UUID | None, now: datetime) -> Case:
    """The open case of a thing, made if there is none; locked."""
    while True:
        new = Case(target_type=target_type, target_id=target_id, person_id=person_id, created_at=now)
        Case.objects.bulk_create([new], ignore_conflicts=True)
        found = Case.objects.filter(target_type=target_type, target_id=target_id, closed_at__isnull=True)
        case = lock(found).first()
        if case is not None:  # else it was closed while this waited for it
            return case


def _keep_version(case: Case, description: dict[str, Any], before: list[dict[str, Any]], now: datetime) -> None:
    """Its words in the case, and its pictures in the store, whatever becomes of the thing."""
    if case.versions and _words_of(case) == fingerprint(description):
        return
    case.versions = [*case.versions, {"at": now.isoformat(), "before": before, **description}]
    case.versions = [*case.versions[:1], *case.versions[1:][-(MAX_VERSIONS - 1) :]]
    hold_files([UUID(picture["id"]) for picture in description["pictures"]], holder_id=case.pk, now=now)


def _severity(case: Case, reach: int) -> int:
    reasons = set(case.reports.values_list("reason", flat=True).distinct())
    gravity = max(GRAVITY[ReportReason(reason)] for reason in reasons)
    reporters = case.trusted_count * FOR_A_TRUSTED_REPORTER + min(case.report_count, MAX_COUNTED) * FOR_A_REPORT
    return gravity + reporters + round(5 * log10(1 + reach))


def _hold_if_many(case: Case, now: datetime) -> None:
    """What a moderator has looked at and left alone is not held again, unless it was edited since."""
    enough = settings.MODERATION_HOLD_AFTER
    target = TARGETS[case.target_type]
    if not enough or case.trusted_count < enough or case.held_at or not target.can_be_held:
        return
    thing = target.lock(case.target_id)
    if thing is None or target.is_hidden(thing) or _was_dismissed(case):
        return
    target.set_held(thing, now, now)
    case.held_at = now
    case.save(update_fields=["held_at"])
    about = {"target_type": case.target_type, "target_id": case.target_id}
    words = {"excerpt": case.excerpt}
    events.record("moderation.held", case, actor=None, now=now, person_id=case.person_id, **about, **words)


def _was_dismissed(case: Case) -> bool:
    before = Case.objects.filter(target_type=case.target_type, target_id=case.target_id, closed_at__isnull=False)
    last = before.filter(decisions__action=Action.DISMISS).order_by("-pk").first()
    return last is not None and _words_of(last) == _words_of(case)


def _words_of(case: Case) -> str:
    """The fingerprint of the newest version that was reported."""
    return fingerprint(described(case.versions[-1]))


def described(version: dict[str, Any]) -> dict[str, Any]:
    """What `Target.describe` gave when this version was kept."""
    return {name: value for name, value in version.items() if name not in ("at", "before")}
