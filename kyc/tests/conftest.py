from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import User
from kyc.models import Verification
from kyc.services.decisions import judge_document
from kyc.testing import submitted_case


@pytest.fixture
def applicant(person: Callable[..., User]) -> User:
    return person("applicant")


@pytest.fixture
def reviewer(person: Callable[..., User]) -> User:
    return person("reviewer", role="reviewer")


@pytest.fixture
def second_reviewer(person: Callable[..., User]) -> User:
    return person("second", role="reviewer")


@pytest.fixture
def case(applicant: User) -> Verification:
    """Complete and waiting."""
    return submitted_case(applicant)


@pytest.fixture
def judged_case(case: Verification, reviewer: User) -> Verification:
    """With every paper verified."""
    for paper in case.documents.all():
        judge_document(reviewer=reviewer, document_id=paper.pk, status="verified", now=timezone.now())
    case.refresh_from_db()
    return case
