"""Stories: who sees them, views, and their end by the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Mute, Status, User
from accounts.services import relations
from accounts.services.leaving import erase_when_due
from core.api.limits import Limit
from core.jobs.runner import run
from core.privacy.exports import rows_of
from core.testing import WAIT_LIMIT, Api, drain_outbox, together
from core.testing.pages import by_cursor, by_number
from social.jobs import DELETE_STORIES
from social.models import Follow, Story, StoryView
from social.selectors import stories as selectors
from social.services import stories
from social.services.follows import follow
from social.testing import make_story
from uploads.models import StoredFile
from uploads.testing import picture, upload, video

OWN = "/api/profile/stories"
STORIES = "/api/social/stories"


def url(story: Any, what: str = "") -> str:
    return f"{STORIES}/{story['id'] if isinstance(story, dict) else story.pk}{what}"


def path_of(link: str) -> str:
    return "/files/" + link.rpartition("/files/")[2]


def shown_to(api: Api, who: User) -> list[Any]:
    return api.as_user(who).get(STORIES).json()["items"]


# --- Publishing -----------------------------------------------------------------------------------------------------


def test_a_story_is_published_and_seen_by_followers(api: Api, author: User, follower: User, stranger: User) -> None:
    made = api.as_user(author).upload(OWN, {"media": picture(), "caption": "The roof today"})
    assert made.status_code == 201
    body = made.json()
    assert (body["caption"], body["viewsCount"], body["seen"]) == ("The roof today", 0, True)
    assert datetime.fromisoformat(body["expiresAt"]) - datetime.fromisoformat(body["createdAt"]) == timedelta(hours=24)
    (group,) = shown_to(api, follower)
    assert (group["author"]["id"], group["hasUnseen"]) == (str(author.pk), True)
    (story,) = group["stories"]
    assert (story["id"], story["viewsCount"], story["seen"]) == (body["id"], None, False)
    assert api.get(path_of(story["media"]["url"])).status_code == 200
    assert shown_to(api, stranger) == []
    assert [own["id"] for own in api.as_user(author).get(OWN).json()["items"]] == [body["id"]]


def test_a_video(api: Api, author: User) -> None:
    made = api.as_user(author).upload(OWN, {"media": video("mp4")})
    assert (made.status_code, made.json()["media"]["kind"]) == (201, "video")


@pytest.mark.parametrize(
    ("media", "status"),
    [
        (b"", 400),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"<html><script>alert(1)</script>", 415),
        (b"%PDF-1.7", 415),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 20, 400),
    ],
)
def test_what_is_no_picture_is_refused(api: Api, author: User, media: bytes, status: int) -> None:
    refused = api.as_user(author).upload(OWN, {"media": upload(media)})
    assert refused.status_code == status, refused.json()
    assert not Story.objects.exists() and not StoredFile.objects.exists()


@pytest.mark.parametrize("caption", ["x" * 501, "a\x00b"])
def test_captions_that_are_refused(api: Api, author: User, caption: str) -> None:
    refused = api.as_user(author).upload(OWN, {"media": picture(), "caption": caption})
    assert refused.status_code == 400
    assert not StoredFile.objects.exists()


def test_without_a_file(api: Api, author: User) -> None:
    assert api.as_user(author).upload(OWN, {"caption": "Nothing"}).json()["errors"][0]["field"] == "media"


def test_a_hundred_a_day(api: Api, author: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "PER_PERSON", Limit("stories:person", 1, timedelta(days=1)))
    me = api.as_user(author)
    assert me.upload(OWN, {"media": picture()}).status_code == 201
    assert me.upload(OWN, {"media": picture()}).status_code == 429


# --- Views ----------------------------------------------------------------------------------------------------------


def test_a_view_is_counted_once_and_seen_by_the_author_only(api: Api, author: User, follower: User) -> None:
    story = make_story(author)
    viewer, owner = api.as_user(follower), api.as_user(author)
    for _ in range(2):
        viewed = viewer.post(url(story, "/view")).json()
        assert (viewed["seen"], viewed["viewsCount"]) == (True, None)
    owner.post(url(story, "/view"))
    assert owner.get(OWN).json()["items"][0]["viewsCount"] == 1
    (row,) = owner.get(url(story, "/viewers")).json()["items"]
    assert row["user"]["id"] == str(follower.pk)
    assert shown_to(api, follower)[0]["hasUnseen"] is False
    refused = viewer.get(url(story, "/viewers"))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_the_author")


def test_moderators_do_not_see_the_viewers(api: Api, author: User, moderator: User) -> None:
    story = make_story(author)
    assert api.as_user(moderator).get(url(story, "/viewers")).status_code == 404
    Follow.objects.create(follower=moderator, followed=author)
    assert api.as_user(moderator).get(url(story, "/viewers")).status_code == 403


def test_viewers_are_read_by_cursor_and_without_those_who_are_hidden(
    api: Api, author: User, person: Callable[..., User]
) -> None:
    story, now = make_story(author), timezone.now()
    viewers = [person(f"v{number}") for number in range(5)]
    for viewer in viewers:
        follow(person=viewer, other_id=author.pk, now=now)
        stories.view_story(viewer=viewer, story_id=story.pk, now=now)
    relations.block(person=viewers[1], other_id=author.pk, now=now)
    me = api.as_user(author)
    names = [row["user"]["firstName"] for row in by_cursor(me, url(story, "/viewers"), {}, 2)]
    assert names == ["V4", "V3", "V2", "V0"]


# --- Who sees it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["stranger", "blocked", "blocking", "unfollowed", "suspended", "hidden", "ended"])
def test_who_does_not_see_it(api: Api, author: User, follower: User, stranger: User, why: str) -> None:
    story, now = make_story(author), timezone.now()
    who = stranger if why == "stranger" else follower
    if why == "blocked":
        relations.block(person=author, other_id=follower.pk, now=now)
    elif why == "blocking":
        relations.block(person=follower, other_id=author.pk, now=now)
    elif why == "unfollowed":
        Follow.objects.all().delete()
    elif why == "suspended":
        User.objects.filter(pk=author.pk).update(status=Status.SUSPENDED)
    elif why == "hidden":
        Story.objects.update(hidden_at=now)
    elif why == "ended":
        Story.objects.update(created_at=now - timedelta(days=2), expires_at=now)
    me = api.as_user(who)
    assert me.get(STORIES).json()["items"] == []
    absent = me.post(f"{STORIES}/{follower.pk}/view")
    for method, what in ((me.post, "/view"), (me.get, "/viewers"), (me.delete, "")):
        answer = method(url(story, what))
        assert answer.status_code == absent.status_code == 404
        assert {**answer.json(), "requestId": ""} == {**absent.json(), "requestId": ""}
    assert not StoryView.objects.exists()


def test_the_muted_are_left_out_and_can_be_opened(api: Api, author: User, follower: User) -> None:
    story = make_story(author)
    Mute.objects.create(muter=follower, muted=author)
    assert shown_to(api, follower) == []
    assert api.as_user(follower).post(url(story, "/view")).status_code == 200


def test_stories_come_by_author_the_newest_first(api: Api, follower: User, author: User, person: Any) -> None:
    others = [person(f"p{number}") for number in range(3)]
    for other in others:
        Follow.objects.create(follower=follower, followed=other)
    made = [make_story(who) for who in (*others, author, others[0])]
    me = api.as_user(follower)
    walked = by_cursor(me, STORIES, {}, 2)
    assert walked == by_number(me, STORIES, {}, 2)
    assert [group["author"]["firstName"] for group in walked] == ["P0", "Author", "P2", "P1"]
    assert [story["id"] for story in walked[0]["stories"]] == [str(made[4].pk), str(made[0].pk)]
    now = timezone.now()
    expected = {follow.followed_id for follow in selectors.authors(follower, now)}
    assert {row.author_id for row in selectors.author_rows(follower, now, limit=50)} == expected
    assert me.get(STORIES, {"withTotal": "true"}).json()["total"] == 4


@pytest.mark.parametrize("path", [STORIES, OWN])
def test_a_list_takes_the_same_queries_for_one_and_for_ten(
    api: Api, follower: User, author: User, django_assert_num_queries: Any, path: str
) -> None:
    me = api.as_user(follower if path == STORIES else author)
    for number in (1, 9):
        for _ in range(number):
            make_story(author)
        with django_assert_num_queries(3 if path == STORIES else 2):  # the session, the authors, the stories
            me.get(path)


# --- The end --------------------------------------------------------------------------------------------------------


def test_it_ends_by_the_clock_with_its_links(api: Api, author: User, follower: User) -> None:
    begun = timezone.now()
    story = make_story(author, now=begun)
    with time_machine.travel(begun + timedelta(hours=23, minutes=55)):
        (group,) = shown_to(api, follower)
        link = path_of(group["stories"][0]["media"]["url"])
        assert api.get(link).status_code == 200
    with time_machine.travel(begun + timedelta(hours=24, seconds=1)):
        assert shown_to(api, follower) == []
        assert api.as_user(author).get(OWN).json()["items"] == []
        assert api.as_user(follower).post(url(story, "/view")).status_code == 404
        assert api.get(link).status_code == 404, "its link ends with it"


def test_the_job_removes_row_views_and_bytes(api: Api, author: User, follower: User) -> None:
    ended, lasting = make_story(author), make_story(author)
    stories.view_story(viewer=follower, story_id=ended.pk, now=timezone.now())
    now = timezone.now()
    Story.objects.filter(pk=ended.pk).update(created_at=now - timedelta(days=1), expires_at=now)
    assert run(DELETE_STORIES, now=now).done == 1
    assert run(DELETE_STORIES, now=now).due == 0
    drain_outbox()
    assert [story.pk for story in Story.objects.all()] == [lasting.pk]
    assert not StoryView.objects.exists()
    file = StoredFile.objects.get(pk=ended.file_id)
    assert (file.deleted_at, file.wrapped_key) == (now, None)


def test_a_story_is_deleted_by_its_author_or_a_moderator(
    api: Api, author: User, follower: User, moderator: User
) -> None:
    story, other = make_story(author), make_story(author)
    link = path_of(shown_to(api, follower)[0]["stories"][1]["media"]["url"])
    refused = api.as_user(follower).delete(url(story))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_the_author")
    assert api.as_user(author).delete(url(story)).status_code == 200
    assert api.get(link).status_code == 404
    assert api.as_user(moderator).delete(url(other)).status_code == 200
    assert not Story.objects.exists()


def test_an_erasure_takes_stories_and_views_back(author: User, follower: User, stranger: User) -> None:
    now, seen, own = timezone.now(), make_story(author), make_story(follower)
    Follow.objects.create(follower=stranger, followed=author)
    for viewer in (follower, stranger):
        stories.view_story(viewer=viewer, story_id=seen.pk, now=now)
    exported = dict(rows_of(follower.pk))
    assert [row["id"] for row in exported["social/stories.json"]] == [own.pk]
    assert [row["storyId"] for row in exported["social/story-views.json"]] == [seen.pk]
    User.objects.filter(pk=follower.pk).update(deletion_due_at=now)
    erase_when_due(user_id=follower.pk, now=now)
    (left,) = Story.objects.all()
    assert (left.pk, left.views_count, StoryView.objects.count()) == (seen.pk, 1, 1)
    assert StoredFile.objects.get(pk=own.file_id).deleted_at is not None


# --- Races ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_view_at_once(author: User, person: Callable[..., User]) -> None:
    story, viewers = make_story(author), [person() for _ in range(5)]
    Follow.objects.bulk_create(Follow(follower=viewer, followed=author) for viewer in viewers)
    view = partial(stories.view_story, story_id=story.pk, now=timezone.now())
    assert together(*(partial(view, viewer=viewer) for viewer in viewers * 2)) == [None] * 10
    story.refresh_from_db()
    assert (story.views_count, StoryView.objects.count()) == (5, 5)


@pytest.mark.django_db(transaction=True)
def test_one_views_twice_at_once_twin(author: User, follower: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock both find that nobody has viewed it, and only the table's own rule stops the second: a crash."""
    story, met = make_story(author), Barrier(2)

    def read(*args: Any, is_locked: bool) -> Story:
        return Story.objects.get(pk=story.pk)

    class Meeting:
        @staticmethod
        def filter(**where: Any) -> Any:
            found = StoryView._default_manager.filter(**where)
            is_there = found.exists()
            met.wait(timeout=WAIT_LIMIT)
            return found if is_there else found.none()

        create = StoryView._default_manager.create

    class Views:
        objects = Meeting

    monkeypatch.setattr(stories, "access_story", read)
    monkeypatch.setattr(stories, "StoryView", Views)
    view = partial(stories.view_story, viewer=follower, story_id=story.pk, now=timezone.now())
    outcomes = together(view, view)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IntegrityError", "NoneType"]
