"""/api/social/posts/:id/comments: parse, one call, answer."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import brakes
from accounts.errors import SlowDown, TooManyLinks
from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.limits import Limit, RateLimited
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social import errors, selectors
from social.inputs.comments import CommentInput
from social.outputs.comments import CommentOutput
from social.services.comments import delete_comment, like_comment, unlike_comment, write_comment
from social.services.mentions import brake_words
from social.views.reactions import REACTING

COMMENTING = Limit("social:comments", 300, timedelta(hours=1))
BRAKED = (RateLimited, SlowDown, TooManyLinks)


def _counted(author: Any, content: str) -> datetime:
    """Count a comment that is about to be written. Returns the moment."""
    limits.hit(COMMENTING, author.pk)
    now = clock.now()
    brakes.require_brake(author, brakes.Action.COMMENTS, 1, now)
    brake_words(author, content, now)
    return now


class Comments(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"create": [MayPublish], "remove": [EmailVerified]}

    @operation("listComments", returns=Page[CommentOutput])
    def list(self, request: Request, post_id: UUID) -> Page[CommentOutput]:
        """The comments on a post, newest first"""
        return selectors.comment_page(request.user, post_id, asked_part(request, keys=("id",)))

    @operation("addComment", CommentInput, returns=CommentOutput, status=201, errors=[errors.TooManyMentions, *BRAKED])
    def create(self, request: Request, post_id: UUID, data: dict[str, Any]) -> CommentOutput:
        """Comment on a post"""
        now = _counted(request.user, data["content"])
        comment = write_comment(author=request.user, post_id=post_id, now=now, **data)
        return selectors.comment_output(request.user, post_id, comment.pk)

    @operation("deleteComment", returns=Message, errors=[errors.NotTheAuthor])
    def remove(self, request: Request, post_id: UUID, comment_id: UUID) -> Message:
        """
        Delete a comment or a reply, as its author or as a moderator

        It stays in its place without author and words, and so do its replies.
        """
        delete_comment(person=request.user, post_id=post_id, comment_id=comment_id, now=clock.now())
        return Message(message=_("Comment deleted successfully"))


class Replies(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"create": [MayPublish]}

    @operation("listReplies", returns=Page[CommentOutput])
    def list(self, request: Request, post_id: UUID, comment_id: UUID) -> Page[CommentOutput]:
        """The replies to a comment, oldest first"""
        return selectors.reply_page(request.user, post_id, comment_id, asked_part(request, keys=("id",)))

    @operation(
        "addReply",
        CommentInput,
        returns=CommentOutput,
        status=201,
        errors=[errors.CommentDeleted, errors.TooManyMentions, *BRAKED],
    )
    def create(self, request: Request, post_id: UUID, comment_id: UUID, data: dict[str, Any]) -> CommentOutput:
        """
        Reply to a comment

        There are two levels: a reply to a reply is listed under the comment above both, which is its `parentId`.
        """
        now = _counted(request.user, data["content"])
        reply = write_comment(author=request.user, post_id=post_id, answers_id=comment_id, now=now, **data)
        return selectors.comment_output(request.user, post_id, reply.pk)


class CommentLikes(ApiViewSet):
    permission_classes = [EmailVerified]
    action_permissions = {"add": [MayPublish]}

    @operation("likeComment", returns=CommentOutput, errors=[errors.CommentDeleted, RateLimited])
    def add(self, request: Request, post_id: UUID, comment_id: UUID) -> CommentOutput:
        """Like a comment; twice changes nothing"""
        limits.hit(REACTING, request.user.pk)
        like_comment(person=request.user, post_id=post_id, comment_id=comment_id, now=clock.now())
        return selectors.comment_output(request.user, post_id, comment_id)

    @operation("unlikeComment", returns=CommentOutput)
    def remove(self, request: Request, post_id: UUID, comment_id: UUID) -> CommentOutput:
        """Like a comment no more; twice changes nothing"""
        unlike_comment(person=request.user, post_id=post_id, comment_id=comment_id, now=clock.now())
        return selectors.comment_output(request.user, post_id, comment_id)
