"""
Who is hidden from whom: the one predicate that every app asks (docs/relations.md).

Two people are hidden from each other while one of them blocks the other. In querysets it is `not_hidden_from`, in
statements (`sql/`) the database's function `accounts_hidden_from`, for ids at hand `hidden_among`. Mutes are one-sided
and weaker: they keep somebody out of feeds, notices and presence, and hide nothing that is opened by its address.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.models import Block, Mute

Hook = Callable[[UUID, UUID, datetime], None]
_on_block: list[Hook] = []
_on_unblock: list[Hook] = []


def not_hidden_from(viewer_id: UUID | None, column: str) -> Q:
    """
    The rows of a queryset whose person is not hidden from the viewer: `posts.filter(not_hidden_from(me.pk, "author"))`.

    :param viewer_id: None for somebody who is not signed in, from whom nobody is hidden
    :param column: the column, or a path to it, that holds the other person
    """
    if viewer_id is None:
        return Q()
    other = OuterRef(column)
    blocked_by_viewer = Block.objects.filter(blocker=viewer_id, blocked=other)
    blocks_viewer = Block.objects.filter(blocker=other, blocked=viewer_id)
    return ~Q(Exists(blocked_by_viewer)) & ~Q(Exists(blocks_viewer))


def is_hidden_between(one: UUID, other: UUID) -> bool:
    """Whether either blocks the other."""
    return Block.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)).exists()


def hidden_among(person_id: UUID | None, others: Collection[UUID]) -> set[UUID]:
    """
    Those of `others` who are hidden from the person. One query, or none without others.

    There is no list of everybody who is hidden from somebody: any number of people may block one.
    """
    if person_id is None or not others:
        return set()
    given = list(others)
    rows = Block.objects.filter(Q(blocker=person_id, blocked__in=given) | Q(blocked=person_id, blocker__in=given))
    return {one for pair in rows.values_list("blocker_id", "blocked_id") for one in pair} - {person_id}


def hidden_pairs(people: Collection[UUID], others: Collection[UUID]) -> set[frozenset[UUID]]:
    """The pairs of one of `people` and one of `others` who are hidden from each other. One query."""
    one, other = list(people), list(others)
    rows = Block.objects.filter(Q(blocker__in=one, blocked__in=other) | Q(blocked__in=one, blocker__in=other))
    return {frozenset(pair) for pair in rows.values_list("blocker_id", "blocked_id")}


def mutes_of(person_id: UUID, now: datetime) -> set[UUID]:
    """Whom the person mutes at this moment; at most `services.relations.MAX_RELATIONS`."""
    return set(Mute.objects.in_force(now).filter(muter=person_id).values_list("muted_id", flat=True))


def not_muted_by(viewer_id: UUID | None, column: str, now: datetime) -> Q:
    """The rows of a queryset whose person the viewer does not mute at this moment, as `not_hidden_from`."""
    if viewer_id is None:
        return Q()
    return ~Q(Exists(Mute.objects.in_force(now).filter(muter=viewer_id, muted=OuterRef(column))))


def silent_for(actor_id: UUID, recipient_ids: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of the recipients who are not to be notified of what this person does: hidden from them, or muted."""
    muting = Mute.objects.in_force(now).filter(muted=actor_id, muter__in=list(recipient_ids))
    return hidden_among(actor_id, recipient_ids) | set(muting.values_list("muter_id", flat=True))


def on_block(hook: Hook) -> Hook:
    """
    Register `hook(blocker_id, blocked_id, now)`, called in the transaction of a block, after its row is there. It takes
    away what must not outlast the block, such as a follow. The blocker's account is locked.
    """
    _on_block.append(hook)
    return hook


def on_unblock(hook: Hook) -> Hook:
    """Register `hook(blocker_id, blocked_id, now)`, called in the transaction that ends the last block of a pair."""
    _on_unblock.append(hook)
    return hook


def call_block_hooks(blocker_id: UUID, blocked_id: UUID, now: datetime) -> None:
    for hook in _on_block:
        hook(blocker_id, blocked_id, now)


def call_unblock_hooks(blocker_id: UUID, blocked_id: UUID, now: datetime) -> None:
    for hook in _on_unblock:
        hook(blocker_id, blocked_id, now)
