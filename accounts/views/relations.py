"""Blocking and muting people."""

from typing import Any
from uuid import UUID

from accounts import errors, selectors
from accounts.inputs.relations import MuteInput
from accounts.models import Block
from accounts.outputs.people import UserCard
from accounts.outputs.relations import MutedCard, RelationOutput
from accounts.services import relations
from core import clock
from core.api import limits
from core.api.errors import ZoneRequired
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet

NEWEST_FIRST = ("-id",)


def _card(block: Block) -> UserCard:
    return UserCard.of(block.blocked)


def _answer(request: Request, user_id: UUID) -> RelationOutput:
    return RelationOutput.of(selectors.relation_to(request.user, user_id, clock.now()))


class Blocks(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listBlocks", returns=Page[UserCard])
    def list(self, request: Request) -> Page[UserCard]:
        """The people I block"""
        return paginate(request, selectors.blocks_of(request.user), _card, order=NEWEST_FIRST)

    @operation(
        "blockUser",
        returns=RelationOutput,
        errors=[errors.NotWithYourself, errors.TooManyRelations, limits.RateLimited],
    )
    def block(self, request: Request, user_id: UUID) -> RelationOutput:
        """
        Block somebody

        It hides both of us from each other everywhere, at once. They are not told. Doing it twice changes nothing.
        """
        limits.hit(relations.PER_PERSON, request.user.pk)
        relations.block(person=request.user, other_id=user_id, now=clock.now())
        return _answer(request, user_id)

    @operation("unblockUser", returns=RelationOutput, errors=[errors.NotWithYourself, limits.RateLimited])
    def unblock(self, request: Request, user_id: UUID) -> RelationOutput:
        """
        End a block

        We stay hidden from each other while they block me, which the answer does not show.
        """
        limits.hit(relations.PER_PERSON, request.user.pk)
        relations.unblock(person=request.user, other_id=user_id, now=clock.now())
        return _answer(request, user_id)


class Mutes(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listMutes", returns=Page[MutedCard])
    def list(self, request: Request) -> Page[MutedCard]:
        """The people I mute"""
        muted = selectors.mutes_in_force(request.user, clock.now())
        return paginate(request, muted, MutedCard.of_mute, order=NEWEST_FIRST)

    @operation(
        "muteUser",
        MuteInput,
        returns=RelationOutput,
        errors=[
            errors.NotWithYourself,
            errors.UntilInThePast,
            errors.TooManyRelations,
            ZoneRequired,
            limits.RateLimited,
        ],
    )
    def mute(self, request: Request, user_id: UUID, data: dict[str, Any]) -> RelationOutput:
        """
        Mute somebody

        They are kept out of my feed and my notifications, until `until` if it is given. They are not told, and I still
        see what I open by its address. Muting again sets `until` anew.
        """
        limits.hit(relations.PER_PERSON, request.user.pk)
        relations.mute(person=request.user, other_id=user_id, now=clock.now(), **data)
        return _answer(request, user_id)

    @operation("unmuteUser", returns=RelationOutput, errors=[errors.NotWithYourself, limits.RateLimited])
    def unmute(self, request: Request, user_id: UUID) -> RelationOutput:
        """End a mute"""
        limits.hit(relations.PER_PERSON, request.user.pk)
        relations.unmute(person=request.user, other_id=user_id, now=clock.now())
        return _answer(request, user_id)
