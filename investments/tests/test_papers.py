"""Receipts and statements: the fields that the law asks for, and sums that add up to the books."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core import pdf
from core.testing import Api
from investments import statements
from investments.access import access_investment
from investments.models import Investment, PaymentMethod
from investments.papers import receipt, statement_paper
from investments.services.distributing import distribute
from investments.statements import statement_of
from investments.testing import approve, invest, propose, settle
from investments.tests.conftest import minor, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(
    api: Api, founder: User, backer: User, campaign: Campaign, card: PaymentMethod, person: Callable[..., User]
) -> Investment:
    """900.00 in one campaign of which 100.00 went back, settled, 12.34 returned, 2.34 of it paid out; 50 in another."""
    investment = invest(api, backer, campaign, "900", card)
    api.as_user(backer).post(
        f"/api/investments/{investment.pk}/withdraw", {"amount": "100", "paymentMethodId": str(card.pk)}
    )
    invest(api, backer, campaign, "200", card)
    later = timezone.now() + timedelta(days=60)
    other = make_campaign(founder, title="=HYPERLINK(1)", currency="EUR", goal_amount="500", ends_at=later)
    invest(api, backer, other, "50", card)
    settle(campaign)
    distribution = propose(api, founder, campaign, "15.43")
    approve(person("ines", role="admin"), distribution)
    assert distribute(distribution.pk, now=timezone.now())
    paid = api.as_user(backer).post(
        f"/api/investments/{investment.pk}/withdraw", {"amount": "2.34", "paymentMethodId": str(card.pk)}
    )
    assert paid.json()["status"] == "paid"
    return investment


def facts(paper: pdf.Paper) -> dict[str, str]:
    return {label: value for block in paper.blocks if isinstance(block, pdf.Facts) for label, value in block.pairs}


def test_a_receipt_has_the_fields_of_the_law(api: Api, backer: User, founder: User, story: Investment) -> None:
    answer = api.as_user(backer).get(f"/api/investments/{story.pk}/receipt")
    assert (answer.status_code, answer["Content-Type"], answer.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert answer["Cache-Control"] == "no-store"
    assert api.as_user(backer).get(f"/api/investments/{story.pk}/receipt").content == answer.content
    shown = facts(receipt(access_investment(backer, story.pk)))
    assert shown["Reference"] == story.reference
    assert shown["Date of the transaction"] == f"{story.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    assert shown["Security"] == "Participation in “A solar roof for the school”, terms version 1"
    assert (shown["Price of one"], shown["Number"], shown["Issuer"]) == ("$900.00", "1", founder.name)
    assert (shown["Paid by you"], shown["Paid by the issuer, for all investments"]) == ("$0.00", "$0.00")
    assert shown["Payment method"].endswith("4242")
    assert "$100.00 · Withdrawn · Refunded" in shown.values()


def test_a_receipt_is_its_investors_alone(api: Api, founder: User, friend: User, story: Investment) -> None:
    for who in (founder, friend):
        assert refusal(api.as_user(who).get(f"/api/investments/{story.pk}/receipt")) == (404, "not_found")


def test_an_odd_name_is_printed(api: Api, backer: User, founder: User, story: Investment) -> None:
    User.objects.filter(pk=founder.pk).update(first_name="美咲 😀", last_name="ᠮᠣᠩᠭᠣᠯ")
    assert api.as_user(backer).get(f"/api/investments/{story.pk}/receipt").status_code == 200


def year_of(story: Investment) -> int:
    return story.created_at.year


def read(api: Api, who: User, year: int, **query: str) -> Any:
    return api.as_user(who).get("/api/investments/statement", {"year": str(year), **query})


def whole(api: Api, who: User, story: Investment) -> tuple[dict[str, Any], list[Any]]:
    """
    The totals by currency and the movements of the year of the story. Its campaign is settled a month ahead, which is
    perhaps the next year.
    """
    body = read(api, who, year_of(story)).json()
    return {total["currency"]: total for total in body["totals"]}, body["movements"]


def test_a_statement_adds_up_to_the_books(
    api: Api, backer: User, story: Investment, time_machine: TimeMachineFixture
) -> None:
    release = timezone.now() + timedelta(days=40)
    time_machine.move_to(release)
    years = sorted({year_of(story), release.year})
    movements = [one for year in years for one in read(api, backer, year).json()["movements"]]
    assert sorted((one["kind"], one["amount"], one["currency"]) for one in movements) == [
        ("commitment", "200.00", "USD"),
        ("commitment", "50.00", "EUR"),
        ("commitment", "900.00", "USD"),
        ("payout", "2.34", "USD"),
        ("refund", "100.00", "USD"),
        ("return", "12.34", "USD"),
        ("return", "3.09", "USD"),
        ("settlement", "200.00", "USD"),
        ("settlement", "800.00", "USD"),
    ]
    last = {total["currency"]: total for total in read(api, backer, years[-1]).json()["totals"]}
    closing = {currency: total["closing"] for currency, total in last.items()}
    assert closing == {
        "EUR": {"committed": "50.00", "invested": "0.00", "returned": "0.00", "fees": "0.00"},
        "USD": {"committed": "0.00", "invested": "1000.00", "returned": "13.09", "fees": "0.00"},
    }
    assert minor(f"returns:user:{backer.pk}:USD") == 13_09
    held = sum(one.payment.held_minor for one in Investment.objects.filter(investor=backer, currency="USD"))
    assert held == 1000_00
    for year in years:
        for total in read(api, backer, year).json()["totals"]:
            _is_consistent(total)


def _is_consistent(total: dict[str, Any]) -> None:
    opening, closing = total["opening"], total["closing"]

    def of(name: str) -> Decimal:
        return Decimal(total[name])

    changes = {
        "committed": of("commitments") - of("refunds") - of("settlements"),
        "invested": of("settlements"),
        "returned": of("returns") - of("payouts"),
        "fees": of("fees") - of("feeRefunds"),
    }
    for name, change in changes.items():
        assert Decimal(closing[name]) == Decimal(opening[name]) + change, (total, name)


def test_a_year_without_movements_keeps_its_sums(
    api: Api, backer: User, story: Investment, time_machine: TimeMachineFixture
) -> None:
    year = year_of(story)
    before = read(api, backer, year - 1).json()
    assert (before["movements"], before["totals"]) == ([], [])
    time_machine.move_to(datetime(year + 3, 6, 1, tzinfo=UTC))
    later = read(api, backer, year + 3).json()
    assert later["movements"] == []
    assert all(total["opening"] == total["closing"] for total in later["totals"])
    assert len(later["totals"]) == 2


def test_csv_has_the_same_lines_and_runs_nothing(api: Api, backer: User, story: Investment) -> None:
    _, movements = whole(api, backer, story)
    answer = read(api, backer, year_of(story), format="csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    moved = [row for row in rows if row["reference"]]
    assert [(row["date"], row["kind"], row["amount"]) for row in moved] == [
        (one["at"][:10], one["kind"], one["amount"]) for one in movements
    ]
    assert "'=HYPERLINK(1)" in {row["campaign"] for row in moved}
    assert {row["kind"] for row in rows if not row["reference"]} == {
        f"{when} {name}" for when in ("opening", "closing") for name in ("committed", "invested", "returned", "fees")
    }


def test_pdf_shows_the_same(api: Api, backer: User, story: Investment) -> None:
    answer = read(api, backer, year_of(story), format="pdf")
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    assert read(api, backer, year_of(story), format="pdf").content == answer.content
    _, movements = whole(api, backer, story)
    statement = statement_of(backer, year_of(story), most=1000, now=timezone.now())
    *_, table = [block for block in statement_paper(statement, backer.name).blocks if isinstance(block, pdf.Table)]
    assert [(row[0], row[-1]) for row in table.rows] == [
        (one["at"][:10], f"{one['amount']} {one['currency']}") for one in movements
    ]


def test_bad_questions(api: Api, backer: User, story: Investment, monkeypatch: pytest.MonkeyPatch) -> None:
    year = timezone.now().year
    assert refusal(read(api, backer, year + 1)) == (400, "year_not_begun")
    for query in ({}, {"year": "soon"}, {"year": "0"}, {"year": str(year), "format": "xls"}):
        assert api.as_user(backer).get("/api/investments/statement", query).status_code == 400, query
    monkeypatch.setitem(statements.MOST, "pdf", 1)
    too_long = read(api, backer, year_of(story), format="pdf")
    assert (refusal(too_long), too_long.json()["most"]) == ((409, "statement_too_long"), 1)
    assert read(api, backer, year_of(story), format="csv").status_code == 200


def test_others_movements_are_not_in_it(api: Api, friend: User, founder: User, story: Investment) -> None:
    for who in (friend, founder):
        assert read(api, who, year_of(story)).json()["movements"] == []
