"""Badges through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import relations
from core.jobs.runner import run
from core.testing import Api
from kyc.jobs import END_BADGES


@pytest.fixture
def staff(api: Api, reviewer: User) -> Api:
    return api.as_user(reviewer)


def test_staff_give_and_take(api: Api, staff: Api, applicant: User) -> None:
    given = staff.post("/api/kyc/badges/founder", {"userId": str(applicant.pk)})
    assert (given.status_code, given.json()) == (200, {"badges": ["founder"]})
    staff.post("/api/kyc/badges/company", {"userId": str(applicant.pk)})
    held = api.as_user(applicant).get("/api/kyc/badges").json()["items"]
    assert [(row["badge"], row["source"], row["expiresAt"]) for row in held] == [
        ("company", "staff", None),
        ("founder", "staff", None),
    ]
    applicant.refresh_from_db()
    assert applicant.badges == ["company", "founder"]
    taken = staff.delete(f"/api/kyc/badges/founder?userId={applicant.pk}")
    assert taken.json() == {"badges": ["company"]}
    assert staff.delete("/api/kyc/badges/company", {"userId": str(applicant.pk)}).json() == {"badges": []}


def test_refusals(staff: Api, reviewer: User, applicant: User) -> None:
    own = staff.post("/api/kyc/badges/founder", {"userId": str(reviewer.pk)})
    assert (own.status_code, own.json()["code"]) == (403, "own_case")
    for send in (staff.post, staff.delete):
        answer = send("/api/kyc/badges/identity", {"userId": str(applicant.pk)})
        assert (answer.status_code, answer.json()["code"]) == (409, "badge_follows_verification")
    assert staff.post("/api/kyc/badges/hero", {"userId": str(applicant.pk)}).status_code == 404


def test_a_badge_ends_by_the_clock(api: Api, staff: Api, applicant: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    staff.post("/api/kyc/badges/accredited_investor", {"userId": str(applicant.pk), "expiresAt": soon.isoformat()})
    assert run(END_BADGES, now=soon - timedelta(seconds=1)).done == 0
    assert run(END_BADGES, now=soon + timedelta(seconds=1)).done == 1
    applicant.refresh_from_db()
    assert applicant.badges == []
    assert api.as_user(applicant).get("/api/kyc/badges").json()["items"] == []


def test_others_badges_can_be_read(api: Api, staff: Api, applicant: User, person: Callable[..., User]) -> None:
    staff.post("/api/kyc/badges/founder", {"userId": str(applicant.pk)})
    listed = api.as_user(person("visitor")).get("/api/kyc/badges", {"userId": str(applicant.pk)}).json()
    assert [row["badge"] for row in listed["items"]] == ["founder"]


def test_badges_of_somebody_hidden_are_answered_like_those_of_nobody(
    api: Api, staff: Api, applicant: User, person: Callable[..., User]
) -> None:
    staff.post("/api/kyc/badges/founder", {"userId": str(applicant.pk)})
    visitor = person("visitor")

    def listed(of: str) -> Any:
        return api.as_user(visitor).get("/api/kyc/badges", {"userId": of}).json()

    nobody = listed("0190aaaa-0000-7000-8000-000000000001")
    relations.block(person=applicant, other_id=visitor.pk, now=timezone.now())
    assert listed(str(applicant.pk)) == nobody
    assert len(staff.get("/api/kyc/badges", {"userId": str(applicant.pk)}).json()["items"]) == 1
