"""/api/social/posts, /api/social/users/:id/posts and /api/profile/posts: parse, one call, answer."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import brakes
from accounts.errors import SlowDown, TooManyLinks
from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.errors import Stale
from core.api.etags import if_match
from core.api.idempotency import prepared
from core.api.limits import Limit, RateLimited
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part, paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from social import errors, selectors
from social.access import access_post, access_profile
from social.inputs.posts import EditInput, PostInput, TagQuery
from social.models import Post
from social.models.posts import etag_of
from social.outputs.posts import PostEditOutput, PostOutput, PostPageOutput
from social.services.mentions import brake_words
from social.services.posts import Draft, delete_post, draft_post, edit_post, publish_post
from social.texts import folded_tag
from uploads.errors import BAD_VIDEO

BAD_POST = (
    errors.EmptyPost,
    errors.GroupOrChannel,
    errors.AudienceOfGroup,
    errors.AudienceOfChannel,
    errors.UnknownGroup,
    errors.UnknownChannel,
    errors.UnknownCampaign,
    errors.TooManyMentions,
    errors.TooManyTags,
    errors.OneVideoOrPictures,
    SlowDown,
    TooManyLinks,
)
PUBLISHING = Limit("social:posts", 100, timedelta(hours=1))
EDITING = Limit("social:edits", 200, timedelta(hours=1))


_COLUMNS = {"author": "author_id", "group": "group_id", "channel": "channel_id", "tag": "tags__tag"}
"""The columns of what `selectors.post_rows` is asked for."""


def page_of_posts(request: Request, **where: Any) -> Page[PostOutput]:
    """
    A page of what the person may read of these posts, newest first.

    :param where: as `selectors.post_rows` takes it
    """
    part = asked_part(request, keys=("id",))
    rows = selectors.post_rows(request.user, **where, **part.parameters)
    columns = {_COLUMNS[name]: value for name, value in where.items() if name in _COLUMNS}
    return part.page_of(
        rows,
        partial(PostOutput.of_row, now=clock.now()),
        whole=lambda: Post.objects.visible_to(request.user).filter(**columns),
    )


class _Publishing(ApiViewSet):
    """What publishing at both addresses has in common."""

    permission_classes = [SignedIn]
    action_permissions = {"create": [MayPublish], "edit": [MayPublish], "remove": [EmailVerified]}

    def draft(self, request: Request) -> Draft:
        limits.hit(PUBLISHING, request.user.pk)
        given, now = parse(PostInput, request), clock.now()
        brakes.require_brake(request.user, brakes.Action.POSTS, 1, now)
        brake_words(request.user, given["content"], now)
        return draft_post(author=request.user, now=now, **given)

    def publish(self, request: Request, draft: Draft) -> Response:
        now = clock.now()
        post = publish_post(draft, now=now)
        return Response(selectors.post_output(request.user, post.pk, now), 201)


class Posts(_Publishing):
    @operation("listPosts", query=TagQuery, returns=Page[PostOutput], errors=[errors.NotATag])
    def list(self, request: Request, query: dict[str, Any]) -> Page[PostOutput]:
        """The posts with a hashtag that I may read, newest first"""
        tag = folded_tag(query["tag"])
        if not tag:
            raise errors.NotATag(field="tag")
        return page_of_posts(request, tag=tag)

    @operation(
        "createPost",
        PostInput,
        returns=PostOutput,
        status=201,
        takes_video=True,
        errors=[*BAD_POST, *BAD_VIDEO],
    )
    @prepared(_Publishing.draft)
    def create(self, request: Request, prepared: Draft) -> Response:
        """
        Publish a post

        At most five pictures, or one video. In a group its audience reads; in a channel `followers` are the
        subscribers.
        """
        return self.publish(request, prepared)

    @operation("getPost", returns=PostPageOutput, etag=True)
    def show(self, request: Request, post_id: UUID) -> Response:
        """Read a post with its newest comments"""
        comments_at = f"{request.path}/comments"
        page = selectors.post_page(request.user, post_id, clock.now(), comments_at=comments_at)
        return Response(page, headers={"ETag": page.etag})

    @operation(
        "editPost",
        EditInput,
        returns=PostOutput,
        partial=True,
        etag=True,
        errors=[
            errors.NotTheAuthor,
            errors.EmptyPost,
            errors.AudienceOfGroup,
            errors.AudienceOfChannel,
            errors.TooManyMentions,
            errors.TooManyTags,
            SlowDown,
            TooManyLinks,
            Stale,
            RateLimited,
        ],
    )
    def edit(self, request: Request, post_id: UUID, data: dict[str, Any]) -> Response:
        """
        Edit a post of mine

        Any of `content`, `visibility` and `mediaAlt`. Earlier words stay in `GET .../edits`, for whoever could read
        them before.
        """
        limits.hit(EDITING, request.user.pk)
        now = clock.now()
        brake_words(request.user, data.get("content") or "", now)
        post = edit_post(author=request.user, post_id=post_id, expected=if_match(request), now=now, **data)
        output = selectors.post_output(request.user, post_id, now)
        return Response(output, headers={"ETag": etag_of(post.edited_at)})

    @operation("deletePost", returns=Message, errors=[errors.NotTheAuthor])
    def remove(self, request: Request, post_id: UUID) -> Message:
        """Delete a post, as its author or as a moderator"""
        delete_post(person=request.user, post_id=post_id, now=clock.now())
        return Message(message=_("Post deleted successfully"))


class PostEdits(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listPostEdits", returns=Page[PostEditOutput])
    def list(self, request: Request, post_id: UUID) -> Page[PostEditOutput]:
        """
        What a post said before its edits, newest first

        Words that were written for fewer people than read the post now are shown to those only.
        """
        post = access_post(request.user, post_id)
        return paginate(request, selectors.edits(request.user, post), PostEditOutput.of, order=("-id",))


class PostsOfPerson(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listUserPosts", returns=Page[PostOutput])
    def list(self, request: Request, user_id: UUID) -> Page[PostOutput]:
        """The posts of a person that I may read, newest first"""
        page = page_of_posts(request, author=user_id)
        if not page.items:  # of whom there are posts to read, there is no need to ask
            access_profile(request.user, user_id)
        return page


class OwnPosts(_Publishing):
    @operation(
        "createMyPost",
        PostInput,
        returns=PostOutput,
        status=201,
        takes_video=True,
        errors=[*BAD_POST, *BAD_VIDEO],
    )
    @prepared(_Publishing.draft)
    def create(self, request: Request, prepared: Draft) -> Response:
        """
        Publish a post of mine

        As `POST /api/social/posts`.
        """
        return self.publish(request, prepared)

    @operation("listMyPosts", returns=Page[PostOutput])
    def list(self, request: Request) -> Page[PostOutput]:
        """My posts, newest first"""
        return page_of_posts(request, author=request.user.pk)
