"""Staff read the books in the admin; nobody writes there, not even an admin."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import path, reverse
from pytest_django import DjangoAssertNumQueries

from accounts.testing import make_person
from ledger.models import Entry, LedgerAccount, Posting
from ledger.services.postings import post
from ledger.services.reservations import reserve
from ledger.tests.conftest import moving, usd

MODELS = (LedgerAccount, Posting, Entry)
urlpatterns = [path("admin/", admin.site.urls)]
pytestmark = pytest.mark.urls(__name__)


def page(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:ledger_{model._meta.model_name}_{name}", args=args)


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_person(role=role))
    return client


@pytest.fixture
def staff(db: None) -> Client:
    return signed_in("admin")


@pytest.mark.parametrize("model", MODELS)
def test_staff_may_look_and_not_touch(staff: Client, escrow_of_100: LedgerAccount, model: Any) -> None:
    row = model.objects.first()
    assert staff.get(page(model, "changelist")).status_code == 200
    shown = staff.get(page(model, "change", row.pk))
    assert shown.status_code == 200
    assert b'name="_save"' not in shown.content and b'type="text" name="' not in shown.content
    assert staff.post(page(model, "change", row.pk), {"amount": "1"}).status_code == 403
    assert staff.get(page(model, "add")).status_code == 403
    assert staff.get(page(model, "delete", row.pk)).status_code == 403


@pytest.mark.parametrize("role", ["user", "reviewer", "moderator"])
@pytest.mark.parametrize("model", MODELS)
def test_others_do_not_see_the_books(escrow_of_100: LedgerAccount, model: Any, role: str) -> None:
    assert signed_in(role).get(page(model, "changelist")).status_code in (302, 403)


def test_the_lists_speak_in_major_units(staff: Client, escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    reserve(key="r", **moving(usd("60"), source=escrow_of_100, target=owner))
    accounts = staff.get(page(LedgerAccount, "changelist")).content.decode()
    for text in ("escrow:campaign:1", "100.00 USD", "40.00 USD", "60.00 USD"):
        assert text in accounts
    postings = staff.get(page(Posting, "changelist")).content.decode()
    assert "60.00 USD" in postings and "Reserved" in postings
    detail = staff.get(page(Posting, "change", Posting.objects.get(key="r").pk)).content.decode()
    assert "payable:owner:1" in detail and "60.00 USD" in detail


@pytest.mark.parametrize("model", MODELS)
def test_lists_cost_the_same_for_one_row_and_ten(
    staff: Client,
    escrow_of_100: LedgerAccount,
    owner: LedgerAccount,
    model: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(12) as one:
        staff.get(page(model, "changelist"))
    for number in range(10):
        post(key=f"p{number}", **moving(usd("1"), source=escrow_of_100, target=owner))
    with django_assert_num_queries(len(one)):
        staff.get(page(model, "changelist"))
