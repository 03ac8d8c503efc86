"""Reporting things, who may, and what several trusted people bring about."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.reportable import TARGETS, TargetType
from accounts.services import relations
from campaigns.testing import make_campaign
from chat.models import Message
from chat.tests.factories import direct, say
from core import clock
from core.testing import Api, deliver_events
from notifications.models import Notification
from social.models import Case, Channel, Decision, Group, Membership, Post, Report
from social.services.decisions import Seen, decide
from social.services.follows import follow
from social.testing import make_ad, make_comment, make_post, make_story

REPORTS = "/api/social/reports"


def ask(api: Api, who: User, thing: Any, target_type: str = "post", **body: Any) -> Any:
    return api.as_user(who).post(
        REPORTS, {"targetType": target_type, "targetId": str(thing.pk), "reason": "spam", **body}
    )


@pytest.fixture
def trusted(person: Callable[..., User]) -> Callable[[int], User]:
    """Somebody with a proven identity who joined so many days ago."""

    def make(days: int) -> User:
        return person(f"trusted{days}", identity=True, created_at=clock.now() - timedelta(days=days))

    return make


def test_a_report_is_taken_once(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    first = ask(api, stranger, post, details="Sells pills.")
    assert (first.status_code, first.json()["status"], first.json()["targetType"]) == (201, "open", "post")
    again = ask(api, stranger, post, reason="fraud")
    assert (again.status_code, again.json()) == (200, first.json())
    case = Case.objects.get()
    assert (case.report_count, case.person, case.versions[0]["words"]) == (1, author, post.content)
    assert Report.objects.get().details == "Sells pills."


def message_of(sender: User, other: User) -> Message:
    return Message.objects.get(pk=say(sender, direct(sender, other)).id)


def test_somebody_who_was_blocked_first_can_be_reported(api: Api, author: User, stranger: User) -> None:
    relations.block(person=stranger, other_id=author.pk, now=clock.now())
    assert ask(api, stranger, author, "user").status_code == 201
    assert ask(api, author, stranger, "user").json()["code"] == "not_found"


def test_everything_that_is_there_can_be_reported(
    api: Api, author: User, stranger: User, moderator: User, person: Any
) -> None:
    post = make_post(author)
    group = Group.objects.create(name="G", name_key="g", visibility="public", join_policy="open")
    Membership.objects.create(group=group, user=author, role="owner", status="member", changed_at=clock.now())
    things = {
        "post": post,
        "comment": make_comment(author, post),
        "user": author,
        "group": group,
        "channel": Channel.objects.create(name="C", name_key="c", owner=author),
        "campaign": make_campaign(person("founder", identity=True)),
        "story": make_story(author),
        "ad": make_ad(author, approved_by=moderator),
        "message": message_of(author, stranger),
    }
    follow(person=stranger, other_id=author.pk, now=clock.now())
    assert set(things) == set(TARGETS) == set(TargetType.values)
    for target_type, thing in things.items():
        assert ask(api, stranger, thing, target_type).status_code == 201, target_type
    assert set(Case.objects.values_list("target_type", flat=True)) == set(things)
    owners = set(Case.objects.exclude(target_type="campaign").values_list("person", flat=True))
    assert owners == {author.pk}


def test_what_somebody_cannot_see_they_cannot_report(api: Api, author: User, stranger: User, person: Any) -> None:
    hidden = make_post(author, visibility="followers")
    secret = Group.objects.create(name="S", visibility="secret", join_policy="invite")
    blocker = person("blocker")
    relations.block(person=blocker, other_id=stranger.pk, now=clock.now())
    deleted = make_comment(author, make_post(author))
    waiting = make_ad(author)
    private_talk = message_of(author, person("friend"))
    api.as_user(author).delete(f"/api/social/posts/{deleted.post_id}/comments/{deleted.pk}")
    refused = [
        ask(api, stranger, hidden),
        ask(api, stranger, secret, "group"),
        ask(api, stranger, blocker, "user"),
        ask(api, stranger, make_post(blocker)),
        ask(api, stranger, deleted, "comment"),
        ask(api, stranger, hidden, "comment"),  # an id of something else
        ask(api, stranger, make_story(author), "story"),  # the stranger does not follow its author
        ask(api, stranger, waiting, "ad"),
        ask(api, stranger, private_talk, "message"),
        ask(api, stranger, hidden, "message"),
    ]
    bodies = [{name: value for name, value in answer.json().items() if name != "requestId"} for answer in refused]
    assert [answer.status_code for answer in refused] == [404] * 10
    assert all(body == bodies[0] for body in bodies)
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"targetType": "reaction"}, "targetType"),
        ({"targetId": "nonsense"}, "targetId"),
        ({"reason": "boring"}, "reason"),
        ({"details": "x" * 2001}, "details"),
    ],
)
def test_bad_reports_are_refused(api: Api, author: User, stranger: User, body: dict[str, Any], field: str) -> None:
    refused = ask(api, stranger, make_post(author), **body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    assert not Case.objects.exists()


def test_nobody_reports_their_own(api: Api, author: User) -> None:
    post = make_post(author)
    assert ask(api, author, post).json()["code"] == "own_thing"
    assert ask(api, author, author, "user").json()["code"] == "own_thing"


def test_each_version_that_was_reported_is_kept(api: Api, author: User, stranger: User, follower: User) -> None:
    post = make_post(author, "Double your money")
    ask(api, stranger, post)
    api.as_user(author).put(f"/api/social/posts/{post.pk}", {"content": "Nothing to see here"})
    ask(api, follower, post)
    versions = Case.objects.get().versions
    assert [version["words"] for version in versions] == ["Double your money", "Nothing to see here"]


def test_reporting_is_limited(api: Api, author: User, stranger: User) -> None:
    post, caller = make_post(author), api.as_user(stranger)
    body = {"targetType": "post", "targetId": str(post.pk), "reason": "spam"}
    codes = [caller.post(REPORTS, body).status_code for _ in range(61)]
    assert codes == [201] + [200] * 59 + [429]


# --- Holding back ---------------------------------------------------------------------------------------------------


def test_three_trusted_people_hold_a_post_back(
    api: Api, author: User, stranger: User, trusted: Callable[[int], User]
) -> None:
    post = make_post(author)
    for days in (30, 40):
        ask(api, trusted(days), post)
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 200
    ask(api, trusted(50), post)
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 404
    assert api.as_user(author).get(f"/api/social/posts/{post.pk}").json()["moderation"] == "held"
    deliver_events()
    assert Notification.objects.get(user_id=author.pk).kind == "moderation_held"


def test_three_trusted_people_hold_a_comment_back(
    api: Api, author: User, stranger: User, trusted: Callable[[int], User]
) -> None:
    comment = make_comment(author, make_post(stranger))
    for days in (30, 40, 50):
        ask(api, trusted(days), comment, "comment")
    address = f"/api/social/posts/{comment.post_id}/comments"
    assert api.as_user(stranger).get(address).json()["items"] == []
    (mine,) = api.as_user(author).get(address).json()["items"]
    assert mine["moderation"] == "held"


def test_people_who_are_not_trusted_hold_nothing_back(
    api: Api, author: User, person: Any, trusted: Callable[[int], User]
) -> None:
    post, now = make_post(author), clock.now()
    old = now - timedelta(days=90)
    sanctioned = trusted(60)
    bad = Case.objects.create(target_type="user", target_id=sanctioned.pk, person=sanctioned, closed_at=now)
    Decision.objects.create(case=bad, person=sanctioned, action="warn", rule="spam", decided_by=author)
    cried_wolf = trusted(61)
    for _ in range(2):
        lost = Case.objects.create(target_type="user", target_id=author.pk, person=author, closed_at=now)
        Report.objects.create(case=lost, reporter=cried_wolf, reason="spam", outcome="dismissed")
    crowd = [
        trusted(6),  # joined less than a week ago
        *(person(f"plain{n}", created_at=old) for n in range(3)),  # of no proven identity, and without upheld reports
        *(person(f"brigade{n}", identity=True, created_at=old) for n in range(3)),  # joined together: they are one
        sanctioned,
        cried_wolf,
        trusted(62),
    ]
    for reporter in crowd:
        assert ask(api, reporter, post).status_code == 201
    case = Case.objects.get(target_id=post.pk)
    assert (case.report_count, case.trusted_count, case.held_at) == (10, 2, None)


def test_an_upheld_report_is_a_reason_to_trust(api: Api, author: User, moderator: User, person: Any) -> None:
    reporter = person("reporter", created_at=clock.now() - timedelta(days=90))
    ask(api, reporter, first := make_post(author))
    assert not Report.objects.get().is_trusted
    case = Case.objects.get(target_id=first.pk)
    decide(moderator=moderator, case_id=case.pk, seen=Seen.of(case), action="warn", rule="spam", now=clock.now())
    ask(api, reporter, make_post(author))
    assert Report.objects.latest("pk").is_trusted


def test_what_was_found_harmless_is_not_held_back_again(
    api: Api, author: User, moderator: User, trusted: Callable[[int], User]
) -> None:
    post = make_post(author)
    for days in (30, 40, 50):
        ask(api, trusted(days), post)
    case = Case.objects.get()
    decide(moderator=moderator, case_id=case.pk, seen=Seen.of(case), action="dismiss", now=clock.now())
    assert Post.objects.get().held_at is None
    for days in (31, 41, 51):
        ask(api, trusted(days), post)
    assert Post.objects.get().held_at is None
    api.as_user(author).put(f"/api/social/posts/{post.pk}", {"content": "Double your money"})
    ask(api, trusted(52), post)
    assert Post.objects.get().held_at is not None


def test_holding_back_can_be_switched_off(
    api: Api, author: User, trusted: Callable[[int], User], settings: Settings
) -> None:
    settings.MODERATION_HOLD_AFTER = 0
    post = make_post(author)
    for days in (30, 40, 50):
        ask(api, trusted(days), post)
    assert Post.objects.get().held_at is None
