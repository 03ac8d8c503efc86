"""
What may be reported to the moderators (docs/moderation.md).

Each app registers its own kinds of things (`register`), so that apps that do not import each other can be reported in
one queue. `social` owns the reports and the cases; it reaches a thing by its type and id only.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import orjson
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from core.data.locks import lock
from uploads.models import StoredFile


class TargetType(TextChoices):
    """What may be reported. Every value has a `Target` that an app registers."""

    POST = "post", _("Post")
    COMMENT = "comment", _("Comment")
    USER = "user", _("Person")
    GROUP = "group", _("Group")
    CHANNEL = "channel", _("Channel")
    CAMPAIGN = "campaign", _("Campaign")
    STORY = "story", _("Story")
    AD = "ad", _("Ad")
    MESSAGE = "message", _("Message")


class Target(ABC):
    """A kind of thing that may be reported."""

    type: ClassVar[TargetType]
    can_be_hidden: ClassVar[bool] = True
    can_be_held: ClassVar[bool] = False
    """Whether it can be hidden until a moderator has decided."""

    @abstractmethod
    def find(self, viewer: Any, id: UUID, now: datetime) -> Any:
        """
        The thing, for somebody who may see it.

        :raises NotFound: missing, or not theirs to see
        """

    @abstractmethod
    def there(self) -> QuerySet[Any]:
        """All that are there, hidden or not."""

    def lock(self, id: UUID) -> Any | None:
        """The thing as it is now, locked; None if it is gone."""
        return lock(self.there().filter(pk=id)).first()

    @abstractmethod
    def person_id(self, thing: Any) -> UUID | None:
        """Whose it is: who is told of a decision about it."""

    @abstractmethod
    def describe(self, thing: Any) -> dict[str, Any]:
        """What moderators compare, as JSON: `title`, `words`, and `pictures` as `picture_facts` gives them."""

    def lines_before(self, thing: Any, viewer: Any) -> list[dict[str, Any]]:
        """
        What the reporter saw before it, oldest first, where moderators cannot look for themselves: `by`, which is 0 for
        whoever wrote the thing and 1, 2, … for the others, `words`, and how many `pictures`.
        """
        return []

    def reach(self, thing: Any) -> int:
        """About how many people it reached, for the order of the queue."""
        return 0

    def set_hidden(self, thing: Any, at: datetime | None, now: datetime) -> None:
        """:param at: since when it is hidden; None: it is shown again"""
        thing.hidden_at = at
        thing.save(update_fields=["hidden_at"])

    def set_held(self, thing: Any, at: datetime | None, now: datetime) -> None:
        """:param at: since when it waits for a moderator, hidden; None: it does not"""
        raise NotImplementedError

    def is_hidden(self, thing: Any) -> bool:
        return getattr(thing, "hidden_at", None) is not None


T = TypeVar("T", bound=type[Target])
TARGETS: dict[str, Target] = {}
"""Every registered kind, by its type."""


def register(target: T) -> T:
    """Make a kind of thing reportable; imported by the app's `ready`."""
    TARGETS[target.type.value] = target()
    return target


def picture_facts(files: Sequence[StoredFile]) -> list[dict[str, str]]:
    """Pictures and videos in a description: `id`, `alt` and content `type`."""
    return [{"id": str(file.pk), "alt": file.alt, "type": file.content_type} for file in files]


def fingerprint(description: dict[str, Any] | None) -> str:
    """A short text that changes with what moderators read of a thing; of None, which is gone, too."""
    return hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
