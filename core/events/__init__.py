"""Business facts: recorded in one line, with everything that follows from them declared (docs/events.md)."""

from core.events.delivery import on
from core.events.kinds import Effect, Kind, Recorded, all_kinds, declare, kind_of
from core.events.reading import audit_lines_about, audit_log, facts_of, timeline, timeline_kinds, timelines
from core.events.recording import as_json, record, record_many, rows

__all__ = [
    "Effect",
    "Kind",
    "Recorded",
    "all_kinds",
    "as_json",
    "audit_lines_about",
    "audit_log",
    "declare",
    "facts_of",
    "kind_of",
    "on",
    "record",
    "record_many",
    "rows",
    "timeline",
    "timeline_kinds",
    "timelines",
]
