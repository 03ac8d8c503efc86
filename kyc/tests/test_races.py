"""Reviewers at the same moment, on connections of their own. The twin takes the lock away and must show the bug."""

from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from core.testing import WAIT_LIMIT, together
from kyc import access
from kyc.errors import DecisionNotPossible, VerificationOpen
from kyc.models import CaseEvent, Verification
from kyc.services import evidence
from kyc.services.decisions import decide
from kyc.services.evidence import add_documents, start_verification
from uploads.testing import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are only read, and two that have read one go on together. Ask for it last: setting up locks, too."""
    barrier = Barrier(2)

    def read_case(verification_id: UUID) -> Verification:
        case = Verification.objects.select_related("user").get(pk=verification_id)
        barrier.wait(timeout=WAIT_LIMIT)
        return case

    monkeypatch.setattr(access, "lock_case", read_case)


def verify_and_reject(case: Verification, reviewer: User, second_reviewer: User) -> list[Any]:
    return together(
        partial(decide, reviewer=reviewer, verification_id=case.pk, status="verified", now=timezone.now()),
        partial(decide, reviewer=second_reviewer, verification_id=case.pk, status="rejected", now=timezone.now()),
    )


def decisions_on(case: Verification) -> int:
    return CaseEvent.objects.filter(verification=case, action__in=("case_verified", "case_rejected")).count()


def test_one_of_two_decisions_counts(
    judged_case: Verification, reviewer: User, second_reviewer: User, settings: Settings
) -> None:
    settings.KYC_FOUR_EYES = False
    outcomes = verify_and_reject(judged_case, reviewer, second_reviewer)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [DecisionNotPossible]
    assert decisions_on(judged_case) == 1
    judged_case.refresh_from_db()
    proven = User.objects.get(pk=judged_case.user_id).kyc_verified
    assert proven == (judged_case.status == "verified")


def test_one_of_two_decisions_counts_twin(
    judged_case: Verification, reviewer: User, second_reviewer: User, settings: Settings, unlocked: None
) -> None:
    """Without the lock both are carried out, and the person gets two answers."""
    settings.KYC_FOUR_EYES = False
    outcomes = verify_and_reject(judged_case, reviewer, second_reviewer)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert decisions_on(judged_case) == 2


def test_two_verifying_at_once_are_proposal_and_confirmation(
    judged_case: Verification, reviewer: User, second_reviewer: User
) -> None:
    outcomes = together(
        *(
            partial(decide, reviewer=who, verification_id=judged_case.pk, status="verified", now=timezone.now())
            for who in (reviewer, second_reviewer)
        )
    )
    assert sorted(outcome.status for outcome in outcomes) == ["awaiting_second_review", "verified"]


def test_one_reviewer_clicking_twice_stays_one_pair_of_eyes(judged_case: Verification, reviewer: User) -> None:
    again = partial(decide, reviewer=reviewer, verification_id=judged_case.pk, status="verified", now=timezone.now())
    together(again, again)
    judged_case.refresh_from_db()
    assert judged_case.status == "awaiting_second_review"


def test_a_paper_sent_during_the_confirmation_is_never_verified_unseen(
    judged_case: Verification, reviewer: User, second_reviewer: User
) -> None:
    decide(reviewer=reviewer, verification_id=judged_case.pk, status="verified", now=timezone.now())
    together(
        partial(
            decide, reviewer=second_reviewer, verification_id=judged_case.pk, status="verified", now=timezone.now()
        ),
        partial(
            add_documents,
            person=judged_case.user,
            files=[picture(size=(700, 700), seed=9)],
            kinds=["front"],
            now=timezone.now(),
        ),
    )
    judged_case.refresh_from_db()
    assert judged_case.status == "in_review"
    assert not User.objects.get(pk=judged_case.user_id).kyc_verified


def start_twice(applicant: User) -> list[Any]:
    start = partial(
        start_verification,
        person=applicant,
        document_type="passport",
        document_number="C01X00T47",
        now=timezone.now(),
    )
    return together(start, start)


def test_two_starts_make_one_case(applicant: User) -> None:
    outcomes = start_twice(applicant)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Verification", "VerificationOpen"]


def test_two_starts_make_one_case_twin(applicant: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the person's lock both find no case. The second is not refused as `VerificationOpen` but crashes on the
    table's unique constraint.
    """
    barrier = Barrier(2)
    monkeypatch.setattr(evidence, "lock_person", lambda user_id: None)
    monkeypatch.setattr(evidence, "latest_case", lambda user_id: barrier.wait(timeout=WAIT_LIMIT) and None)
    outcomes = start_twice(applicant)
    assert not any(isinstance(outcome, VerificationOpen) for outcome in outcomes)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IntegrityError", "Verification"]
    assert "one_open_case_per_person" in str([outcome for outcome in outcomes if isinstance(outcome, IntegrityError)])
