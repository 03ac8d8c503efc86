"""Pictures of what was reported: they stay for the case, and only moderators see them, each view recorded."""

from datetime import timedelta
from typing import Any

from django.test import Client

from accounts.models import User
from core import clock
from core.jobs.runner import run
from core.models import Event
from core.privacy.erasure import erase_person
from core.testing import Api, drain_outbox
from social.jobs import DELETE_STORIES
from social.models import Case, Decision, Post, Story
from social.privacy import CASES_KEPT, delete_old_cases
from social.services.decisions import undo
from social.services.follows import follow
from social.testing import act, case_about, make_ad, make_story
from uploads.models import FileHold, StoredFile
from uploads.testing import picture


def address(case: Case, file_id: Any) -> str:
    return f"/admin/social/case/{case.pk}/picture/{file_id}"


def look(staff: User, case: Case, file_id: Any) -> tuple[int, bytes]:
    client = Client()
    client.force_login(staff)
    answer: Any = client.get(address(case, file_id))
    return answer.status_code, b"".join(answer.streaming_content) if answer.streaming else b""


def test_a_picture_stays_for_the_case_when_its_author_deletes_the_post(
    api: Api, author: User, stranger: User, moderator: User, person: Any
) -> None:
    made = api.as_user(author).upload("/api/social/posts", {"media": [picture()]}).json()
    post, file_id = Post.objects.get(pk=made["id"]), made["media"][0]["id"]
    case = case_about(post, stranger)
    before = look(moderator, case, file_id)
    api.as_user(author).delete(f"/api/social/posts/{post.pk}")
    drain_outbox()
    assert look(moderator, case, file_id) == before and before[0] == 200
    looks = Event.objects.filter(kind="moderation.picture_shown", subject_id=case.pk, actor_id=moderator.pk)
    assert [event.facts["file_id"] for event in looks] == [file_id] * 2
    for other in (stranger, person("reviewer", role="reviewer")):
        assert look(other, case, file_id)[0] in (302, 403, 404)
    another = case_about(make_story(moderator), follower_of(moderator, person), "story")
    assert look(person("colleague", role="moderator"), another, file_id)[0] == 404  # a picture of another case
    assert look(moderator, another, Story.objects.get().file_id)[0] == 404  # a case about the moderator
    assert looks.count() == 2


def follower_of(author: User, person: Any) -> User:
    follower: User = person("follower of somebody")
    follow(person=follower, other_id=author.pk, now=clock.now())
    return follower


def test_a_story_is_looked_at_after_its_day(author: User, follower: User, moderator: User) -> None:
    story = make_story(author, caption="Buy now")
    case = case_about(story, follower, "story")
    run(DELETE_STORIES, now=clock.now() + timedelta(days=2))
    drain_outbox()
    assert not Story.objects.exists()
    assert look(moderator, case, story.file_id)[0] == 200
    act(moderator, case, "warn")


def test_pictures_go_with_the_case(author: User, follower: User, moderator: User) -> None:
    story = make_story(author)
    case = case_about(story, follower, "story")
    case.closed_at = clock.now()
    case.save()
    run(DELETE_STORIES, now=clock.now() + timedelta(days=2))
    assert delete_old_cases(now=clock.now() + CASES_KEPT - timedelta(days=1)) == 0
    assert delete_old_cases(now=clock.now() + CASES_KEPT + timedelta(days=1)) == 1
    assert not FileHold.objects.exists() and StoredFile.objects.get(pk=story.file_id).wrapped_key is None


def test_pictures_go_with_the_person(author: User, follower: User, moderator: User) -> None:
    ad = make_ad(author, approved_by=moderator)
    case = case_about(ad, follower, "ad")
    erase_person(person_id=author.pk, now=clock.now())
    drain_outbox()
    assert not FileHold.objects.exists() and StoredFile.objects.get(pk=ad.file_id).deleted_at is not None
    assert look(moderator, case, ad.file_id)[0] == 404


def test_a_hidden_story_or_ad_is_shown_to_its_author_only(
    api: Api, author: User, follower: User, moderator: User
) -> None:
    story, ad = make_story(author), make_ad(author, approved_by=moderator)

    def seen() -> tuple[int, bool]:
        me = api.as_user(follower)
        feed = me.get("/api/social/feed").json()["items"]
        return len(me.get("/api/social/stories").json()["items"]), any(item["kind"] == "ad" for item in feed)

    def own() -> list[str | None]:
        me = api.as_user(author)
        return [me.get(f"/api/profile/{kind}").json()["items"][0]["moderation"] for kind in ("stories", "ads")]

    before = seen()
    act(moderator, case_about(story, follower, "story"), "hide")
    act(moderator, case_about(ad, follower, "ad"), "hide")
    assert (seen(), own()) == ((0, False), ["hidden", "hidden"])
    for decision in Decision.objects.all():
        undo(moderator=moderator, decision_id=decision.pk, now=clock.now())
    assert (seen(), own()) == (before, [None, None])
