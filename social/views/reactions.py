"""/api/social/posts/:id/reactions and .../like: parse, one call, answer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.limits import Limit, RateLimited
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social import errors, selectors
from social.access import access_post
from social.emojis import LIKE, one_emoji
from social.inputs.reactions import ReactionsQuery
from social.outputs.posts import PostOutput
from social.outputs.reactions import ReactionOutput
from social.services.reactions import react, take_back

REACTING = Limit("social:reactions", 2000, timedelta(hours=1))
"""Likes and other reactions of a person, under posts and comments together."""


class Reactions(ApiViewSet):
    permission_classes = [EmailVerified]
    action_permissions = {"list": [SignedIn], "add": [MayPublish], "like": [MayPublish]}

    @operation("listReactions", query=ReactionsQuery, returns=Page[ReactionOutput], errors=[errors.NotAnEmoji])
    def list(self, request: Request, post_id: UUID, query: dict[str, Any]) -> Page[ReactionOutput]:
        """Who reacted to a post, newest first"""
        emoji = one_emoji(query["emoji"]) if "emoji" in query else None
        given = selectors.reactions(request.user, access_post(request.user, post_id), emoji)
        return paginate(request, given, ReactionOutput.of_row, order=("-id",))

    @operation(
        "addReaction",
        returns=PostOutput,
        errors=[errors.NotAnEmoji, errors.TooManyReactions, RateLimited],
    )
    def add(self, request: Request, post_id: UUID, emoji: str) -> PostOutput:
        """
        React to a post with an emoji; twice changes nothing

        One emoji of Unicode, percent-encoded. 👍 is the like.
        """
        return self._react(request, post_id, one_emoji(emoji))

    @operation("removeReaction", returns=PostOutput, errors=[errors.NotAnEmoji])
    def remove(self, request: Request, post_id: UUID, emoji: str) -> PostOutput:
        """Take a reaction back; twice changes nothing"""
        return self._take_back(request, post_id, one_emoji(emoji))

    def _react(self, request: Request, post_id: UUID, emoji: str) -> PostOutput:
        limits.hit(REACTING, request.user.pk)
        return react(person=request.user, post_id=post_id, emoji=emoji, now=clock.now())

    def _take_back(self, request: Request, post_id: UUID, emoji: str) -> PostOutput:
        return take_back(person=request.user, post_id=post_id, emoji=emoji, now=clock.now())


class Likes(Reactions):
    @operation("likePost", returns=PostOutput, errors=[RateLimited])
    def like(self, request: Request, post_id: UUID) -> PostOutput:
        """Like a post; twice changes nothing"""
        return self._react(request, post_id, LIKE)

    @operation("unlikePost", returns=PostOutput)
    def unlike(self, request: Request, post_id: UUID) -> PostOutput:
        """Like a post no more; twice changes nothing"""
        return self._take_back(request, post_id, LIKE)
