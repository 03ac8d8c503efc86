"""/api/social/channels: parse, one call, answer."""

from functools import partial
from typing import Any
from uuid import UUID

from rest_framework.response import Response

from accounts import brakes
from accounts.errors import SlowDown
from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from social import errors, place_selectors
from social.access import access_channel
from social.inputs.channels import ChannelInput, ChannelQuery, OwnerInput
from social.models import Channel
from social.outputs.channels import ChannelCard, ChannelOutput
from social.outputs.posts import PostOutput
from social.services import channels, pins, subscriptions
from social.services.channels import ChannelDraft
from social.views.posts import page_of_posts
from uploads.errors import BAD_FILE


def _answer(request: Request, channel_id: UUID) -> ChannelOutput:
    return place_selectors.channel_page(request.user, channel_id, clock.now())


class Channels(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"create": [MayPublish], "edit": [MayPublish]}

    @operation("listChannels", query=ChannelQuery, returns=Page[ChannelCard])
    def list(self, request: Request, query: dict[str, Any]) -> Page[ChannelCard]:
        """Channels, biggest first"""
        part = asked_part(request, keys=("subscriber_count", "id"))
        mine = query.get("subscribed", False)
        rows = place_selectors.channel_rows(request.user, subscribed=mine, **part.parameters)
        each = partial(ChannelCard.of_row, now=clock.now())
        return part.page_of(rows, each, whole=lambda: self._listed(request, mine))

    def _listed(self, request: Request, mine: bool) -> Any:
        found = Channel.objects.visible_to(request.user)
        return found.filter(members__user=request.user) if mine else found

    def _draft(self, request: Request) -> ChannelDraft:
        data = parse(ChannelInput, request)
        limits.hit(channels.OPENINGS, request.user.pk)
        now = clock.now()
        brakes.require_brake(request.user, brakes.Action.CHANNELS, 1, now)
        return channels.draft_channel(owner=request.user, now=now, **data)

    @operation(
        "createChannel",
        ChannelInput,
        returns=ChannelOutput,
        status=201,
        multipart=True,
        errors=[errors.NameTaken, SlowDown, limits.RateLimited, *BAD_FILE],
    )
    @prepared(_draft)
    def create(self, request: Request, prepared: ChannelDraft) -> Response:
        """
        Open a channel

        Its owner and its editors post in it. No two channels have names that look alike. At most 20 a day.
        """
        channel = channels.open_channel(draft=prepared, now=clock.now())
        return Response(_answer(request, channel.pk), 201)

    @operation("getChannel", returns=ChannelOutput)
    def show(self, request: Request, channel_id: UUID) -> ChannelOutput:
        """One channel"""
        return _answer(request, channel_id)

    @operation(
        "updateChannel",
        ChannelInput,
        returns=ChannelOutput,
        multipart=True,
        partial=True,
        errors=[errors.ChannelRoleRequired, errors.NameTaken, *BAD_FILE],
    )
    def edit(self, request: Request, channel_id: UUID, data: dict[str, Any]) -> ChannelOutput:
        """
        Change a channel

        Any of the fields; its owner.
        """
        channels.edit_channel(owner=request.user, channel_id=channel_id, now=clock.now(), changes=data)
        return _answer(request, channel_id)

    @operation("listChannelPosts", returns=Page[PostOutput])
    def posts(self, request: Request, channel_id: UUID) -> Page[PostOutput]:
        """The posts of a channel that I may read, newest first"""
        page = page_of_posts(request, channel=channel_id, of_visible=True)
        if not page.items:  # of a channel in which there are posts to read, there is no need to ask
            access_channel(request.user, channel_id)
        return page


class Subscription(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"subscribe": [EmailVerified]}

    @operation("subscribeToChannel", returns=ChannelOutput, errors=[limits.RateLimited])
    def subscribe(self, request: Request, channel_id: UUID) -> ChannelOutput:
        """Subscribe to a channel"""
        limits.hit(subscriptions.SUBSCRIPTIONS, request.user.pk)
        subscriptions.subscribe(person=request.user, channel_id=channel_id, now=clock.now())
        return _answer(request, channel_id)

    @operation("unsubscribeFromChannel", returns=ChannelOutput, errors=[errors.OwnerStays])
    def unsubscribe(self, request: Request, channel_id: UUID) -> ChannelOutput:
        """
        End a subscription

        An editor does not write in the channel any more.
        """
        subscriptions.unsubscribe(person=request.user, channel_id=channel_id)
        return _answer(request, channel_id)


class Pins(ApiViewSet):
    permission_classes = [EmailVerified]

    @operation("pinPost", returns=ChannelOutput, errors=[errors.ChannelRoleRequired, errors.TooManyPins])
    def pin(self, request: Request, channel_id: UUID, post_id: UUID) -> ChannelOutput:
        """
        Pin a post of a channel

        At most three, in the order they are pinned; its owner and editors. A pinned post that is deleted or hidden
        makes room.
        """
        pins.pin_post(editor=request.user, channel_id=channel_id, post_id=post_id, now=clock.now())
        return _answer(request, channel_id)

    @operation("unpinPost", returns=ChannelOutput, errors=[errors.ChannelRoleRequired])
    def unpin(self, request: Request, channel_id: UUID, post_id: UUID) -> ChannelOutput:
        """Unpin a post"""
        pins.unpin_post(editor=request.user, channel_id=channel_id, post_id=post_id, now=clock.now())
        return _answer(request, channel_id)


class Editors(ApiViewSet):
    permission_classes = [EmailVerified]

    @operation("addChannelEditor", returns=ChannelOutput, errors=[errors.ChannelRoleRequired, errors.NotASubscriber])
    def add(self, request: Request, channel_id: UUID, user_id: UUID) -> ChannelOutput:
        """Let a subscriber write in my channel"""
        channels.add_editor(owner=request.user, channel_id=channel_id, user_id=user_id, now=clock.now())
        return _answer(request, channel_id)

    @operation("removeChannelEditor", returns=ChannelOutput, errors=[errors.ChannelRoleRequired])
    def remove(self, request: Request, channel_id: UUID, user_id: UUID) -> ChannelOutput:
        """Make an editor of my channel a subscriber"""
        channels.remove_editor(owner=request.user, channel_id=channel_id, user_id=user_id, now=clock.now())
        return _answer(request, channel_id)

    @operation(
        "giveChannel",
        OwnerInput,
        returns=ChannelOutput,
        errors=[errors.ChannelRoleRequired, errors.NotAnEditor],
    )
    def give(self, request: Request, channel_id: UUID, data: dict[str, Any]) -> ChannelOutput:
        """
        Give my channel to an editor

        They own it then, and I am an editor.
        """
        channels.give_channel(owner=request.user, channel_id=channel_id, now=clock.now(), **data)
        return _answer(request, channel_id)
