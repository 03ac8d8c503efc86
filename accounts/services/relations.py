"""Blocking and muting. Each does nothing when it is done already."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts import relations
from accounts.access import lock_people, lock_person
from accounts.errors import NotWithYourself, TooManyRelations, UntilInThePast
from accounts.models import Block, Mute, Status, User
from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying
from notifications.services import groups

MAX_RELATIONS = 10_000
"""How many people one person may block, and how many mute."""
PER_PERSON = Limit("relations:person", 300, timedelta(hours=1))
"""Changes of either kind."""


@retrying
def block(*, person: User, other_id: UUID, now: datetime) -> None:
    """
    Hide two people from each other. The one who is blocked is not told, and may block back.

    :raises NotWithYourself: :raises NotFound: nobody, or an erased account
    :raises TooManyRelations: the person blocks as many as one may
    """
    other = _other(person, other_id)
    lock_people(person.pk, other.pk)
    if Block.objects.filter(blocker=person, blocked=other).exists():
        return
    if not _has_room(Block.objects.filter(blocker=person)):
        raise TooManyRelations(most=MAX_RELATIONS)
    Block.objects.create(blocker=person, blocked=other, created_at=now)
    groups.remove_between(person.pk, other.pk)
    relations.call_block_hooks(person.pk, other.pk, now)
    events.record("account.blocked", other, actor=person, now=now)


@retrying
def unblock(*, person: User, other_id: UUID, now: datetime) -> None:
    """
    End a block. The two stay hidden from each other while the other one blocks, too.

    :raises NotWithYourself: :raises NotFound: nobody, or an erased account
    """
    other = _other(person, other_id)
    lock_people(person.pk, other.pk)
    removed, _ = Block.objects.filter(blocker=person, blocked=other).delete()
    if not removed:
        return
    if not relations.is_hidden_between(person.pk, other.pk):
        relations.call_unblock_hooks(person.pk, other.pk, now)
    events.record("account.unblocked", other, actor=person, now=now)


@retrying
def mute(*, person: User, other_id: UUID, until: datetime | None, now: datetime) -> None:
    """
    Hear no more of somebody, who is not told. Muting again sets the end anew.

    :param until: UTC; None for no end
    :raises NotWithYourself: :raises NotFound: nobody, or an erased account
    :raises UntilInThePast: the end is not after now
    :raises TooManyRelations: the person mutes as many as one may
    """
    other = _other(person, other_id)
    if until is not None and until <= now:
        raise UntilInThePast(field="until")
    lock_person(person.pk)
    before = Mute.objects.filter(muter=person, muted=other).first()
    if before is not None and before.until == until:
        return
    if before is not None:
        Mute.objects.filter(pk=before.pk).update(until=until)
    else:
        if not _has_room(Mute.objects.in_force(now).filter(muter=person)):
            raise TooManyRelations(most=MAX_RELATIONS)
        Mute.objects.create(muter=person, muted=other, until=until, created_at=now)
    events.record("account.muted", other, actor=person, now=now, until=until)


@retrying
def unmute(*, person: User, other_id: UUID, now: datetime) -> None:
    """:raises NotWithYourself: :raises NotFound: nobody, or an erased account"""
    other = _other(person, other_id)
    lock_person(person.pk)
    removed, _ = Mute.objects.filter(muter=person, muted=other).delete()
    if removed:
        events.record("account.unmuted", other, actor=person, now=now)


def _has_room(relations: QuerySet[Any]) -> bool:
    return relations.count() < MAX_RELATIONS


def _other(person: User, other_id: UUID) -> User:
    if other_id == person.pk:
        raise NotWithYourself()
    other = User.objects.filter(pk=other_id).exclude(status=Status.DELETED).first()
    if other is None:
        raise NotFound()
    return other
