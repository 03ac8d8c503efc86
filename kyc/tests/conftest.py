import pytest
from django.utils import timezone

from kyc.services.decisions import judge_document
from kyc.testing import submitted_case


@pytest.fixture
def applicant(person):
    return person("applicant")


@pytest.fixture
def reviewer(person):
    return person("reviewer", role="reviewer")


@pytest.fixture
def second_reviewer(person):
    return person("second", role="reviewer")


@pytest.fixture
def case(applicant):
    """Complete and waiting."""
    return submitted_case(applicant)


@pytest.fixture
def judged_case(case, reviewer):
    """With every paper verified."""
    for paper in case.documents.all():
        judge_document(reviewer=reviewer, document_id=paper.pk, status="verified", now=timezone.now())
    case.refresh_from_db()
    return case
