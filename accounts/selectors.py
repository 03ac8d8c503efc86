"""Reads of a person's own profile, of how they may sign in, and of whom they block and mute."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Block, ExternalIdentity, Mute, Passkey, Profile, Status, User
from core.data.statements import load
from core.rights import Right
from core.search import Asked

_PEOPLE = load("accounts/sql/person_search.sql")


def found_people(person: Any, asked: Asked, **part: Any) -> list[Any]:
    """
    People by their names, the best first, as rows with the columns of a `UserCard` and a `score`.

    :param part: `core.api.pages.Part.parameters`, by `score` and `id`
    """
    return _PEOPLE.rows(viewer=person.pk, **asked.parameters, **part)


def profile_of(user: User) -> Profile:
    """The person's row; before anything was counted or edited there is none, and this one is not saved."""
    return Profile.objects.filter(pk=user.pk).first() or Profile(user=user)


def holders_of(right: Right, *, most: int) -> list[UUID]:
    """Ids of active people who hold a right by their role; the first ones to join."""
    staff = User.objects.filter(role__in=sorted(right.roles), status=Status.ACTIVE)
    return list(staff.order_by("pk").values_list("pk", flat=True)[:most])


def sign_in_method_count(user: User) -> int:
    """How many things sign this person in on their own: a password, providers, passkeys."""
    others = (ExternalIdentity.objects.filter(user=user), Passkey.objects.filter(user=user))
    return int(user.has_usable_password()) + sum(rows.count() for rows in others)


def names_of(user_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of people, by their ids; whoever was erased is left out."""
    people = User.objects.filter(pk__in=user_ids).exclude(status=Status.DELETED)
    return {person.pk: person.name for person in people.only("first_name", "last_name")}


@dataclass(frozen=True, slots=True)
class Relation:
    """What one person has set about another; nothing in it comes from the other one."""

    user_id: UUID
    blocking: bool
    muting: bool
    muted_until: datetime | None
    """UTC; None without a mute, or for one without an end."""


def people_with(right: Right, most: int = 50) -> list[UUID]:
    """Ids of the people whose role holds a right, to tell them of something; the oldest accounts first."""
    holders = User.objects.filter(role__in=right.roles, status=Status.ACTIVE)
    return list(holders.order_by("pk").values_list("pk", flat=True)[:most])


def relation_to(person: User, other_id: UUID, now: datetime) -> Relation:
    mute = Mute.objects.in_force(now).filter(muter=person, muted=other_id).first()
    return Relation(
        user_id=other_id,
        blocking=Block.objects.filter(blocker=person, blocked=other_id).exists(),
        muting=mute is not None,
        muted_until=mute.until if mute else None,
    )


@dataclass(frozen=True, slots=True)
class Around:
    """One kind of relation of a person, in one direction: the newest people, and how many they are."""

    kind: str
    people: list[User]
    count: int


def relations_around(person: User, now: datetime, most: int) -> list[Around]:
    """
    Who blocks and mutes a person, and whom the person blocks and mutes. For moderators only.

    :param most: how many people of each kind
    """
    mutes = Mute.objects.in_force(now).order_by("-id")
    blocks = Block.objects.order_by("-id")
    rows: list[tuple[str, QuerySet[Any], str]] = [
        ("blocks", blocks.filter(blocker=person), "blocked"),
        ("blocked_by", blocks.filter(blocked=person), "blocker"),
        ("mutes", mutes.filter(muter=person), "muted"),
        ("muted_by", mutes.filter(muted=person), "muter"),
    ]
    return [
        Around(kind, [getattr(row, other) for row in found.select_related(other)[:most]], found.count())
        for kind, found, other in rows
    ]


def blocks_of(person: User) -> QuerySet[Block]:
    """The people whom somebody blocks."""
    return Block.objects.filter(blocker=person).exclude(blocked__status=Status.DELETED).select_related("blocked")


def mutes_in_force(person: User, now: datetime) -> QuerySet[Mute]:
    """The people whom somebody mutes at this moment."""
    in_force = Mute.objects.in_force(now).filter(muter=person)
    return in_force.exclude(muted__status=Status.DELETED).select_related("muted")
