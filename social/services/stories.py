"""Publishing, viewing and ending stories (docs/stories-and-ads.md)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db.models import F, QuerySet

from accounts.models import User
from core import events
from core.api import limits
from core.api.limits import Limit
from core.data.locks import lock
from core.data.transactions import atomic, retrying
from social.access import access_story, access_story_to_delete
from social.models import Story, StoryView
from uploads.models import Visibility
from uploads.services import delete_file, keep_files, store_media

LIFETIME = timedelta(hours=24)
LONGEST = timedelta(seconds=60)
"""Of a video."""
PER_PERSON = Limit("stories:person", 100, timedelta(days=1))


def draft_story(*, author: User, media: "UploadedFile[bytes]", caption: str = "", now: datetime) -> Story:
    """
    Take the picture or video of a new story to the store, outside of any transaction. The story is not saved yet.

    :raises RateLimited: the author's 100 stories of a day are there. Others as `uploads.services.store_media` refuses
    """
    limits.hit(PER_PERSON, author.pk)
    stored = store_media(
        media,
        longest=LONGEST,
        owner_id=author.pk,
        purpose="story",
        now=now,
        field="media",
        visibility=Visibility.PRIVATE,
    )
    return Story(author=author, file=stored, caption=caption, created_at=now, expires_at=now + LIFETIME)


def publish_story(story: Story, *, now: datetime) -> Story:
    """Save a story of `draft_story`."""
    with atomic():
        keep_files([story.file])
        story.save(force_insert=True)
        events.record("story.published", story, actor=story.author, now=now)
    return story


@retrying
def view_story(*, viewer: User, story_id: UUID, now: datetime) -> None:
    """
    Count a view: once for each person, and none of the author's own.

    :raises NotFound: ended, missing, or not theirs to see
    """
    story = access_story(viewer, story_id, now, is_locked=True)
    if story.author_id == viewer.pk or StoryView.objects.filter(story=story, viewer=viewer).exists():
        return
    StoryView.objects.create(story=story, viewer=viewer, created_at=now)
    Story.objects.filter(pk=story.pk).update(views_count=F("views_count") + 1)


@retrying
def delete_story(*, person: User, story_id: UUID, now: datetime) -> None:
    """
    End a story before its time. Its file does not open any more.

    :raises NotFound: :raises NotTheAuthor: neither the author nor a moderator
    """
    story = access_story_to_delete(person, story_id, now)
    events.record("story.deleted", story, actor=person, now=now, author_id=story.author_id)
    _delete(story, now)


def ended_stories(now: datetime) -> QuerySet[Story, UUID]:
    """Ids of those whose day is over."""
    return Story.objects.filter(expires_at__lte=now).order_by("expires_at", "id").values_list("pk", flat=True)


@retrying
def delete_ended_story(story_id: UUID, *, now: datetime) -> None:
    """With its views and its bytes."""
    story = lock(Story.objects.filter(pk=story_id, expires_at__lte=now)).select_related("file").first()
    if story is not None:
        _delete(story, now)


def delete_stories_of(person_id: UUID, now: datetime) -> None:
    """All stories of a person, in the transaction that erases the person."""
    for story in lock(Story.objects.filter(author=person_id).order_by("pk")).select_related("file"):
        _delete(story, now)


def delete_views_of(person_id: UUID) -> None:
    """Everything that a person has seen, with the counts of what is still there."""
    seen = StoryView.objects.filter(viewer=person_id)
    stories = list(lock(Story.objects.filter(views__in=seen).order_by("pk")).values_list("pk", flat=True))
    seen.delete()
    Story.objects.filter(pk__in=stories).update(views_count=F("views_count") - 1)


def _delete(story: Story, now: datetime) -> None:
    story.delete()
    delete_file(story.file, now=now)
