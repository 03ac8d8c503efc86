"""Founding, changing and deleting groups."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import events
from core.api.limits import Limit
from core.data.transactions import retrying
from social.access import access_place, lock_place
from social.errors import GroupNotEmpty, PolicyNotWithVisibility
from social.group_rights import Action
from social.models import Group, Membership
from social.services.naming import set_name, unlike_others
from social.services.pictures import Pictures, put_up, store_pictures, take_down
from social.services.places import delete_posts_of
from uploads.services import keep_files

FOUNDINGS = Limit("groups:foundings", 20, timedelta(days=1))
PICTURES = ("cover_image", "profile_image")
_PAIRS = {
    Group.Visibility.PUBLIC: {*Group.JoinPolicy},
    Group.Visibility.PRIVATE: {Group.JoinPolicy.REQUEST, Group.JoinPolicy.INVITE},
    Group.Visibility.SECRET: {Group.JoinPolicy.INVITE},
}
"""Which join policies go with a visibility; the database insists on it, too."""


@dataclass(frozen=True)
class GroupDraft:
    """A group that is not saved yet, and its pictures, which are in the store."""

    group: Group
    pictures: Pictures


def draft_group(
    *,
    founder: Any,
    name: str,
    visibility: str,
    join_policy: str,
    now: datetime,
    description: str = "",
    **pictures: Any,
) -> GroupDraft:
    """
    Check a new group and take its pictures to the store, outside of any transaction.

    :param pictures: `cover_image`, `profile_image`, as uploaded
    :raises PolicyNotWithVisibility: private and open, or secret and not by invitation
    """
    _check_policy(visibility, join_policy)
    group = Group(description=description, visibility=visibility, join_policy=join_policy, created_at=now)
    set_name(group, name, is_compared=visibility != Group.Visibility.SECRET)
    stored = _store(group, founder, pictures, now)
    for column, picture in stored.items():
        setattr(group, column, picture)
    return GroupDraft(group, stored)


@retrying
def found_group(*, founder: Any, draft: GroupDraft, now: datetime) -> Group:
    """
    Save a new group, whose founder is its owner and only member.

    :raises NameTaken: a group that everybody can see is called so, or nearly so
    """
    group = draft.group
    keep_files(draft.pictures.values())
    group.member_count = 1
    with unlike_others():
        group.save(force_insert=True)
    Membership.objects.create(
        group=group,
        user=founder,
        role=Membership.Role.OWNER,
        status=Membership.Status.MEMBER,
        changed_by=founder,
        changed_at=now,
        created_at=now,
    )
    events.record("group.founded", group, actor=founder, now=now)
    return group


def edit_group(*, editor: Any, group_id: UUID, now: datetime, changes: dict[str, Any]) -> None:
    """
    Change name, description, join policy or pictures; what is not given stays. The visibility never changes.

    :raises NotFound: :raises GroupRoleRequired: :raises NameTaken: :raises PolicyNotWithVisibility:
    """
    place = access_place(editor, group_id)  # before the store takes anything; it is asked again under the lock
    place.require(Action.EDIT)
    pictures = _store(place.group, editor, {name: changes.get(name) for name in PICTURES}, now)
    _edit(editor, group_id, {name: value for name, value in changes.items() if name not in PICTURES}, pictures, now)


@retrying
def _edit(editor: Any, group_id: UUID, changes: dict[str, Any], pictures: Pictures, now: datetime) -> None:
    place = lock_place(editor, group_id)
    place.require(Action.EDIT)
    group = place.group
    _check_policy(group.visibility, changes.get("join_policy", group.join_policy))
    if "name" in changes:
        set_name(group, changes["name"], is_compared=group.visibility != Group.Visibility.SECRET)
    for name in ("description", "join_policy"):
        setattr(group, name, changes.get(name, getattr(group, name)))
    put_up(group, pictures, now=now)
    with unlike_others():
        group.save(update_fields=["name", "name_key", "capitals_key", "description", "join_policy", *PICTURES])
    events.record("group.edited", group, actor=editor, now=now, fields=sorted([*changes, *pictures]))


@retrying
def delete_group(*, owner: Any, group_id: UUID, now: datetime) -> None:
    """
    Delete a group that nobody else is in, with its posts.

    :raises NotFound: :raises GroupRoleRequired:
    :raises GroupNotEmpty: there are other members
    """
    place = lock_place(owner, group_id)
    place.require(Action.DELETE)
    if place.group.member_count > 1:
        raise GroupNotEmpty()
    discard_group(place.group, actor=owner, now=now)


def discard_group(group: Group, *, actor: Any, now: datetime) -> None:
    """Delete a locked group with everything in it, in the caller's transaction."""
    events.record("group.deleted", group, actor=actor, now=now)
    delete_posts_of(now=now, group=group)
    Group.objects.filter(pk=group.pk).delete()
    take_down(group, *PICTURES, now=now)


def _check_policy(visibility: str, join_policy: str) -> None:
    if join_policy not in _PAIRS[Group.Visibility(visibility)]:
        raise PolicyNotWithVisibility(field="joinPolicy")


def _store(group: Group, owner: Any, files: dict[str, Any], now: datetime) -> Pictures:
    is_public = group.visibility == Group.Visibility.PUBLIC
    return store_pictures(files, owner_id=owner.pk, purpose="group", is_public=is_public, now=now)
