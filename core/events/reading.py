"""Reading what was recorded: the timeline of a subject, and which kinds are lines of the audit log."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import models

from core.events.kinds import all_kinds, decode, kind_of
from core.models import Event


def timeline(subject: models.Model) -> models.QuerySet[Event]:
    """What happened to something, in order; only kinds that are declared for its timeline."""
    return _events_of(subject._meta.label_lower).filter(subject_id=subject.pk).order_by("id")


def timelines(model: type[models.Model], ids: Iterable[UUID]) -> dict[UUID, list[Event]]:
    """The timelines of many, by id, in one statement."""
    found: dict[UUID, list[Event]] = defaultdict(list)
    for event in _events_of(model._meta.label_lower).filter(subject_id__in=list(ids)).order_by("id"):
        assert event.subject_id is not None
        found[event.subject_id].append(event)
    return found


def timeline_kinds() -> list[str]:
    """The names of the kinds that are declared for the timeline of their subject."""
    return [kind.name for kind in all_kinds() if kind.timeline]


def facts_of(event: Any) -> dict[str, Any]:
    """An event's facts in their types; of an `Event`, or of whatever has its `kind` and `facts`."""
    return decode(event.facts, kind_of(event.kind).facts)


def audit_log() -> models.QuerySet[Event]:
    """Everything that is a line of the audit log."""
    return Event.objects.exclude(kind__in=[kind.name for kind in all_kinds() if not kind.audit])


def audit_lines_about(person_id: UUID, most: int) -> list[Event]:
    """The newest lines of the audit log that a person has caused, or that are about their account."""
    log = audit_log().order_by("-id")
    caused, about = log.filter(actor_id=person_id)[:most], log.filter(subject_id=person_id)[:most]
    found = {event.pk: event for event in (*caused, *about)}
    return [found[key] for key in sorted(found, reverse=True)][:most]


def _events_of(subject_type: str) -> models.QuerySet[Event]:
    return Event.objects.filter(subject_type=subject_type, kind__in=timeline_kinds())
