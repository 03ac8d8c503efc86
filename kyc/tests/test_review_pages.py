"""Identity review in the admin: who may open it, what a page shows, what a click does. Pages, forms, headers."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from core.testing import commits
from kyc.models import CaseEvent, Verification
from kyc.services.decisions import decide, judge_document, take_case
from kyc.services.evidence import add_documents
from kyc.testing import submitted_case
from uploads.testing import picture

QUEUE = "/admin/kyc/verification/"


class ReviewPages:
    """The review pages in a staff member's browser."""

    def __init__(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        self.client = client

    def get(self, path: str, **query: Any) -> Any:
        with commits():
            return self.client.get(path, query)

    def post(self, path: str, **form: Any) -> Any:
        with commits():
            return self.client.post(path, form)


def address(case: Verification) -> str:
    return f"{QUEUE}{case.pk}/change/"


@pytest.fixture
def pages(client: Client, reviewer: User) -> ReviewPages:
    return ReviewPages(client, reviewer)


@pytest.fixture
def second_pages(second_reviewer: User) -> ReviewPages:
    from django.test import Client

    return ReviewPages(Client(), second_reviewer)


def output(answer: Any) -> str:
    """What the pages' message line says after an action."""
    return " ".join(str(message) for message in answer.wsgi_request._messages)


def pictures(page: Any) -> list[Any]:
    return re.findall(r'<img src="([^"]+/paper/[^"]+)"', page.content.decode())


def test_the_queue_shows_who_waits(
    pages: ReviewPages, case: Verification, applicant: User, person: Callable[..., User]
) -> None:
    submitted_case(person("other"), number="OTHER12345")
    page = pages.get(QUEUE)
    text = page.content.decode()
    assert page.status_code == 200
    for words in (applicant.email, "Passport", "In review", "Nobody", "Waiting <span>2</span>"):
        assert words in text
    assert case.number_last4 not in text
    assert "Nothing here" in pages.get(QUEUE, queue="mine").content.decode()
    assert applicant.email in pages.get(QUEUE, q="applicant").content.decode()


def test_the_queue_is_in_the_order_of_the_api(pages: ReviewPages, person: Callable[..., User]) -> None:
    names = []
    for place, (name, risk, age) in enumerate([("young", 0, 1), ("old", 0, 30), ("risky", 2, 2)]):
        made = submitted_case(person(name), number=f"ORDER{place}")
        submitted_at = timezone.now() - timedelta(hours=age)
        Verification.objects.filter(pk=made.pk).update(risk=risk, submitted_at=submitted_at)
        names.append(name)
    text = pages.get(QUEUE).content.decode()
    assert sorted(names, key=lambda name: text.index(f"<b>{name.capitalize()}")) == ["risky", "old", "young"]


@pytest.mark.parametrize(("role", "status"), [("user", 302), ("moderator", 403), ("reviewer", 200), ("admin", 200)])
def test_who_gets_in(client: Client, case: Verification, person: Callable[..., User], role: str, status: int) -> None:
    pages = ReviewPages(client, person("visitor", role=role))
    assert pages.get(QUEUE).status_code == status
    opened = pages.get(address(case))
    assert opened.status_code == (404 if role == "moderator" else status)
    assert bool(pictures(opened)) == (status == 200)


def test_opening_a_case_takes_it_and_shows_papers_and_number(
    pages: ReviewPages, case: Verification, reviewer: User
) -> None:
    page = pages.get(address(case))
    assert "C01X00T47" in page.content.decode()
    assert len(pictures(page)) == 2
    assert "no-store" in page["Cache-Control"]
    case.refresh_from_db()
    assert case.assignee == reviewer
    assert CaseEvent.objects.filter(action="paper_viewed", actor=reviewer).count() == 2


def test_pictures_open_for_this_reviewer_for_a_minute(
    pages: ReviewPages, second_pages: ReviewPages, client: Client, case: Verification, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    picture = pictures(pages.get(address(case)))[0]
    shown = pages.get(picture)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert "sandbox" in shown["Content-Security-Policy"]
    assert "no-store" in shown["Cache-Control"]
    assert second_pages.get(picture).status_code == 404
    time_machine.shift(timedelta(seconds=61))
    assert pages.get(picture).status_code == 404


def test_a_colleagues_case_is_closed_until_it_is_taken_over(
    pages: ReviewPages, second_pages: ReviewPages, case: Verification, reviewer: User, second_reviewer: User
) -> None:
    take_case(reviewer=reviewer, verification_id=case.pk, now=timezone.now())
    closed = second_pages.get(address(case))
    assert not pictures(closed)
    assert "C01X00T47" not in closed.content.decode()
    assert "is working on this case" in closed.content.decode()
    second_pages.post(address(case), action="take")
    assert len(pictures(second_pages.get(address(case)))) == 2
    case.refresh_from_db()
    assert case.assignee == second_reviewer


def test_a_closed_case_shows_its_papers_for_a_reason_that_is_kept(
    pages: ReviewPages, case: Verification, reviewer: User
) -> None:
    decide(reviewer=reviewer, verification_id=case.pk, status="rejected", now=timezone.now())
    assert not pictures(pages.get(address(case)))
    shown = pages.post(address(case), action="look", why="the bank asked")
    assert len(pictures(shown)) == 2
    assert {event.words["why"] for event in CaseEvent.objects.filter(action="paper_viewed")} == {"the bank asked"}


def test_putting_a_case_back(pages: ReviewPages, case: Verification) -> None:
    pages.get(address(case))
    pages.post(address(case), action="release")
    case.refresh_from_db()
    assert case.assignee is None


def test_from_papers_to_decision_with_two_reviewers(
    pages: ReviewPages, second_pages: ReviewPages, case: Verification, applicant: User
) -> None:
    pages.get(address(case))
    assert re.search(r'value="verified" required disabled', pages.get(address(case)).content.decode())
    for paper in case.documents.all():
        answer = pages.post(address(case), action="paper", document=paper.pk, status="verified")
        assert answer.status_code == 302
    answer = pages.post(address(case), action="decide", status="verified", notes="all good")
    case.refresh_from_db()
    assert case.status == "awaiting_second_review"
    assert answer["Location"] == QUEUE
    own = pages.get(address(case)).content.decode()
    assert "Waiting for a second reviewer" in own
    assert re.search(r'value="verified" required disabled', own)
    pages.post(address(case), action="release")
    page = second_pages.get(address(case)).content.decode()
    assert "you are the second pair of eyes" in page
    assert "all good" in page
    second_pages.post(address(case), action="decide", status="verified")
    case.refresh_from_db()
    applicant.refresh_from_db()
    assert (case.status, applicant.kyc_verified) == ("verified", True)


def test_after_a_decision_comes_the_next_case(
    pages: ReviewPages, case: Verification, person: Callable[..., User], reviewer: User
) -> None:
    waiting = submitted_case(person("next"), number="NEXT12345")
    busy = submitted_case(person("busy"), number="BUSY12345")
    take_case(reviewer=person("colleague", role="reviewer"), verification_id=busy.pk, now=timezone.now())
    form = {"action": "decide", "status": "resubmit", "message": "Sharper, please", "next": "1"}
    assert pages.post(address(case), **form)["Location"].startswith(address(waiting))
    assert pages.post(address(waiting), **form)["Location"] == QUEUE


def part(page: Any, place: str) -> str | Any:
    """The part of a page from an anchor to the end of its form."""
    return re.search(rf' id="{place}".*?</form>', page.content.decode(), re.DOTALL).group()


def test_a_refused_decision_is_shown_beside_the_form_with_what_was_typed(
    pages: ReviewPages, case: Verification
) -> None:
    for form, status, words in (
        ({"status": "verified", "notes": "Seen & good"}, 409, "has to be verified first"),
        ({"status": "rejected", "notes": "Seen & good"}, 400, "Write the person a message"),
        ({"status": "rejected", "message": " ", "notes": "Seen & good"}, 400, "Write the person a message"),
        ({"message": "Sharper, please", "notes": "Seen & good"}, 400, "Choose a decision"),
        ({"status": "resubmit", "message": "x" * 1001, "notes": "Seen & good"}, 400, "at most 1000 characters"),
    ):
        page = pages.post(address(case), action="decide", **form)
        shown = part(page, "decision")
        assert page.status_code == status and words in shown and "Seen &amp; good</textarea>" in shown
        assert form.get("message", "").strip() in shown
        chosen = re.findall(r'name="status" value="(\w+)" required checked', shown)
        assert chosen == [form["status"]] if "status" in form else not chosen
    case.refresh_from_db()
    assert case.status == "in_review"


def test_a_refused_rejection_of_a_paper_is_shown_with_its_note(pages: ReviewPages, case: Verification) -> None:
    first, second = case.documents.order_by("created_at")
    form = {"action": "paper", "document": first.pk, "status": "rejected", "notes": "Thumb over it"}
    page = pages.post(address(case), **form)
    shown = part(page, f"paper-{first.pk}")
    assert page.status_code == 400 and "Choose a reason" in shown and 'value="Thumb over it"' in shown
    assert "<details open>" in shown and "<details>" in part(page, f"paper-{second.pk}")
    assert len(pictures(page)) == 2, "the papers are still there"
    assert 'value="cropped" selected' not in shown
    odd = pages.post(address(case), **form, reason="nonsense")
    assert odd.status_code == 400 and 'value="Thumb over it"' in odd.content.decode()
    first.refresh_from_db()
    assert first.status == "pending"
    assert pages.post(address(case), action="paper", document="x", status="verified").status_code == 404
    assert pages.post(address(case), action="nonsense").status_code == 404


def test_what_was_typed_is_shown_where_its_form_has_gone(
    pages: ReviewPages, case: Verification, applicant: User, second_reviewer: User
) -> None:
    pages.get(address(case))
    old = case.documents.first()
    add_documents(person=applicant, files=[picture(seed=77)], kinds=[old.kind], now=timezone.now())
    form = {"action": "paper", "document": old.pk, "status": "rejected", "reason": "glare", "notes": "Too bright"}
    page = pages.post(address(case), **form)
    assert page.status_code == 409
    assert "newer document of this kind" in page.content.decode() and "Too bright" in page.content.decode()
    take_case(reviewer=second_reviewer, verification_id=case.pk, now=timezone.now())
    form = {"action": "decide", "status": "verified", "message": "Thank you", "notes": "Long thoughts"}
    page = pages.post(address(case), **form).content.decode()
    assert "is working on this case" in page
    assert "Long thoughts" in page and "Thank you" in page and 'id="decision"' not in page


def test_nobody_finds_his_own_case_in_the_review_pages(client: Client, person: Callable[..., User]) -> None:
    insider = person("insider", role="admin")
    case = submitted_case(insider)
    pages = ReviewPages(client, insider)
    assert "Nothing here" in pages.get(QUEUE).content.decode()
    assert pages.get(address(case)).status_code == 404
    assert pages.post(address(case), action="decide", status="rejected", message="x").status_code == 404


def test_a_case_of_a_shared_number_names_the_other(
    pages: ReviewPages, case: Verification, person: Callable[..., User], reviewer: User
) -> None:
    rival = submitted_case(person("rival"), number="C01X00T47")
    page = pages.get(address(rival)).content.decode()
    assert "Another account holds this document number" in page
    assert address(case) in page


def test_pages_carry_no_inline_script_or_style(pages: ReviewPages, case: Verification) -> None:
    for path in (
        "/admin/",
        QUEUE,
        address(case),
        "/admin/accounts/user/",
        f"/admin/accounts/user/{case.user_id}/change/",
    ):
        page = pages.get(path)
        assert page.status_code == 200
        policy = page["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        text = page.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", text)


def test_the_overview_counts_the_queue(pages: ReviewPages, case: Verification) -> None:
    page = pages.get("/admin/").content.decode()
    assert "Identity review" in page
    assert '<p class="number">1</p>' in page


def test_what_people_write_is_shown_as_text(pages: ReviewPages, person: Callable[..., User], reviewer: User) -> None:
    case = submitted_case(person("<script>alert(1)</script>", last_name="<b>x"), number="MARKUP123")
    judge_document(
        reviewer=reviewer,
        document_id=case.documents.first().pk,
        status="rejected",
        notes="<img src=x onerror=alert(1)>",
        now=timezone.now(),
    )
    for path in (QUEUE, address(case)):
        text = pages.get(path).content.decode()
        assert "<script>alert" not in text.lower()
        assert "<img src=x" not in text


def test_sign_in_page(client: Client) -> None:
    page = client.get("/admin/login/")
    text = page.content.decode()
    assert page.status_code == 200
    for name in ("username", "password", "code"):
        assert f'name="{name}"' in text
