"""Whom a person blocks and mutes; only that person sees it."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta
from msgspec.structs import asdict

from accounts.models import Mute
from accounts.outputs.people import UserCard
from accounts.selectors import Relation
from core.api.outputs import Moment, Output

MutedUntil = Annotated[Moment | None, Meta(description="Null for a mute without an end.")]


class RelationOutput(Output):
    """What I have set about another person. It never tells what they have set about me."""

    user_id: UUID
    blocking: bool
    muting: bool
    muted_until: MutedUntil

    @classmethod
    def of(cls, relation: Relation) -> Self:
        return cls(
            user_id=relation.user_id,
            blocking=relation.blocking,
            muting=relation.muting,
            muted_until=relation.muted_until,
        )


class MutedCard(UserCard):
    """A person whom I mute."""

    muted_until: MutedUntil

    @classmethod
    def of_mute(cls, mute: Mute) -> Self:
        return cls(**asdict(UserCard.of(mute.muted)), muted_until=mute.until)
