"""
What a role in a group allows beyond reading and writing, which every member may: one table, asked by services and
`social.access`, shown in docs/groups.md.

Whom somebody may act upon is the other half: only people whose role is below their own (`outranks`).
"""

from enum import Enum

from social.models import Membership

Role = Membership.Role
OWNER, ADMIN, MODERATOR, MEMBER = Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.MEMBER


class Action(Enum):
    """Something that only some roles may do; the value is how docs/groups.md calls it."""

    INVITE = "invite people"
    DECIDE_REQUESTS = "see and decide requests"
    REMOVE_CONTENT = "delete posts and comments of others"
    REMOVE_MEMBERS = "remove members, ban people and end bans"
    EDIT = "change name, description, pictures and join policy"
    CHANGE_ROLES = "change roles"
    DELETE = "delete the group, once nobody else is in it"


RIGHTS: dict[Action, frozenset[str]] = {
    Action.INVITE: frozenset({OWNER, ADMIN, MODERATOR}),
    Action.DECIDE_REQUESTS: frozenset({OWNER, ADMIN, MODERATOR}),
    Action.REMOVE_CONTENT: frozenset({OWNER, ADMIN, MODERATOR}),
    Action.REMOVE_MEMBERS: frozenset({OWNER, ADMIN, MODERATOR}),
    Action.EDIT: frozenset({OWNER, ADMIN}),
    Action.CHANGE_ROLES: frozenset({OWNER, ADMIN}),
    Action.DELETE: frozenset({OWNER}),
}
_FROM_THE_TOP = (OWNER, ADMIN, MODERATOR, MEMBER)


def roles_with(action: Action) -> list[str]:
    """Those that may do it, the highest first."""
    return [str(role) for role in _FROM_THE_TOP if role in RIGHTS[action]]


def outranks(role: str, other: str) -> bool:
    """Whether one role is above another."""
    return _FROM_THE_TOP.index(Role(role)) < _FROM_THE_TOP.index(Role(other))
