"""The reviewers' side through the API: queue, papers, decisions, four eyes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from accounts.models import User
from accounts.services.administration import grant_role
from core.models import Event
from core.testing import Api, deliver_events
from kyc.models import CaseEvent, Verification
from kyc.testing import submitted_case
from notifications.models import Notification
from uploads.testing import picture


@pytest.fixture
def as_reviewer(api: Api, reviewer: User) -> Api:
    return api.as_user(reviewer)


@pytest.fixture
def as_second_reviewer(api: Api, second_reviewer: User) -> Api:
    return api.as_user(second_reviewer)


def judge(client: Api, paper: Any, status: str = "verified", **body: Any) -> Any:
    return client.put(f"/api/kyc/documents/{paper.pk}", {"status": status, **body})


def decide(client: Api, case: Verification, status: str, **body: Any) -> Any:
    return client.put("/api/kyc/status", {"verificationId": str(case.pk), "status": status, **body})


def code(answer: Any) -> Any:
    return answer.status_code, answer.json()["code"]


def resend(api: Api, applicant: User, *kinds: str, seed: int = 50) -> Any:
    files = [picture(size=(800, 640), seed=seed + place) for place, _ in enumerate(kinds)]
    return api.as_user(applicant).upload("/api/kyc/documents", {"documents": files, "kinds": list(kinds)})


def identity_events() -> list[tuple[str, Any]]:
    """What was recorded of people's identities, in order."""
    recorded = Event.objects.filter(kind__startswith="identity.").order_by("id")
    return list(recorded.values_list("kind", "subject_id"))


def test_two_reviewers_verify(
    api: Api, case: Verification, applicant: User, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    for paper in case.documents.all():
        assert judge(as_reviewer, paper).status_code == 200
    proposed = decide(as_reviewer, case, "verified", notes="Looks right")
    assert (proposed.status_code, proposed.json()["status"]) == (200, "awaiting_second_review")
    applicant.refresh_from_db()
    assert not applicant.kyc_verified
    assert code(decide(as_reviewer, case, "verified")) == (403, "second_reviewer_required")
    confirmed = decide(as_second_reviewer, case, "verified")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "verified")
    applicant.refresh_from_db()
    assert applicant.kyc_verified
    assert applicant.badges == ["identity"]
    assert identity_events() == [("identity.verified", applicant.pk)]
    deliver_events()
    assert Notification.objects.filter(user_id=applicant.pk, kind="kyc_verified").count() == 1
    me = api.as_user(applicant).get("/api/auth/me").json()
    assert me["kycVerified"] is True
    own = api.as_user(applicant).get("/api/kyc/status").json()
    assert own["status"] == "verified"
    assert "notes" not in own and "risk" not in own


def test_one_reviewer_is_enough_where_four_eyes_are_off(
    judged_case: Verification, as_reviewer: Api, settings: Settings
) -> None:
    settings.KYC_FOUR_EYES = False
    assert decide(as_reviewer, judged_case, "verified").json()["status"] == "verified"


def test_verified_needs_every_paper_verified(case: Verification, as_reviewer: Api) -> None:
    front, selfie = case.documents.order_by("kind")
    assert code(decide(as_reviewer, case, "verified")) == (409, "documents_not_verified")
    judge(as_reviewer, front)
    judge(as_reviewer, selfie, "rejected", reason="blurred", message="Please hold still")
    assert code(decide(as_reviewer, case, "verified")) == (409, "documents_not_verified")
    judge(as_reviewer, selfie)
    assert decide(as_reviewer, case, "verified").status_code == 200


def test_an_extra_paper_has_to_be_verified_too(
    api: Api, judged_case: Verification, applicant: User, as_reviewer: Api
) -> None:
    resend(api, applicant, "proof_of_address")
    assert code(decide(as_reviewer, judged_case, "verified")) == (409, "documents_not_verified")


