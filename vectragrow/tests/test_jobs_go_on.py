"""Scheduled jobs of every app: an item that cannot be done is left for the next time, and the others are done now."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.jobs import DELETE_ARCHIVES, ERASE_PEOPLE
from accounts.models import DataExport, User
from accounts.services import exports, leaving
from core.jobs.runner import run
from core.maintenance.jobs import RETENTION
from core.models import FailingItem
from core.privacy import declarations
from core.privacy.declarations import Declaration
from core.privacy.erasure import erase_person
from core.testing import Api
from kyc.access import lock_person
from kyc.jobs import END_BADGES, EXPIRE_CASES
from kyc.models import GrantedBadge, Source, Verification
from kyc.services import badges, evidence
from kyc.services.history import record
from kyc.testing import submitted_case
from uploads.models import StoredFile
from uploads.services import delete_file


@pytest.fixture
def two(person: Callable[..., User]) -> tuple[User, User]:
    return person("first"), person("second")


def test_erasing_goes_on_behind_an_account_that_cannot_be_erased(
    api: Api, two: tuple[User, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in two:
        api.as_user(who).delete("/api/profile")

    def broken(*, person_id: UUID, now: datetime) -> None:
        erase_person(person_id=person_id, now=now)
        if person_id == two[0].pk:
            raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(leaving, "erase_person", broken)
    assert run(ERASE_PEOPLE, now=timezone.now() + timedelta(days=31)).done == 1
    assert [User.objects.get(pk=who.pk).status for who in two] == ["active", "deleted"]


def test_archives_end_behind_one_that_cannot(two: tuple[User, User], monkeypatch: pytest.MonkeyPatch) -> None:
    for who in two:
        exports.make_export(export_id=exports.request_export(person=who, now=timezone.now()).pk, now=timezone.now())

    def broken(file: Any, now: datetime) -> None:
        if file.owner_id == two[0].pk:
            raise OSError("the store is down")
        delete_file(file, now=now)

    monkeypatch.setattr(exports, "delete_file", broken)
    assert run(DELETE_ARCHIVES, now=timezone.now() + timedelta(days=8)).done == 1
    assert [DataExport.objects.get(user=who).status for who in two] == ["ready", "expired"]


def test_a_retention_rule_that_fails_does_not_cost_the_next(
    two: tuple[User, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, now: datetime, days: int = 3) -> int:
        raise OSError("the store is down")

    declarations.every_declaration()  # loads them
    declared: dict[Any, Declaration] = declarations._declarations
    monkeypatch.setitem(declared, StoredFile, replace(declared[StoredFile], retention=(broken,)))
    tally = run(RETENTION, now=timezone.now() + timedelta(days=181))
    assert (tally.failed, tally.done) == (1, tally.due - 1)
    assert FailingItem.objects.get().item == "uploads/stored-files 0"


def test_identity_cases_expire_behind_one_that_cannot(two: tuple[User, User], monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [submitted_case(who, kinds=[]) for who in two]
    Verification.objects.update(status="pending_documents")

    def broken(action: Any, case: Verification, **facts: Any) -> None:
        if case.pk == cases[0].pk:
            raise KeyError("nobody thought of this")
        record(action, case, **facts)

    monkeypatch.setattr(evidence, "record", broken)
    assert run(EXPIRE_CASES, now=timezone.now() + evidence.ABANDONED_AFTER + timedelta(days=1)).done == 1
    assert [Verification.objects.get(pk=case.pk).status for case in cases] == ["pending_documents", "expired"]


def test_badges_end_behind_one_that_cannot(two: tuple[User, User], monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    for who in two:
        badges.grant(
            user_id=who.pk, badge="founder", source=Source.STAFF, issued_by=None, now=now, expires_at=now + timedelta(1)
        )

    def broken(user_id: UUID) -> User:
        if user_id == two[0].pk:
            raise KeyError("nobody thought of this")
        return lock_person(user_id)

    monkeypatch.setattr(badges, "lock_person", broken)
    assert run(END_BADGES, now=now + timedelta(days=2)).done == 1
    assert GrantedBadge.objects.filter(revoked_at__isnull=False).get().user_id == two[1].pk
