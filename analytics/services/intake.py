"""
Taking events from clients: checking each one, whose it is, when it was, and writing what is good.

A bad event of a batch loses only itself. What is answered as stored is committed.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from analytics import errors
from analytics.event_types import EventType
from analytics.limits import AHEAD, LATEST
from analytics.models import Audience
from analytics.services import event_names
from analytics.services.personal_data import refuse_personal_data, refuse_text
from analytics.services.sources import Visit, read_visit
from analytics.services.visitors import Sender
from analytics.stores import Incoming, store
from campaigns.access import visible_to
from campaigns.models import PUBLIC
from core.api.errors import Invalid, ZoneRequired
from core.api.parsing import NumberLiteral
from core.data.ids import uuid7
from core.times import parse_moment

MAX_EVENTS = 1000
MAX_PROPERTIES = 50
MAX_PROPERTY_BYTES = 8192
MAX_ADDRESS = 2000
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,59}", re.ASCII)
_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class ClientEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """An event as clients send it. `null` means absent (API.md)."""

    event_type: str
    event_id: str | None = None
    at: str | None = None
    event_data: dict[str, Any] | None = None
    campaign_id: str | None = None
    subject_id: str | None = None
    page: str | None = None
    referrer: str | None = None


class Status(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    """It came before."""
    IGNORED = "ignored"
    """The sender asked not to be tracked, so nothing is kept."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event."""

    status: Status
    refusal: Invalid | None = None


def take_events(
    given: Sequence[Any], *, sender: Sender, person: Any, now: datetime, sent_at: datetime | None
) -> list[Result]:
    """
    Check events and write the good ones, in one statement.

    :param given: as they came, at most `MAX_EVENTS`
    :param person: who is signed in, or `core.api.principals.Anonymous`
    :param sent_at: the client's clock when it sent them; by it wrong clocks are corrected
    :returns: what became of each, in their order
    """
    if sender.is_private:
        return [Result(Status.IGNORED)] * len(given)
    skew = now - sent_at if sent_at is not None and abs(now - sent_at) > AHEAD else timedelta()
    read = [_attempt(event, now, skew) for event in given]
    owners = _owners_of({event.campaign_id for event in read if isinstance(event, Incoming)}, person)
    checked: list[Incoming | Invalid] = []
    first_of: dict[UUID, Incoming] = {}
    for event in read:
        if isinstance(event, Incoming):
            if event.campaign_id is not None and event.campaign_id not in owners:
                event = errors.NoSuchCampaign(field="campaignId")
            else:
                event = _sent_by(event, sender, owners.get(event.campaign_id))
                first_of.setdefault(event.id, event)
        checked.append(event)
    written = store().append(list(first_of.values()))
    unknown = [event.name for event in first_of.values() if event.id in written and not event.is_known]
    event_names.note_unknown(unknown, now=now)
    return [
        Result(Status.REFUSED, event)
        if isinstance(event, Invalid)
        else Result(Status.STORED if event is first_of[event.id] and event.id in written else Status.DUPLICATE)
        for event in checked
    ]


def take_event(event: Any, *, sender: Sender, person: Any, now: datetime) -> Result:
    """
    The same for one event.

    :raises EventRefused: why it is not taken
    """
    (result,) = take_events([event], sender=sender, person=person, now=now, sent_at=None)
    if result.refusal is not None:
        raise result.refusal
    return result


def _attempt(given: Any, now: datetime, skew: timedelta) -> Incoming | Invalid:
    try:
        _refuse_unprintable(given)
        return _read(msgspec.convert(given, ClientEvent), now, skew)
    except msgspec.ValidationError as error:
        return errors.MalformedEvent(reason=_reason(str(error)))
    except Invalid as refusal:
        return refusal


def _reason(text: str) -> str:
    """msgspec's words, without those about its own types."""
    return text.replace("`", "").replace("object", "an object").replace("  ", " ").rstrip(".")


def _read(given: ClientEvent, now: datetime, skew: timedelta) -> Incoming:
    """:raises Invalid: what is wrong with it"""
    if not _NAME.fullmatch(given.event_type):
        raise errors.MalformedEventName(field="eventType")
    if max(len(given.page or ""), len(given.referrer or "")) > MAX_ADDRESS:
        raise errors.MalformedEvent(reason=f"an address has more than {MAX_ADDRESS} characters")
    type_ = event_names.registered(given.event_type)
    properties = _properties(given.event_data or {}, type_)
    campaign_id = _id("campaignId", given.campaign_id)
    if type_ is not None and type_.is_about_campaign and campaign_id is None:
        raise errors.CampaignNeeded(field="campaignId")
    visit = _visit(given.page or "", given.referrer or "")
    event_id = _id("eventId", given.event_id)
    return Incoming(
        id=event_id or uuid7(),
        has_own_id=event_id is not None,
        name=given.event_type,
        is_known=type_ is not None,
        occurred_at=_moment(given.at, now, skew),
        received_at=now,
        audience=Audience.VISITOR,
        campaign_id=campaign_id,
        subject_id=_id("subjectId", given.subject_id),
        page=visit.page,
        source=visit.source,
        medium=visit.medium,
        label=visit.label,
        properties=properties,
    )