def test_new_evidence_drops_the_proposal(
    api: Api, judged_case: Verification, applicant: User, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    decide(as_reviewer, judged_case, "verified")
    resend(api, applicant, "front")
    assert api.as_user(applicant).get("/api/kyc/status").json()["status"] == "in_review"
    assert code(decide(as_second_reviewer, judged_case, "verified")) == (409, "evidence_changed")
    assert code(decide(as_second_reviewer, judged_case, "verified")) == (409, "documents_not_verified")
    judge(as_second_reviewer, judged_case.documents.current().get(kind="front"))
    assert decide(as_second_reviewer, judged_case, "verified").json()["status"] == "awaiting_second_review"
    assert code(decide(as_second_reviewer, judged_case, "verified")) == (403, "second_reviewer_required")
    assert decide(as_reviewer, judged_case, "verified").json()["status"] == "verified"


def test_a_paper_judged_anew_drops_the_proposal(
    judged_case: Verification, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    decide(as_reviewer, judged_case, "verified")
    paper = judged_case.documents.first()
    judge(as_second_reviewer, paper)  # the same verdict again changes nothing
    judge(as_second_reviewer, paper, "rejected")
    judge(as_second_reviewer, paper, "verified")
    assert code(decide(as_second_reviewer, judged_case, "verified")) == (409, "evidence_changed")


@pytest.mark.parametrize("status", ["rejected", "resubmit"])
def test_one_reviewer_turns_down(api: Api, case: Verification, applicant: User, as_reviewer: Api, status: str) -> None:
    answer = decide(as_reviewer, case, status, notes="private words", message="Please send a sharper picture")
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    own = api.as_user(applicant).get("/api/kyc/status")
    assert own.json()["message"] == "Please send a sharper picture"
    assert "private words" not in own.content.decode()
    deliver_events()
    notice = Notification.objects.get(user_id=applicant.pk, kind=f"kyc_{status}")
    assert "sharper picture" in notice.body
    assert "private words" not in notice.body


def test_resubmit_takes_new_papers_and_returns_to_the_queue(
    api: Api, case: Verification, applicant: User, as_reviewer: Api
) -> None:
    front = case.documents.get(kind="front")
    judge(as_reviewer, front, "rejected", reason="blurred")
    decide(as_reviewer, case, "resubmit")
    assert code(decide(as_reviewer, case, "verified")) == (409, "decision_not_possible")
    resend(api, applicant, "proof_of_address")
    assert api.as_user(applicant).get("/api/kyc/status").json()["status"] == "resubmit"  # front is still missing
    resend(api, applicant, "front")
    assert api.as_user(applicant).get("/api/kyc/status").json()["status"] == "in_review"
    assert code(judge(as_reviewer, front)) == (409, "document_replaced")


def test_a_new_paper_after_approval_takes_the_identity_away(
    api: Api, judged_case: Verification, applicant: User, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    decide(as_reviewer, judged_case, "verified")
    decide(as_second_reviewer, judged_case, "verified")
    resend(api, applicant, "front")
    applicant.refresh_from_db()
    assert not applicant.kyc_verified
    assert applicant.badges == []
    assert identity_events() == [("identity.verified", applicant.pk), ("identity.lost", applicant.pk)]
    status = api.as_user(applicant).get("/api/kyc/status").json()["status"]
    assert status == "in_review"
    assert "lost_approval" in Verification.objects.get().risk_flags
    judge(as_reviewer, judged_case.documents.current().get(kind="front"))
    assert decide(as_reviewer, judged_case, "verified").json()["status"] == "awaiting_second_review"


def test_a_closed_case_is_reopened_before_it_is_decided_again(
    judged_case: Verification, applicant: User, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    decide(as_reviewer, judged_case, "verified")
    decide(as_second_reviewer, judged_case, "verified")
    for status in ("verified", "rejected"):
        assert code(decide(as_reviewer, judged_case, status)) == (409, "decision_not_possible")
    assert code(judge(as_reviewer, judged_case.documents.first())) == (409, "case_closed")
    assert decide(as_reviewer, judged_case, "resubmit").status_code == 200
    applicant.refresh_from_db()
    assert not applicant.kyc_verified
    assert identity_events()[-1] == ("identity.lost", applicant.pk)


def test_an_old_case_is_not_reopened_beside_a_newer_one(
    api: Api, case: Verification, applicant: User, as_reviewer: Api
) -> None:
    decide(as_reviewer, case, "rejected")
    submitted_case(applicant)
    assert code(decide(as_reviewer, case, "resubmit")) == (409, "decision_not_possible")


def test_the_case_of_a_person_is_the_newest(case: Verification, applicant: User, as_reviewer: Api) -> None:
    answer = as_reviewer.put("/api/kyc/status", {"userId": str(applicant.pk), "status": "rejected"})
    assert answer.json()["id"] == str(case.pk)
    assert as_reviewer.put("/api/kyc/status", {"status": "rejected"}).status_code == 400


def test_nobody_reviews_himself(api: Api, person: Callable[..., User], as_second_reviewer: Api) -> None:
    reviewer = person("insider", role="reviewer")
    case = submitted_case(reviewer)
    own = api.as_user(reviewer)
    assert code(judge(own, case.documents.first())) == (403, "own_case")
    for status in ("verified", "rejected", "resubmit"):
        assert code(decide(own, case, status)) == (403, "own_case")
    assert own.get("/api/kyc/pending").json()["items"] == []
    assert len(as_second_reviewer.get("/api/kyc/pending").json()["items"]) == 1


def test_the_database_itself_refuses_self_review(case: Verification, applicant: User) -> None:
    for column in ("decided_by", "proposed_by"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Verification.objects.filter(pk=case.pk).update(**{column: applicant})
    with pytest.raises(DatabaseError), transaction.atomic():
        Verification.objects.filter(pk=case.pk).update(status="approved")


def test_the_queue_is_riskiest_then_oldest_first(api: Api, person: Callable[..., User], as_reviewer: Api) -> None:
    now = timezone.now()
    for place, (name, age, flags) in enumerate([("young", 1, 0), ("old", 50, 0), ("risky", 2, 2)]):
        case = submitted_case(person(name), number=f"NUMBER{place}")
        Verification.objects.filter(pk=case.pk).update(submitted_at=now - timedelta(hours=age), risk=flags)
    submitted_case(person("incomplete"), number="NUMBER9", kinds=["front"])

    def names(**query: Any) -> list[Any]:
        return [row["user"]["firstName"] for row in as_reviewer.get("/api/kyc/pending", query).json()["items"]]

    assert names() == ["Risky", "Old", "Young"]
    assert names(limit=2) == ["Risky", "Old"]
    cursor = as_reviewer.get("/api/kyc/pending", {"limit": 2}).json()["nextCursor"]
    assert names(limit=2, cursor=cursor) == ["Young"]


def test_the_queue_by_assignee(
    api: Api, case: Verification, reviewer: User, second_reviewer: User, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    def count(client: Api, assignee: str) -> int:
        return len(client.get("/api/kyc/pending", {"assignee": assignee}).json()["items"])

    assert (count(as_reviewer, "none"), count(as_reviewer, "me")) == (1, 0)
    as_reviewer.get(f"/api/kyc/documents/{case.documents.first().pk}/file")
    assert (count(as_reviewer, "none"), count(as_reviewer, "me"), count(as_second_reviewer, "me")) == (0, 1, 0)
    assert count(as_second_reviewer, str(reviewer.pk)) == 1
    assert as_reviewer.get("/api/kyc/pending", {"assignee": "bob"}).status_code == 400


def test_the_queue_costs_the_same_for_one_and_for_many(person: Callable[..., User], as_reviewer: Api) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            as_reviewer.get("/api/kyc/pending")
        return len(counted)

    submitted_case(person("one"), number="NUMBER00")
    one = queries()
    for place in range(5):
        submitted_case(person("more"), number=f"NUMBER1{place}")
    assert queries() == one


def test_every_view_of_a_paper_is_written_down(
    api: Api, case: Verification, applicant: User, reviewer: User, as_reviewer: Api
) -> None:
    paper = case.documents.first()
    answer = as_reviewer.get(f"/api/kyc/documents/{paper.pk}/file", {"why": "second look at the date"})
    assert answer.status_code == 200
    event = CaseEvent.objects.get(action="paper_viewed")
    assert (event.actor, event.document, event.words) == (reviewer, paper, {"why": "second look at the date"})
    assert event.created_at
    recorded = Event.objects.get(pk=event.pk)
    assert (recorded.kind, recorded.actor_id, recorded.subject_id) == ("kyc.paper_viewed", reviewer.pk, case.pk)
    assert recorded.address and recorded.request_id
    assert "second look" not in str(recorded.facts)
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseEvent.objects.filter(pk=event.pk).update(actor=applicant)
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseEvent.objects.filter(pk=event.pk).delete()
    CaseEvent.objects.filter(pk=event.pk).update(words={})  # what erasure does


def test_the_link_opens_for_its_viewer_for_a_minute(
    api: Api,
    case: Verification,
    applicant: User,
    person: Callable[..., User],
    as_reviewer: Api,
    as_second_reviewer: Api,
    time_machine: TimeMachineFixture,
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    link = as_reviewer.get(f"/api/kyc/documents/{case.documents.first().pk}/file").json()
    path = link["url"].replace("http://localhost:8000", "")
    opened = as_reviewer.get(path)
    assert (opened.status_code, opened["Content-Type"]) == (200, "image/jpeg")
    assert opened.getvalue()[:3] == b"\xff\xd8\xff"
    assert "no-store" in opened["Cache-Control"]
    assert opened["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in opened["Content-Security-Policy"]
    assert code(as_second_reviewer.get(path)) == (404, "link_not_valid")
    assert api.as_user(applicant).get(path).status_code == 404
    assert api.get(path).status_code == 401
    time_machine.shift(timedelta(seconds=61))
    assert code(as_reviewer.get(path)) == (404, "link_not_valid")


def test_the_person_sees_the_own_paper_and_nobody_else_does(
    api: Api, case: Verification, applicant: User, person: Callable[..., User]
) -> None:
    path = f"/api/kyc/documents/{case.documents.first().pk}/file"
    assert api.as_user(applicant).get(path).status_code == 200
    assert api.as_user(person("stranger")).get(path).status_code == 404
    assert api.as_user(person("moderator", role="moderator")).get(path).status_code == 404
    case.refresh_from_db()
    assert case.assignee is None


def test_seeing_a_paper_takes_the_case(
    case: Verification, reviewer: User, second_reviewer: User, as_reviewer: Api, as_second_reviewer: Api
) -> None:
    path = f"/api/kyc/documents/{case.documents.first().pk}/file"
    for client, who in ((as_reviewer, reviewer), (as_second_reviewer, second_reviewer)):
        client.get(path)
        case.refresh_from_db()
        assert case.assignee == who
    taken = Event.objects.filter(kind="kyc.taken").order_by("id")
    assert [event.facts.get("taken_from") for event in taken] == [None, str(reviewer.pk)]


def test_a_reviewer_who_lost_the_role_is_shut_out(case: Verification, reviewer: User, as_reviewer: Api) -> None:
    grant_role(email=reviewer.email, role="user", now=timezone.now())
    assert decide(as_reviewer, case, "rejected").status_code == 401
