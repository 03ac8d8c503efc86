"""The pages of moderation in the admin: who sees which, what they do, and that reporters are on none of them."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.models import Event
from social.models import Appeal, Case, Decision, Post
from social.services.appeals import appeal
from social.services.decisions import open_case
from social.testing import act, case_about, make_post

QUEUE = "/admin/social/case/"


def page_of(case: Case) -> str:
    return f"{QUEUE}{case.pk}/change/"


def entered(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def reporter(person: Any) -> User:
    made: User = person("Rumpelstiltskin")
    return made


@pytest.fixture
def case(author: User, reporter: User) -> Case:
    return case_about(make_post(author, "Double your money"), reporter, details="It is a fraud.")


def decide_on(client: Client, case: Case, action: str, **fields: Any) -> Any:
    seen = client.get(page_of(case)).context["seen"]
    form = {"do": "decide", "seen": str(seen), "action": action, "rule": "fraud", "days": "7", **fields}
    return client.post(page_of(case), form)


def test_moderators_decide_and_go_on(case: Case, moderator: User, author: User, reporter: User) -> None:
    client = entered(moderator)
    other = case_about(make_post(author), reporter)
    assert b"Double your money" in client.get(QUEUE).content
    answer = decide_on(client, case, "hide", next="1", words="Please do not.")
    taken = Decision.objects.get()
    assert answer.url == f"{page_of(other)}?undo={taken.pk}"
    assert (taken.action, taken.rule, taken.words, taken.decided_by) == ("hide", "fraud", "Please do not.", moderator)
    assert b"Undo" in client.get(answer.url).content
    client.post(page_of(case), {"do": "undo", "decision": str(taken.pk)})
    assert Post.objects.get(pk=case.target_id).hidden_at is None
    listed = client.get(f"{QUEUE}?undo={taken.pk}")
    assert listed.status_code == 200  # and not sent to ?e=1 for a parameter that the list does not know


def test_who_is_no_moderator_sees_nothing(case: Case, person: Any) -> None:
    for role in ("user", "reviewer"):
        client = entered(person(role, role=role))
        assert client.get(page_of(case)).status_code in (302, 404)
        assert client.get(QUEUE).status_code in (302, 403)


def test_nobody_finds_the_case_about_themselves(reporter: User, moderator: User) -> None:
    own = case_about(make_post(moderator, "My own words"), reporter)
    client = entered(moderator)
    assert b"My own words" not in client.get(f"{QUEUE}?queue=all").content
    assert client.get(page_of(own)).status_code == 404
    assert client.post(page_of(own), {"do": "take"}).status_code == 404


def test_who_reported_is_shown_on_demand_and_recorded(case: Case, moderator: User, reporter: User) -> None:
    client = entered(moderator)
    for page in (QUEUE, page_of(case)):
        shown = client.get(page).content.decode()
        assert "by 1 person" in shown
        assert reporter.first_name not in shown and str(reporter.pk) not in shown and reporter.email not in shown
    shown = client.post(page_of(case), {"do": "reporters"}).content.decode()
    assert reporter.first_name in shown
    looked = Event.objects.get(kind="moderation.reporters_shown")
    assert (looked.actor_id, looked.subject_id, looked.facts) == (moderator.pk, case.pk, {"count": 1})


def test_a_case_of_a_colleague_is_shown_and_taken_over(case: Case, moderator: User, person: Any) -> None:
    colleague = person("Colleague", role="moderator")
    open_case(moderator=colleague, case_id=case.pk, now=clock.now())
    client = entered(moderator)
    shown = client.get(page_of(case))
    assert b"Colleague Example is working on this case" in shown.content and b"data-decide" not in shown.content
    refused = decide_on(client, case, "dismiss")
    assert refused.status_code == 409 and b"is working on this case" in refused.content
    client.post(page_of(case), {"do": "take"})
    assert decide_on(client, case, "dismiss").status_code == 302
    assert Event.objects.filter(kind="moderation.case_taken_over", actor_id=moderator.pk).exists()


def test_a_decision_on_what_changed_is_refused_with_what_was_typed(case: Case, moderator: User, stranger: User) -> None:
    client = entered(moderator)
    seen = client.get(page_of(case)).context["seen"]
    case_about(Post.objects.get(pk=case.target_id), stranger)
    form = {"do": "decide", "seen": str(seen), "action": "warn", "rule": "fraud", "days": "7", "words": "Please stop."}
    refused = client.post(page_of(case), form)
    assert refused.status_code == 409
    assert "1 more report" in refused.content.decode() and "Please stop." in refused.content.decode()
    assert not Decision.objects.exists()
    assert client.post(page_of(case), {**form, "seen": str(refused.context["seen"])}).status_code == 302


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "delete"},
        {"action": "warn", "rule": "boring"},
        {"action": "freeze", "rule": "spam", "days": "100000"},
        {"action": "freeze", "rule": "spam"},
        {"action": "note"},
        {"action": "dismiss", "words": "x" * 1001},
    ],
)
def test_bad_forms_are_refused(case: Case, moderator: User, form: dict[str, str]) -> None:
    client = entered(moderator)
    seen = client.get(page_of(case)).context["seen"]
    assert client.post(page_of(case), {"do": "decide", "seen": str(seen), **form}).status_code == 400
    assert client.post(page_of(case), {"do": "explode"}).status_code == 404
    for nonsense in ("", "1", "9-9-9", "²-1-x", "99999999999-1-x"):
        answer = client.post(page_of(case), {"do": "decide", "seen": nonsense, "action": "dismiss"})
        assert answer.status_code == 409
    assert not Decision.objects.exists()


def test_what_was_reported_stays_in_view_when_it_is_edited(case: Case, moderator: User) -> None:
    Post.objects.filter(pk=case.target_id).update(content="Nothing to see here")
    shown = entered(moderator).get(page_of(case)).content.decode()
    assert "Double your money" in shown and "Nothing to see here" in shown


def test_an_appeal_is_kept_from_who_decided(case: Case, moderator: User, person: Any, author: User) -> None:
    taken = act(moderator, case, "hide")
    made = appeal(person=author, decision_id=taken.pk, text="It is only a joke.", now=clock.now())
    page = f"/admin/social/appeal/{made.pk}/change/"
    assert entered(moderator).get(page).status_code == 404
    client = entered(person("colleague", role="moderator"))
    assert b"It is only a joke." in client.get(page).content
    assert client.post(page, {"outcome": "overturned"}).status_code == 400
    assert client.post(page, {"outcome": "overturned", "answer": "Indeed."}).status_code == 302
    assert Appeal.objects.get().status == "overturned"
    assert Post.objects.get(pk=case.target_id).hidden_at is None
    assert client.post(page, {"outcome": "upheld", "answer": "No."}).status_code == 409
