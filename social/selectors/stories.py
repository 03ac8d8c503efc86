"""Stories that are there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Status, User
from accounts.relations import not_hidden_from, not_muted_by
from core.api.errors import NotFound
from core.data.statements import load
from social.models import Follow, Story, StoryView
from social.outputs.stories import StoriesOfAuthor, StoryOutput

_LIST = load("social/sql/story_list.sql")
_AUTHORS = load("social/sql/story_authors.sql")
MAX_STORIES = 100
"""How many stories of one author are shown."""


def own_story_rows(person: User, now: datetime, **part: Any) -> list[Any]:
    """
    The person's own, newest first, for `StoryOutput.of_row`.

    :param part: `core.api.pages.Part.parameters`, by `id`
    """
    return _LIST.rows(viewer=person.pk, now=now, own=True, **part)


def story_page(viewer: User, story_id: UUID, now: datetime) -> StoryOutput:
    """:raises NotFound: ended, missing, or not theirs to see"""
    rows = _LIST.rows(viewer=viewer.pk, now=now, id=story_id, limit=1)
    if not rows:
        raise NotFound()
    return StoryOutput.of_row(rows[0], viewer.pk, now)


def author_rows(viewer: User, now: datetime, **part: Any) -> list[Any]:
    """Whose stories there are for a viewer, those with the newest one first, for `stories_of_authors`."""
    return _AUTHORS.rows(viewer=viewer.pk, now=now, **part)


def stories_of_authors(rows: Sequence[Any], viewer: User, now: datetime) -> list[StoriesOfAuthor]:
    """The stories of these authors, in one query."""
    if not rows:
        return []
    authors = [row.author_id for row in rows]
    found: dict[UUID, list[StoryOutput]] = {author_id: [] for author_id in authors}
    for row in _LIST.rows(viewer=viewer.pk, now=now, authors=authors, limit=MAX_STORIES * len(authors)):
        if len(found[row.author_id]) < MAX_STORIES:
            found[row.author_id].append(StoryOutput.of_row(row, viewer.pk, now))
    return [StoriesOfAuthor.of(stories) for stories in found.values() if stories]


def authors(viewer: User, now: datetime) -> QuerySet[Follow]:
    """What `author_rows` reads page by page."""
    live = Story.objects.live_at(now).filter(author=OuterRef("followed_id"), hidden_at__isnull=True)
    followed = Follow.objects.filter(Exists(live), follower=viewer, followed__status=Status.ACTIVE)
    return followed.filter(not_hidden_from(viewer.pk, "followed_id"), not_muted_by(viewer.pk, "followed_id", now))


def viewers_of(story: Story) -> QuerySet[StoryView]:
    """Who has seen a story, as its author may see them."""
    views = StoryView.objects.filter(story=story, viewer__status=Status.ACTIVE).select_related("viewer")
    return views.filter(not_hidden_from(story.author_id, "viewer_id"))
