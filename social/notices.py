"""Notices of posts, comments and groups, for those who may still see them when they are delivered."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from accounts.models import User
from core.events import Effect, Kind, Recorded
from notifications.effects import Category, Notice
from notifications.messages import Message
from notifications.services.groups import lock_inboxes, remove_about
from social.access import readers_among
from social.models import Comment, Group

WINDOW = timedelta(days=1)
"""How long what people do with one post is gathered in one entry."""


def _about_a_post(name: str, *facts: str, is_grouped: bool = True, item: str = "") -> Message:
    return Message(
        name,
        Category.SOCIAL,
        ("post_id", *facts),
        path="/posts/{post_id}",
        group=("post_id",) if is_grouped else None,
        window=WINDOW,
        item=item,
    )


LIKED = _about_a_post("post_liked")
REACTED = _about_a_post("post_reacted", item="act")
COMMENTED = _about_a_post("post_commented", item="comment_id")
REPLIED = _about_a_post("comment_replied", item="comment_id")
COMMENT_LIKED = Message(
    "comment_liked",
    Category.SOCIAL,
    ("post_id", "comment_id"),
    path="/posts/{post_id}",
    group=("comment_id",),
    window=WINDOW,
)
MENTIONED = _about_a_post("mentioned", is_grouped=False)


@dataclass(frozen=True)
class PostNotice(Notice):
    """
    Leaves out who may not read the post any more, and says nothing about a comment that is gone. `to` is a list of ids,
    or one. The kind's facts have a `post_id`, and a `comment_id` where it is about a comment.
    """

    def deliver(self, event: Recorded) -> None:
        given = event.facts[self.to]
        people = list(User.objects.filter(pk__in=given if isinstance(given, list) else [given]))
        comment_id = event.facts.get("comment_id")
        comment = Comment.objects.filter(pk=comment_id).first() if comment_id else None
        if comment_id and (comment is None or comment.is_gone or comment.held_at):
            return
        readers = sorted(readers_among(event.facts["post_id"], people))
        super().deliver(replace(event, facts={**event.facts, self.to: readers}))


@dataclass(frozen=True)
class GroupNotice(Notice):
    """Leaves out who may not see the group any more, since it says the group's name. `to` is an id."""

    def deliver(self, event: Recorded) -> None:
        user_id: UUID = event.facts[self.to]
        lock_inboxes([user_id])  # as `GroupForgotten` does: whoever comes second sees what the first has done
        if _sees_group(user_id, event.facts["group_id"]):
            super().deliver(event)


@dataclass(frozen=True)
class GroupForgotten(Effect):
    """Somebody is out of a group: if it is not there for them any more, what their inbox says of it goes."""

    column = "Notice"

    to: str
    """The fact that holds the person's id."""

    def check(self, kind: Kind) -> None:
        kind.require([self.to, "group_id"], "forgetting a group")

    def describe(self) -> str:
        return f"what named the group leaves the inbox of `{self.to}`, if it is secret"

    def deliver(self, event: Recorded) -> None:
        user_id: UUID = event.facts[self.to]
        group_id: UUID = event.facts["group_id"]
        lock_inboxes([user_id])
        if not _sees_group(user_id, group_id):
            remove_about(user_id, group_id=group_id)


def _sees_group(user_id: UUID, group_id: UUID) -> bool:
    person = User.objects.filter(pk=user_id).first()
    return person is not None and Group.objects.visible_to(person).filter(pk=group_id).exists()