def _sent_by(event: Incoming, sender: Sender, owner_id: UUID | None) -> Incoming:
    """
    The event with its sender. Its own id is made theirs: nobody can take an id away from somebody else's events. Owners
    of a campaign count as team where it is about their campaign.
    """
    is_own = owner_id is not None and owner_id == sender.user_id
    whose = sender.user_id.bytes if sender.user_id else b""
    own_id = UUID(bytes=hashlib.blake2b(whose + event.id.bytes, digest_size=16).digest())
    return msgspec.structs.replace(
        event,
        id=own_id if event.has_own_id else event.id,
        audience=Audience.TEAM if is_own and sender.audience == Audience.PERSON else sender.audience,
        user_id=sender.user_id,
        visitor_id=sender.visitor_id,
    )


def _refuse_unprintable(given: Any) -> None:
    """Before anything else, since refusals repeat names."""
    for text in _texts(given):
        if _UNPRINTABLE.search(text):
            raise errors.MalformedEvent(reason="a text holds NUL or half a character")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)


def _properties(given: dict[str, Any], type_: EventType | None) -> dict[str, Any]:
    if _count(given) > MAX_PROPERTIES:
        raise errors.TooManyProperties(field="eventData", most=MAX_PROPERTIES)
    properties: dict[str, Any] = _plain(given)
    if len(msgspec.json.encode(properties)) > MAX_PROPERTY_BYTES:
        raise errors.PropertiesTooLarge(field="eventData", most=MAX_PROPERTY_BYTES)
    refuse_personal_data(properties)
    for name, expected in (type_.properties if type_ else {}).items():
        value = properties.get(name)
        if value is not None and not _fits(value, expected):
            raise errors.PropertyTypeDiffers(field=f"eventData.{name}", name=name, expected=expected.__name__)
    return properties


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 0


def _plain(value: Any) -> Any:
    """Fractions as numbers; absent members are left out."""
    if isinstance(value, NumberLiteral):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items() if member is not None}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _fits(value: Any, expected: type) -> bool:
    if isinstance(value, bool) or expected is bool:
        return isinstance(value, bool) and expected is bool
    return isinstance(value, (int, float) if expected is float else expected)


def _visit(page: str, referrer: str) -> Visit:
    refuse_text(page.partition("?")[0].partition("#")[0], "page")
    return read_visit(page, referrer)


def _id(name: str, text: str | None) -> UUID | None:
    if text is None:
        return None
    if not _UUID.fullmatch(text):
        raise errors.MalformedEvent(field=name, reason=f"{name} is no UUID")
    return UUID(text)


def _moment(at: str | None, now: datetime, skew: timedelta) -> datetime:
    if at is None:
        return now
    try:
        moment = parse_moment(at) + skew
    except ZoneRequired:
        raise ZoneRequired(fields=["at"]) from None
    except (ValueError, OverflowError):
        raise errors.MalformedEvent(field="at", reason="at is no moment") from None
    if moment > now + AHEAD:
        raise errors.EventInTheFuture(field="at")
    if moment < now - LATEST:
        raise errors.EventTooOld(field="at")
    return moment


def _owners_of(campaign_ids: Iterable[UUID | None], person: Any) -> dict[UUID | None, UUID]:
    """The owners of those of these campaigns that the person may see."""
    asked = {campaign_id for campaign_id in campaign_ids if campaign_id is not None}
    missing = asked - _owners.keys()
    found: dict[UUID | None, UUID] = {campaign_id: _owners[campaign_id] for campaign_id in asked - missing}
    if missing:
        if len(_owners) > MAX_REMEMBERED:
            _owners.clear()
        for campaign_id, owner_id, status in (
            visible_to(person).filter(pk__in=missing).values_list("pk", "owner_id", "status")
        ):
            found[campaign_id] = owner_id
            if status in PUBLIC:
                _owners[campaign_id] = owner_id
    return found


_owners: dict[UUID, UUID] = {}
"""Owners of campaigns that are public: those stay so and keep their owner, so each is asked for once in a process."""
MAX_REMEMBERED = 10_000
