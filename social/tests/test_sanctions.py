"""What moderators decide, what it does, undoing it exactly, and appeals."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import administration
from accounts.testing import PASSWORD
from core import clock
from core.testing import Api, deliver_events, drain_outbox
from notifications.models import MailboxMessage, Notification
from social.errors import (
    ActionNotPossible,
    AlreadyUndone,
    CaseAboutYou,
    CaseChanged,
    CaseClaimed,
    CaseDecided,
    OwnDecision,
)
from social.models import (
    Appeal,
    Case,
    Comment,
    Decision,
    Group,
    Membership,
    Post,
    PostCounts,
)
from social.services.appeals import judge_appeal
from social.services.decisions import Seen, decide, open_case, put_back, undo
from social.services.follows import follow
from social.testing import act, case_about, make_channel, make_comment, make_post, put_in_channel
from uploads.models import StoredFile
from uploads.testing import picture

SANCTIONS = "/api/social/sanctions"
DAY = timedelta(days=1)


@pytest.fixture
def colleague(person: Any) -> User:
    made: User = person("colleague", role="moderator")
    return made


# --- What each does -------------------------------------------------------------------------------------------------


def test_a_hidden_post_is_seen_by_its_author_and_moderators_only(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    post = make_post(author)
    address = f"/api/social/posts/{post.pk}"
    hidden = act(moderator, case_about(post, stranger), "hide", words="Please be kind.")
    assert api.as_user(stranger).get(address).status_code == 404
    assert api.as_user(author).get(address).json()["moderation"] == "hidden"
    assert api.as_user(moderator).get(address).status_code == 200
    undo(moderator=moderator, decision_id=hidden.pk, now=clock.now())
    assert api.as_user(stranger).get(address).json()["moderation"] is None


def test_the_pin_of_a_hidden_post_stays_while_nobody_needs_its_place(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    channel = make_channel(author)
    posts = [make_post(author, f"Post {n}", channel_id=channel.pk) for n in range(5)]

    def pin(post: Post) -> int:
        address = f"/api/social/channels/{channel.pk}/posts/{post.pk}/pin"
        status: int = api.as_user(author).post(address).status_code
        return status

    def pinned() -> list[str]:
        body = api.as_user(stranger).get(f"/api/social/channels/{channel.pk}").json()
        return [post["content"] for post in body["pinnedPosts"]]

    put_in_channel(channel, stranger)
    assert [pin(post) for post in posts[:2]] == [200, 200]
    first = act(moderator, case_about(posts[0], stranger), "hide")
    assert (pinned(), pin(posts[2])) == (["Post 1"], 200)
    undo(moderator=moderator, decision_id=first.pk, now=clock.now())
    assert pinned() == ["Post 0", "Post 1", "Post 2"] and pin(posts[3]) == 409
    second = act(moderator, Case.objects.get(target_id=posts[0].pk), "hide")
    assert (pin(posts[3]), pin(posts[4])) == (200, 409)
    undo(moderator=moderator, decision_id=second.pk, now=clock.now())
    assert pinned() == ["Post 1", "Post 2", "Post 3"], "its place was taken"


def test_a_post_is_in_feeds_again_after_the_undo(
    api: Api, author: User, stranger: User, follower: User, moderator: User
) -> None:
    post = make_post(author)
    deliver_events()
    drain_outbox()

    def feed(person: User) -> list[str]:
        items = api.as_user(person).get("/api/social/feed").json()["items"]
        return [item["post"]["id"] for item in items if item["kind"] == "post"]

    hidden = act(moderator, case_about(post, follower), "hide")
    follow(person=stranger, other_id=author.pk, now=clock.now())  # while it is hidden
    deliver_events()
    assert feed(follower) == feed(stranger) == []
    undo(moderator=moderator, decision_id=hidden.pk, now=clock.now())
    drain_outbox()
    assert feed(follower) == feed(stranger) == [str(post.pk)]


def test_pictures_of_a_hidden_post_leave_their_addresses(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    made = api.as_user(author).upload("/api/social/posts", {"media": [picture()]}).json()
    post = Post.objects.get(pk=made["id"])
    hidden = act(moderator, case_about(post, stranger), "hide")
    assert StoredFile.objects.get(purpose="post").visibility == "private"
    api.as_user(author).put(f"/api/social/posts/{post.pk}", {"content": "Edited", "mediaAlt": ["A roof"]})
    assert StoredFile.objects.get(purpose="post").visibility == "private"
    undo(moderator=moderator, decision_id=hidden.pk, now=clock.now())
    assert StoredFile.objects.get(purpose="post").visibility == "public"


def counts_of(post: Post, comment: Comment) -> tuple[int, int]:
    return PostCounts.objects.get(post=post).comment_count, Comment.objects.get(pk=comment.pk).replies_count


def test_counts_follow_hidden_comments_exactly(author: User, stranger: User, moderator: User) -> None:
    post = make_post(author)
    comment = make_comment(author, post)
    reply = make_comment(author, post, answers_id=comment.pk)
    assert counts_of(post, comment) == (2, 1)
    hidden = act(moderator, case_about(reply, stranger, "comment"), "hide")
    assert counts_of(post, comment) == (1, 0)
    undo(moderator=moderator, decision_id=hidden.pk, now=clock.now())
    assert counts_of(post, comment) == (2, 1)
    again = act(moderator, Case.objects.get(target_id=reply.pk), "hide")
    from social.services.comments import delete_comment

    delete_comment(person=author, post_id=post.pk, comment_id=reply.pk, now=clock.now())
    undo(moderator=moderator, decision_id=again.pk, now=clock.now())  # it is gone: nothing comes back
    assert counts_of(post, comment) == (1, 0)


def test_who_is_frozen_reads_and_writes_nothing(api: Api, author: User, stranger: User, moderator: User) -> None:
    post = make_post(author)
    frozen = act(moderator, case_about(post, stranger), "freeze", days=1)
    me = api.as_user(author)
    refused = [
        me.post("/api/social/posts", {"content": "Hello"}),
        me.put(f"/api/social/posts/{post.pk}", {"content": "Hello"}),
        me.post(f"/api/social/posts/{post.pk}/comments", {"content": "Hello"}),
        me.post(f"/api/social/posts/{post.pk}/like"),
        me.post("/api/chat/conversations", {"participants": [str(stranger.pk)], "type": "direct"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "account_frozen")] * 5
    assert refused[0].json()["until"] == frozen.until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert me.get(f"/api/social/posts/{post.pk}").status_code == 200
    assert me.delete(f"/api/social/posts/{post.pk}").status_code == 200
    with time_machine.travel(clock.now() + DAY, tick=True):
        assert api.as_user(author).post("/api/social/posts", {"content": "Hello"}).status_code == 201


def test_a_suspension_ends_by_the_clock(api: Api, author: User, stranger: User, moderator: User) -> None:
    me = api.as_user(author)
    act(moderator, case_about(author, stranger, "user"), "suspend", days=1)
    assert me.get("/api/auth/me").status_code == 401
    login = {"email": author.email, "password": PASSWORD}
    assert api.post("/api/auth/login", login).json()["code"] == "account_suspended"
    with time_machine.travel(clock.now() + DAY, tick=True):
        assert api.post("/api/auth/login", login).status_code == 200
        author.refresh_from_db()
        assert (author.status, author.suspended_until) == ("active", None)


def test_posts_come_back_after_a_suspension_without_their_author(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    from accounts.jobs import END_SUSPENSIONS
    from core.jobs.runner import run

    post = make_post(author)
    act(moderator, case_about(author, stranger, "user"), "suspend", days=1)
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 404
    assert run(END_SUSPENSIONS, now=clock.now() + DAY - timedelta(seconds=60)).done == 0
    assert run(END_SUSPENSIONS, now=clock.now() + DAY).done == 1
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 200


def test_undoing_one_of_two_freezes_leaves_the_other(author: User, stranger: User, moderator: User) -> None:
    longer = act(moderator, case_about(make_post(author), stranger), "freeze", days=7)
    shorter = act(moderator, case_about(make_post(author), stranger), "freeze", days=1)
    undo(moderator=moderator, decision_id=longer.pk, now=clock.now())
    author.refresh_from_db()
    assert author.frozen_until == shorter.until
    undo(moderator=moderator, decision_id=shorter.pk, now=clock.now())
    author.refresh_from_db()
    assert author.frozen_until is None


def test_undoing_does_not_reinstate_whom_an_operator_suspended(author: User, stranger: User, moderator: User) -> None:
    short = act(moderator, case_about(author, stranger, "user"), "suspend", days=1)
    administration.suspend(user_id=author.pk, reason="Court order", by=None, now=clock.now())
    undo(moderator=moderator, decision_id=short.pk, now=clock.now())
    author.refresh_from_db()
    assert (author.status, author.suspended_until) == ("suspended", None)


def test_one_decision_may_freeze_and_hide(author: User, stranger: User, moderator: User) -> None:
    post = make_post(author)
    act(moderator, case_about(post, stranger), "freeze", days=1, hides=True)
    post.refresh_from_db()
    author.refresh_from_db()
    assert post.hidden_at and author.frozen_until
    assert set(Decision.objects.values_list("action", flat=True)) == {"hide", "freeze"}
    deliver_events()
    (told,) = Notification.objects.filter(user_id=author.pk)
    assert (told.kind, told.data["hides"]) == ("moderation_frozen", True)


def test_a_note_stays_among_staff_and_leaves_the_case_open(author: User, stranger: User, moderator: User) -> None:
    case = case_about(make_post(author), stranger)
    act(moderator, case, "note", note="Third time this week.")
    deliver_events()
    case.refresh_from_db()
    assert case.closed_at is None
    assert not Notification.objects.exists()


# --- Being told, in plain words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["warn", "hide", "freeze", "suspend"])
def test_the_person_is_told_what_why_and_how_to_appeal(
    action: str, author: User, stranger: User, moderator: User
) -> None:
    post = make_post(author, "You fools, buy now")
    days = 1 if action in ("freeze", "suspend") else 0
    act(moderator, case_about(post, stranger), action, words="Please be kind.", days=days)
    drain_outbox()
    entry = Notification.objects.get(user_id=author.pk)
    mail = MailboxMessage.objects.exclude(subject__contains="suspension is wrong").get(to=author.email)
    from notifications.mailbox import _content

    text = _content(mail)["text"]
    for said in ("You fools, buy now", "no insults", "Please be kind.", "appeal"):
        assert said in text, said
    assert entry.data["targetType"] == "post"


# --- Who may decide what --------------------------------------------------------------------------------------------


def test_nobody_decides_about_themselves(moderator: User, stranger: User, colleague: User) -> None:
    case = case_about(make_post(moderator), stranger)
    for refused in (
        lambda: open_case(moderator=moderator, case_id=case.pk, now=clock.now()),
        lambda: decide(moderator=moderator, case_id=case.pk, seen=Seen.of(case), action="dismiss", now=clock.now()),
    ):
        with pytest.raises(CaseAboutYou):
            refused()
    warned = act(colleague, case, "warn")
    with pytest.raises(CaseAboutYou):
        undo(moderator=moderator, decision_id=warned.pk, now=clock.now())


def test_staff_are_frozen_by_admins_only(moderator: User, colleague: User, stranger: User, person: Any) -> None:
    from accounts.errors import SuspensionNotYours

    case = case_about(make_post(colleague), stranger)
    with pytest.raises(SuspensionNotYours):
        act(moderator, case, "freeze", days=1)
    assert not Decision.objects.exists()
    put_back(moderator=moderator, case_id=case.pk)
    act(person("admin", role="admin"), case, "freeze", days=1)
    colleague.refresh_from_db()
    assert colleague.frozen_until


def test_a_claimed_case_is_left_to_its_moderator(
    author: User, stranger: User, moderator: User, colleague: User
) -> None:
    case = case_about(make_post(author), stranger)
    now = clock.now()
    _, seen = open_case(moderator=moderator, case_id=case.pk, now=now)
    with pytest.raises(CaseClaimed):
        decide(moderator=colleague, case_id=case.pk, seen=seen, action="dismiss", now=now)
    later = now + timedelta(minutes=10)  # the lease is over
    open_case(moderator=colleague, case_id=case.pk, now=later)
    decide(moderator=colleague, case_id=case.pk, seen=seen, action="dismiss", now=later)
    with pytest.raises(CaseDecided):
        decide(moderator=moderator, case_id=case.pk, seen=seen, action="warn", rule="spam", now=later)


def test_a_case_that_changed_is_looked_at_again(
    api: Api, author: User, stranger: User, follower: User, moderator: User
) -> None:
    post = make_post(author)
    case = case_about(post, stranger)
    _, seen = open_case(moderator=moderator, case_id=case.pk, now=clock.now())
    case_about(post, follower)
    with pytest.raises(CaseChanged) as changed:
        decide(moderator=moderator, case_id=case.pk, seen=seen, action="dismiss", now=clock.now())
    assert "1 more report" in changed.value.detail
    _, seen = open_case(moderator=moderator, case_id=case.pk, now=clock.now())
    api.as_user(author).put(f"/api/social/posts/{post.pk}", {"content": "Innocent words"})
    with pytest.raises(CaseChanged) as changed:
        decide(moderator=moderator, case_id=case.pk, seen=seen, action="dismiss", now=clock.now())
    assert "edited" in changed.value.detail


def test_what_cannot_be_hidden_is_refused(author: User, stranger: User, moderator: User) -> None:
    with pytest.raises(ActionNotPossible):
        act(moderator, case_about(author, stranger, "user"), "hide")
    post = make_post(author)
    case = case_about(post, stranger)
    from social.services.posts import delete_post

    delete_post(person=author, post_id=post.pk, now=clock.now())
    with pytest.raises(ActionNotPossible):
        act(moderator, case, "hide")
    act(moderator, case, "warn")  # of what was reported, the case kept the words


def test_a_group_is_hidden(api: Api, author: User, stranger: User, moderator: User) -> None:
    group = Group.objects.create(name="G", name_key="g", visibility="public", join_policy="open")
    Membership.objects.create(group=group, user=author, role="owner", status="member", changed_at=clock.now())
    hidden = act(moderator, case_about(group, stranger, "group"), "hide")
    assert not Group.objects.visible_to(stranger).exists()
    undo(moderator=moderator, decision_id=hidden.pk, now=clock.now())
    assert Group.objects.visible_to(stranger).exists()


def test_undone_once_and_waiting_again(author: User, stranger: User, moderator: User) -> None:
    case = case_about(make_post(author), stranger)
    warned = act(moderator, case, "warn")
    undo(moderator=moderator, decision_id=warned.pk, now=clock.now())
    case.refresh_from_db()
    assert case.closed_at is None
    assert case.reports.get().outcome == ""
    with pytest.raises(AlreadyUndone):
        undo(moderator=moderator, decision_id=warned.pk, now=clock.now())


def test_the_record_only_grows(author: User, stranger: User, moderator: User) -> None:
    warned = act(moderator, case_about(make_post(author), stranger), "warn", words="Be kind.")
    for change in (
        {"action": "dismiss"},
        {"words": "Other words"},
        {"rule": "spam"},
        {"created_at": clock.now()},
        {"person_id": stranger.pk},
    ):
        with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
            Decision.objects.filter(pk=warned.pk).update(**change)
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        Decision.objects.filter(pk=warned.pk).delete()
    assert Decision.objects.filter(pk=warned.pk).update(words="") == 1


# --- The person's list, and appeals ---------------------------------------------------------------------------------


def test_a_person_lists_what_was_decided_about_them(
    api: Api, author: User, stranger: User, moderator: User, django_assert_num_queries: Any
) -> None:
    post = make_post(author, "You fools")
    act(moderator, case_about(post, stranger), "note", note="Watch them.")
    act(moderator, Case.objects.get(), "freeze", days=1, words="Be kind.")
    (item,) = api.as_user(author).get(SANCTIONS).json()["items"]
    assert item["target"] == {"type": "post", "id": str(post.pk), "excerpt": "You fools"}
    assert (item["action"], item["reason"], item["words"], item["state"]) == ("freeze", "abuse", "Be kind.", "in_force")
    assert (item["appealable"], item["appeal"]) == (True, None)
    assert api.as_user(stranger).get(SANCTIONS).json()["items"] == []
    with time_machine.travel(clock.now() + DAY, tick=True):
        assert api.as_user(author).get(SANCTIONS).json()["items"][0]["state"] == "over"


def test_ten_take_as_many_queries_as_one(
    api: Api, author: User, stranger: User, moderator: User, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    me = api.as_user(author)
    counts = []
    for more in (1, 9):
        for _ in range(more):
            act(moderator, case_about(make_post(author), stranger), "warn")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert me.get(SANCTIONS).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def appeal_to(api: Api, who: User, decision: Decision, text: str = "It was a joke.", **headers: Any) -> Any:
    return api.as_user(who).post(f"{SANCTIONS}/{decision.pk}/appeal", {"text": text}, **headers)


def test_an_appeal_is_judged_by_somebody_else_and_undoes_exactly(
    api: Api, author: User, stranger: User, moderator: User, colleague: User
) -> None:
    post = make_post(author)
    comment = make_comment(author, post)
    hidden = act(moderator, case_about(comment, stranger, "comment"), "hide")
    made = appeal_to(api, author, hidden)
    assert (made.status_code, made.json()["status"]) == (201, "open")
    assert appeal_to(api, author, hidden).json()["code"] == "already_appealed"
    row = Appeal.objects.get()
    with pytest.raises(OwnDecision):
        judge_appeal(moderator=moderator, appeal_id=row.pk, overturn=True, answer="", now=clock.now())
    judge_appeal(moderator=colleague, appeal_id=row.pk, overturn=True, answer="You are right.", now=clock.now())
    comment.refresh_from_db()
    assert comment.hidden_at is None and PostCounts.objects.get(post=post).comment_count == 1
    item = api.as_user(author).get(SANCTIONS).json()["items"][0]
    assert (item["state"], item["appeal"]["status"], item["appeal"]["answer"]) == (
        "undone",
        "overturned",
        "You are right.",
    )
    deliver_events()
    kinds = list(Notification.objects.filter(user_id=author.pk).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["moderation_hidden", "appeal_overturned"]
    assert hidden.case.reports.get().outcome == "dismissed"


def test_an_appeal_that_fails_changes_nothing(
    api: Api, author: User, stranger: User, moderator: User, colleague: User
) -> None:
    post = make_post(author)
    hidden = act(moderator, case_about(post, stranger), "hide")
    appeal_to(api, author, hidden)
    judge_appeal(moderator=colleague, appeal_id=Appeal.objects.get().pk, overturn=False, answer="No.", now=clock.now())
    post.refresh_from_db()
    assert post.hidden_at
    assert appeal_to(api, author, hidden).json()["code"] == "already_appealed"


def test_appeals_end_and_belong_to_the_person(api: Api, author: User, stranger: User, moderator: User) -> None:
    warned = act(moderator, case_about(make_post(author), stranger), "warn")
    assert appeal_to(api, stranger, warned).status_code == 404
    assert appeal_to(api, author, warned, text="x" * 2001).status_code == 400
    assert appeal_to(api, author, warned, text=" ").status_code == 400
    with time_machine.travel(clock.now() + timedelta(days=30), tick=True):
        assert appeal_to(api, author, warned).json()["code"] == "not_appealable"
    undo(moderator=moderator, decision_id=warned.pk, now=clock.now())
    assert appeal_to(api, author, warned).json()["code"] == "not_appealable"


def test_a_suspension_can_be_appealed_after_its_end(api: Api, author: User, stranger: User, moderator: User) -> None:
    suspended = act(moderator, case_about(author, stranger, "user"), "suspend", days=60)
    with time_machine.travel(clock.now() + 61 * DAY, tick=True):
        token = api.post("/api/auth/login", {"email": author.email, "password": PASSWORD}).json()["token"]
        made = api.with_token(token).post(f"{SANCTIONS}/{suspended.pk}/appeal", {"text": "I was hacked."})
        assert made.status_code == 201
