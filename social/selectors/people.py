"""Public profiles, and who follows whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Status, User
from accounts.relations import not_hidden_from
from core.api.errors import NotFound
from core.data.statements import load
from social.models import Follow
from social.outputs.people import PersonOutput
from social.permissions import MODERATE

_PERSON = load("social/sql/person_page.sql")
_FOLLOWS = load("social/sql/follow_list.sql")


def person_page(viewer: User, user_id: UUID, now: datetime) -> PersonOutput:
    """
    The public profile of a person, as `viewer` sees it.

    :raises NotFound: nobody, erased, suspended, or hidden from the viewer by a block
    """
    rows = _PERSON.rows(viewer=viewer.pk, moderator=MODERATE.held_by(viewer), id=user_id, now=now)
    if not rows:
        raise NotFound()
    return PersonOutput.of_profile(rows[0])


def follower_rows(viewer: User, user_id: UUID, **part: Any) -> list[Any]:
    """
    Those who follow a person, for `PersonCard.of_person`.

    :param part: `core.api.pages.Part.parameters`, by `id`
    """
    return _FOLLOWS.rows(viewer=viewer.pk, person=user_id, followers=True, **part)


def following_rows(viewer: User, user_id: UUID, **part: Any) -> list[Any]:
    """Those whom a person follows, as `follower_rows`."""
    return _FOLLOWS.rows(viewer=viewer.pk, person=user_id, following=True, **part)


def followers_of(viewer: User, user_id: UUID) -> QuerySet[Follow]:
    """What `follower_rows` reads page by page."""
    shown = not_hidden_from(viewer.pk, "follower_id")
    return Follow.objects.filter(shown, followed=user_id, follower__status=Status.ACTIVE).select_related("follower")


def follows_of(viewer: User, user_id: UUID) -> QuerySet[Follow]:
    """What `following_rows` reads page by page."""
    shown = not_hidden_from(viewer.pk, "followed_id")
    return Follow.objects.filter(shown, follower=user_id, followed__status=Status.ACTIVE).select_related("followed")
