"""A group as somebody sees it, and the people in it."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta

from accounts.outputs.people import UserCard
from core.api.outputs import Count, Moment, Output, Url
from core.share_pages import share_url
from social.models import Group, Membership
from social.outputs.pictures import picture_url


class GroupOutput(Output):
    id: UUID
    name: str
    description: str
    visibility: Group.Visibility
    join_policy: Group.JoinPolicy
    cover_image: Annotated[Url | None, Meta(description="Opens for 15 to 30 minutes unless the group is public.")]
    profile_image: Annotated[Url | None, Meta(description="Opens for 15 to 30 minutes unless the group is public.")]
    member_count: Count
    my_role: Annotated[Membership.Role | None, Meta(description="Null for who is no member.")]
    my_status: Annotated[Membership.Status | None, Meta(description="Null for who has nothing to do with it.")]
    share_url: Annotated[
        Url | None, Meta(description="Its page for anybody, without posts if it is private. Null for a secret group.")
    ]
    created_at: Moment

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row of `social/sql/group_list.sql`."""
        is_shown = row.hidden_at is None and row.visibility != Group.Visibility.SECRET
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            visibility=row.visibility,
            join_policy=row.join_policy,
            cover_image=picture_url(row, "cover", now),
            profile_image=picture_url(row, "profile", now),
            member_count=row.member_count,
            my_role=row.my_role if row.my_status == Membership.Status.MEMBER else None,
            my_status=row.my_status,
            share_url=share_url("group", row.id) if is_shown else None,
            created_at=row.created_at,
        )


class MembershipCard(Output):
    """Somebody in a group: a member, or who asked, or who is banned."""

    user: UserCard
    role: Membership.Role
    status: Membership.Status
    since: Annotated[Moment, Meta(description="Since when this is their status.")]

    @classmethod
    def of(cls, membership: Membership) -> Self:
        """Of one with its `user` loaded."""
        return cls(
            user=UserCard.of(membership.user),
            role=Membership.Role(membership.role),
            status=Membership.Status(membership.status),
            since=membership.created_at,
        )
