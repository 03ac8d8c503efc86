"""The person's side through the API: start, send papers, read the status."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image, ImageChops
from pytest_django.fixtures import Settings

from accounts.models import User
from core.jobs.runner import run
from core.testing import Api, deliver_events
from kyc.jobs import EXPIRE_CASES
from kyc.models import Document, Status, Verification
from kyc.services.decisions import decide
from kyc.services.evidence import ABANDONED_AFTER
from kyc.testing import submitted_case
from notifications.models import Notification
from uploads.models import StoredFile
from uploads.services import read_file
from uploads.testing import paper, picture, picture_bytes, upload

PASSPORT = {"documentType": "passport", "documentNumber": "c01 x00-t47", "country": "de", "dateOfBirth": "1990-05-17"}


@pytest.fixture
def mine(api: Api, applicant: User) -> Api:
    return api.as_user(applicant)


def start(client: Api, **changes: Any) -> Any:
    return client.post("/api/kyc/initiate", {**PASSPORT, **changes})


def send(client: Api, *kinds: str, files: Any = None, **headers: Any) -> Any:
    files = files or [picture(size=(800, 640), seed=place) for place, _ in enumerate(kinds)]
    return client.upload("/api/kyc/documents", {"documents": files, "kinds": list(kinds)}, **headers)


def test_before_there_is_a_case(mine: Api) -> None:
    answer = mine.get("/api/kyc/status")
    assert answer.status_code == 200
    assert answer.json()["status"] == "not_started"


def test_start_answers_what_is_needed_and_masks_the_number(mine: Api) -> None:
    answer = start(mine)
    body = answer.json()
    assert answer.status_code == 201
    assert (body["status"], body["documentNumberLast4"], body["attempts"]) == ("pending_documents", "0T47", 1)
    assert body["required"] == ["front", "selfie"]
    assert body["documents"] == []
    assert "C01X00T47" not in answer.content.decode().upper().replace(" ", "").replace("-", "")
    assert answer["RateLimit-Limit"] == "5"
    assert Verification.objects.get().country == "DE"


@pytest.mark.parametrize("kind", ["national_id", "driving_license", "residence_permit"])
def test_cards_need_both_sides(mine: Api, kind: str) -> None:
    assert start(mine, documentType=kind).json()["required"] == ["front", "back", "selfie"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"documentType": "library_card"}, "documentType", "invalid_choice"),
        ({"documentNumber": "12"}, "documentNumber", "invalid_document_number"),
        ({"documentNumber": "<script>alert(1)"}, "documentNumber", "invalid_document_number"),
        ({"documentNumber": "１２３４５６７"}, "documentNumber", "invalid_document_number"),
        *(
            ({"country": code}, "country", "invalid_country")
            for code in ("Germany", "XX", "ZZ", "AA", "EU", "UK", "U1", "ß", "ＤＥ", "DEU", 49)
        ),
        ({"dateOfBirth": "2999-01-01"}, "dateOfBirth", "invalid_date_of_birth"),
        ({"dateOfBirth": "1800-01-01"}, "dateOfBirth", "invalid_date_of_birth"),
        ({"dateOfBirth": "17.05.1990"}, "dateOfBirth", "invalid"),
    ],
)
def test_start_refuses_wrong_input(mine: Api, change: dict[str, Any], field: str, code: Any) -> None:
    answer = start(mine, **change)
    assert answer.status_code == 400
    assert {"field": field, "code": code} == {name: answer.json()["errors"][0][name] for name in ("field", "code")}
    assert "1234567" not in answer.content.decode()


def test_one_open_case_at_a_time(mine: Api) -> None:
    assert start(mine).status_code == 201
    second = start(mine)
    assert (second.status_code, second.json()["code"]) == (409, "verification_open")


def test_five_starts_a_day(mine: Api) -> None:
    answers = [start(mine).status_code for _ in range(6)]
    assert answers == [201, 409, 409, 409, 409, 429]


def test_starting_needs_a_verified_address(api: Api, person: Callable[..., User]) -> None:
    answer = start(api.as_user(person("newcomer", verified=False)))
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")


def test_papers_complete_the_case(mine: Api, applicant: User) -> None:
    start(mine)
    first = send(mine, "front")
    assert first.status_code == 201
    assert mine.get("/api/kyc/status").json()["status"] == "pending_documents"
    (document,) = first.json()["documents"]
    assert (document["kind"], document["status"]) == ("front", "pending")
    assert document["checks"] == {"resolution": "passed", "sharpness": "passed"}
    assert send(mine, "selfie").status_code == 201
    status = mine.get("/api/kyc/status").json()
    assert status["status"] == "in_review"
    assert [document["kind"] for document in status["documents"]] == ["front", "selfie"]
    deliver_events()
    assert Notification.objects.filter(user_id=applicant.pk, kind="kyc_received").count() == 1


def test_kinds_come_in_any_form_that_form_libraries_make(mine: Api) -> None:
    start(mine)
    for kinds in ("front,selfie", '["front", "selfie"]'):
        body = {"documents": [picture(size=(700, 700)), picture(size=(700, 700), seed=1)], "kinds": kinds}
        answer = mine.upload("/api/kyc/documents", body)
        assert [document["kind"] for document in answer.json()["documents"]] == ["front", "selfie"]


@pytest.mark.parametrize(
    ("kinds", "count", "code"),
    [
        (["front"], 2, "kinds_do_not_match"),
        (["front", "front"], 2, "kinds_do_not_match"),
        (["left"], 1, "invalid_input"),
        ([], 1, "invalid_input"),
        (["front"], 0, "invalid_input"),
        (["front", "back", "selfie", "proof_of_address", "front", "back"], 6, "invalid_input"),
    ],
)
def test_kinds_and_files_go_together(mine: Api, kinds: list[str], count: int, code: str) -> None:
    start(mine)
    body = {"documents": [picture(size=(60, 60)) for _ in range(count)], "kinds": kinds}
    answer = mine.upload("/api/kyc/documents", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_one_bad_file_and_none_is_taken(mine: Api) -> None:
    start(mine)
    answer = send(mine, "front", "selfie", files=[picture(size=(80, 80)), upload(b"<svg/>", "selfie.png", "image/png")])
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_file_type")
    assert answer.json()["errors"][0]["field"] == "documents.1"
    assert not Document.objects.exists()
    assert not StoredFile.objects.exists()
    assert send(mine, "front", "selfie", files=[paper(), picture(size=(80, 80))]).status_code == 201


def test_papers_need_a_case(mine: Api) -> None:
    answer = send(mine, "front")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_open_verification")


def test_a_newer_paper_replaces_the_older_of_its_kind(mine: Api) -> None:
    start(mine)
    send(mine, "front")
    send(mine, "front")
    assert len(mine.get("/api/kyc/status").json()["documents"]) == 1
    assert Document.objects.count() == 2


def test_a_retried_upload_is_stored_once(mine: Api) -> None:
    start(mine)
    first, again = (send(mine, "front", idempotency_key="retry-1") for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Document.objects.count() == 1


def test_after_a_rejection_one_starts_again(mine: Api, case: Verification, reviewer: User) -> None:
    decide(reviewer=reviewer, verification_id=case.pk, status="rejected", message="Not you", now=timezone.now())
    assert mine.get("/api/kyc/status").json()["message"] == "Not you"
    assert send(mine, "front").status_code == 409
    again = start(mine)
    assert (again.status_code, again.json()["attempts"]) == (201, 2)
    assert Verification.objects.get(status=Status.PENDING_DOCUMENTS).risk_flags == ["rejected_before"]


def test_a_proven_person_need_not_start(mine: Api, case: Verification, reviewer: User, settings: Settings) -> None:
    settings.KYC_FOUR_EYES = False
    case.documents.update(status="verified", reviewed_by=reviewer, reviewed_at=timezone.now())
    decide(reviewer=reviewer, verification_id=case.pk, status="verified", now=timezone.now())
    answer = start(mine)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_verified")


def test_flags_a_number_and_a_file_that_another_account_used(mine: Api, person: Callable[..., User]) -> None:
    rival = submitted_case(person("rival"), number="C01X00T47")
    assert rival.risk_flags == []
    start(mine)
    mine.upload("/api/kyc/documents", {"documents": [picture(size=(500, 500))], "kinds": ["front"]})
    case = Verification.objects.get(user__first_name="Applicant")
    assert case.risk_flags == ["number_in_use", "poor_pictures"]
    stranger = person("stranger")
    other = submitted_case(stranger, number="ZZ999999", kinds=[])
    with picture(size=(500, 500)) as same:
        from kyc.services.evidence import add_documents

        add_documents(person=stranger, files=[same], kinds=["front"], now=timezone.now())
    other.refresh_from_db()
    assert "file_in_use" in other.risk_flags
    assert "number_in_use" not in other.risk_flags


def test_flags_people_under_18(mine: Api) -> None:
    young = (timezone.now() - timedelta(days=17 * 365)).date().isoformat()
    start(mine, dateOfBirth=young)
    assert Verification.objects.get().risk_flags == ["under_18"]


def test_a_case_without_papers_expires_after_30_days(mine: Api, applicant: User, person: Callable[..., User]) -> None:
    start(mine)
    waiting = submitted_case(person("patient"))
    now = timezone.now()
    assert run(EXPIRE_CASES, now=now + ABANDONED_AFTER - timedelta(minutes=1)).done == 0
    assert run(EXPIRE_CASES, now=now + ABANDONED_AFTER + timedelta(minutes=1)).done == 1
    assert run(EXPIRE_CASES, now=now + ABANDONED_AFTER + timedelta(minutes=1)).done == 0
    assert mine.get("/api/kyc/status").json()["status"] == "expired"
    waiting.refresh_from_db()
    assert waiting.status == "in_review"
    assert start(mine).json()["attempts"] == 2


def test_a_passport_scanned_in_16_bits_of_grey_is_what_the_reviewer_sees(mine: Api) -> None:
    """It was once cut off at 255: one white sheet, and what was handed in was gone."""
    page = Image.open(BytesIO(picture_bytes("PNG", size=(1000, 700)))).convert("L")
    scan = BytesIO()
    Image.frombytes("I;16", page.size, b"".join(bytes([level, level]) for level in page.tobytes())).save(scan, "PNG")
    start(mine)
    sent = send(mine, "front", files=[upload(scan.getvalue(), "scan.png")])
    assert sent.status_code == 201
    assert sent.json()["documents"][0]["checks"] == {"resolution": "passed", "sharpness": "passed"}
    kept = Image.open(BytesIO(read_file(StoredFile.objects.get())))
    assert max(ImageChops.difference(kept, page).tobytes()) <= 1


@pytest.mark.parametrize("name", ["document", "file", "documents[]", "photo"])
def test_papers_under_an_unknown_name_are_refused_with_the_right_one(mine: Api, name: str) -> None:
    start(mine)
    refused = mine.upload("/api/kyc/documents", {name: picture(), "kinds": ["front"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_file")
    assert refused.json()["names"] == "documents"
    assert refused.json()["errors"][0]["field"] == name
    assert not StoredFile.objects.exists()
