"""/api/social/posts, /api/social/users/:id/posts and /api/profile/posts: parse, one call, answer."""

from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.access import access_person
from accounts.permissions import EmailVerified
from core import clock
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from social import errors, selectors
from social.inputs.posts import PostInput
from social.models import Post
from social.outputs.posts import PostOutput
from social.services.posts import Draft, delete_post, draft_post, publish_post
from uploads.errors import BAD_FILE

BAD_POST = (
    errors.EmptyPost,
    errors.GroupOrChannel,
    errors.AudienceOfGroup,
    errors.AudienceOfChannel,
    errors.UnknownGroup,
    errors.UnknownChannel,
    errors.UnknownCampaign,
)


def page_of_posts(request: Request, **where: Any) -> Page[PostOutput]:
    """A page of what the person may read of these posts, newest first."""
    part = asked_part(request, keys=("id",))
    rows = selectors.post_rows(request.user, **where, **part.parameters)
    columns = {f"{name}_id": value for name, value in where.items()}
    return part.page_of(
        rows,
        partial(PostOutput.of_row, now=clock.now()),
        whole=lambda: Post.objects.visible_to(request.user).filter(**columns),
    )


class Posts(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"create": [EmailVerified], "remove": [EmailVerified]}

    def _draft(self, request: Request) -> Draft:
        return draft_post(author=request.user, now=clock.now(), **parse(PostInput, request))

    @operation("createPost", PostInput, returns=PostOutput, status=201, multipart=True, errors=[*BAD_POST, *BAD_FILE])
    @prepared(_draft)
    def create(self, request: Request, prepared: Draft) -> Response:
        """
        Publish a post

        At most five pictures. In a group its audience reads; in a channel `followers` are the subscribers.
        """
        return self._publish(request, prepared)

    def _publish(self, request: Request, draft: Draft) -> Response:
        now = clock.now()
        post = publish_post(draft, now=now)
        return Response(selectors.post_page(request.user, post.pk, now), 201)

    @operation("getPost", returns=PostOutput)
    def show(self, request: Request, post_id: UUID) -> PostOutput:
        """Read a post"""
        return selectors.post_page(request.user, post_id, clock.now())

    @operation("deletePost", returns=Message, errors=[errors.NotTheAuthor])
    def remove(self, request: Request, post_id: UUID) -> Message:
        """Delete a post"""
        delete_post(author=request.user, post_id=post_id, now=clock.now())
        return Message(message=_("Post deleted successfully"))


class PostsOfPerson(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listUserPosts", returns=Page[PostOutput])
    def list(self, request: Request, user_id: UUID) -> Page[PostOutput]:
        """The posts of a person that I may read, newest first"""
        return page_of_posts(request, author=access_person(request.user.pk, user_id).pk)


class OwnPosts(Posts):
    @operation("createMyPost", PostInput, returns=PostOutput, status=201, multipart=True, errors=[*BAD_POST, *BAD_FILE])
    @prepared(Posts._draft)
    def create(self, request: Request, prepared: Draft) -> Response:
        """
        Publish a post of mine

        As `POST /api/social/posts`.
        """
        return self._publish(request, prepared)

    @operation("listMyPosts", returns=Page[PostOutput])
    def list(self, request: Request) -> Page[PostOutput]:
        """My posts, newest first"""
        return page_of_posts(request, author=request.user.pk)
