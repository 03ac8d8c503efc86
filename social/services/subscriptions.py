"""Subscribing to channels. Every change holds the channel's lock, so that the count of subscribers is exact."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from core.api.limits import Limit
from core.data.locks import lock
from core.data.transactions import retrying
from social.access import lock_channel_place
from social.errors import OwnerStays
from social.models import Channel, ChannelMember
from social.services import feeds

SUBSCRIPTIONS = Limit("channels:subscriptions", 300, timedelta(hours=1))


@retrying
def subscribe(*, person: Any, channel_id: UUID, now: datetime) -> None:
    """Twice changes nothing. :raises NotFound:"""
    place = lock_channel_place(person, channel_id)
    if place.membership is None:
        ChannelMember.objects.create(channel=place.channel, user=person, created_at=now)
        Channel.objects.filter(pk=channel_id).update(subscriber_count=F("subscriber_count") + 1)
        feeds.fill_feed(person.pk, channel_id=channel_id)


@retrying
def unsubscribe(*, person: Any, channel_id: UUID) -> None:
    """
    An editor is none any more. Twice changes nothing.

    :raises NotFound: :raises OwnerStays:
    """
    place = lock_channel_place(person, channel_id)
    if place.role == ChannelMember.Role.OWNER:
        raise OwnerStays()
    if place.membership is not None:
        end_subscription(place.membership)


def end_subscription(membership: ChannelMember) -> None:
    """Take away what somebody is in a locked channel."""
    ChannelMember.objects.filter(pk=membership.pk).delete()
    Channel.objects.filter(pk=membership.channel_id).update(subscriber_count=F("subscriber_count") - 1)


def end_subscriptions_between(one_id: UUID, other_id: UUID, now: datetime) -> None:
    """After a block: neither subscribes to, or writes in, a channel of the other (`accounts.relations.on_block`)."""
    ended = ChannelMember.objects.filter(
        Q(user=one_id, channel__owner=other_id) | Q(user=other_id, channel__owner=one_id)
    )
    list(lock(Channel.objects.filter(pk__in=ended.values("channel"))).order_by("pk"))
    for membership in ended.select_related("channel"):
        end_subscription(membership)
