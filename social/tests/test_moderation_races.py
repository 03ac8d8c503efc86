"""Moderators and reporters at the same moment. The twins take the lock away and must show the bug."""

from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from accounts.models import User
from core import clock
from core.api.errors import NotFound
from core.testing import WAIT_LIMIT, together
from social.errors import CaseChanged, CaseDecided
from social.models import Case, Decision, Report
from social.services import decisions, reports
from social.services.decisions import Seen, decide
from social.services.reports import report
from social.testing import case_about, make_post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are only read, and two that have read one go on together. Ask for it last: setting up locks, too."""
    barrier = Barrier(2)

    def read_case(case_id: UUID) -> Case:
        case = Case.objects.get(pk=case_id)
        barrier.wait(timeout=WAIT_LIMIT)
        return case

    monkeypatch.setattr(decisions, "_lock_case", read_case)
    monkeypatch.setattr(decisions, "lock_people", lambda *ids: User.objects.in_bulk(ids))


def looked_at(case: Case) -> Seen:
    with transaction.atomic():
        return Seen.of(case)


def warn_and_dismiss(case: Case, moderators: list[User]) -> list[Any]:
    seen, now = looked_at(case), clock.now()
    return together(
        *(
            partial(decide, moderator=moderator, case_id=case.pk, seen=seen, action=action, rule="spam", now=now)
            for moderator, action in zip(moderators, ("warn", "dismiss"), strict=True)
        )
    )


@pytest.fixture
def moderators(person: Any) -> list[User]:
    return [person("first", role="moderator"), person("second", role="moderator")]


def test_one_of_two_decisions_counts(author: User, stranger: User, moderators: list[User]) -> None:
    outcomes = warn_and_dismiss(case_about(make_post(author), stranger), moderators)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [CaseDecided]
    assert Decision.objects.count() == 1


def test_one_of_two_decisions_counts_twin(
    author: User, stranger: User, moderators: list[User], request: pytest.FixtureRequest
) -> None:
    """Without the lock both are carried out, and the case was found harmless and harmful."""
    case = case_about(make_post(author), stranger)
    request.getfixturevalue("unlocked")
    outcomes = warn_and_dismiss(case, moderators)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert Decision.objects.count() == 2


def test_a_report_while_the_thing_is_hidden(author: User, stranger: User, follower: User, moderator: User) -> None:
    """The report comes first and the decision is refused, since the case changed; or there is nothing to report."""
    post = make_post(author)
    case = case_about(post, stranger)
    now, seen = clock.now(), looked_at(case)
    told, decided = together(
        partial(report, reporter=follower, target_type="post", target_id=post.pk, reason="spam", now=now),
        partial(decide, moderator=moderator, case_id=case.pk, seen=seen, action="hide", rule="spam", now=now),
    )
    post.refresh_from_db()
    if isinstance(told, Exception):
        assert isinstance(told, NotFound) and post.hidden_at
    else:
        assert isinstance(decided, CaseChanged) and not post.hidden_at
    assert Case.objects.count() == 1


def test_many_reports_at_once_are_all_counted_once(author: User, person: Any) -> None:
    post, now = make_post(author), clock.now()
    crowd = [person(f"p{n}") for n in range(6)]
    ask = partial(report, target_type="post", target_id=post.pk, reason="spam", now=now)
    outcomes = together(*(partial(ask, reporter=reporter) for reporter in [*crowd, *crowd]))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    case = Case.objects.get()
    assert (case.report_count, Report.objects.count()) == (6, 6)


def test_many_reports_at_once_are_all_counted_once_twin(
    author: User, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock two reports read the same count, and one of them is not counted."""
    post, now = make_post(author), clock.now()
    crowd = [person("first"), person("second")]
    barrier = Barrier(2)

    def unlocked(rows: Any, **options: Any) -> Any:
        return rows

    def meet(case: Case) -> int:
        barrier.wait(timeout=WAIT_LIMIT)
        return 0

    case_about(post, person("zero"))
    monkeypatch.setattr(reports, "lock", unlocked)
    monkeypatch.setattr(reports, "trusted_reporters", meet)
    ask = partial(report, target_type="post", target_id=post.pk, reason="spam", now=now)
    together(*(partial(ask, reporter=reporter) for reporter in crowd))
    assert Report.objects.count() == 3
    assert Case.objects.get().report_count == 2
