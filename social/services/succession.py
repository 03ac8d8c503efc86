"""
What becomes of the groups and channels of somebody whose account is erased, in the transaction of the erasure.

A group without an owner goes to its longest-standing admin, else moderator, else member; a channel to its
longest-standing editor. Without one it is deleted with its posts.
"""

from datetime import datetime
from uuid import UUID

from accounts.models import Status
from core.data.locks import lock
from social.models import Channel, ChannelMember, Group, Membership
from social.services.channels import discard_channel, pass_on
from social.services.groups import discard_group
from social.services.memberships import change_role, remove
from social.services.subscriptions import end_subscription


def leave_groups(*, person_id: UUID, now: datetime) -> None:
    """Take a person out of every group, requests, invitations and bans included."""
    own = Membership.objects.filter(user=person_id)
    groups = {group.pk: group for group in lock(Group.objects.filter(pk__in=own.values("group"))).order_by("pk")}
    for membership in own.order_by("group"):
        group = groups[membership.group_id]
        remove(group, membership)
        if membership.role == Membership.Role.OWNER:
            _find_owner(group, now)


def _find_owner(group: Group, now: datetime) -> None:
    members = Membership.objects.members().filter(group=group)
    if members.filter(role=Membership.Role.OWNER).exists():
        return
    heir = members.filter(user__status=Status.ACTIVE).by_rank().first() or members.by_rank().first()
    if heir is None:
        discard_group(group, actor=None, now=now)
    else:
        change_role(heir, Membership.Role.OWNER, by=None, now=now)


def leave_channels(*, person_id: UUID, now: datetime) -> None:
    """End a person's subscriptions, and pass their channels on."""
    own = ChannelMember.objects.filter(user=person_id)
    channels = {one.pk: one for one in lock(Channel.objects.filter(pk__in=own.values("channel"))).order_by("pk")}
    for membership in own.order_by("channel"):
        channel = channels[membership.channel_id]
        end_subscription(membership)
        if membership.role == ChannelMember.Role.OWNER:
            _pass_on(channel, now)


def _pass_on(channel: Channel, now: datetime) -> None:
    editors = ChannelMember.objects.filter(channel=channel, role=ChannelMember.Role.EDITOR).order_by("pk")
    heir = editors.filter(user__status=Status.ACTIVE).first() or editors.first()
    if heir is None:
        discard_channel(channel, actor=None, now=now)
    else:
        pass_on(channel, heir, actor=None, now=now)
