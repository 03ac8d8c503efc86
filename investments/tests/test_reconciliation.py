"""`reconcile` names everything in which our rows, our books and the provider's statement differ."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from core.data.transactions import atomic
from core.jobs.runner import run as run_job
from core.money import Money
from core.testing import Api
from investments import books
from investments.jobs import RECONCILE
from investments.models import (
    Dispute,
    Investment,
    Payment,
    PaymentMethod,
    Reconciliation,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
)
from investments.providers.base import Move, OutcomeUnknown, StatementLine
from investments.reconciliation import Check, reconcile
from investments.testing import StandIn, close_campaigns, decide, dispute, invest, make_card
from ledger.services.accounts import open_accounts
from ledger.services.postings import credit, debit, post
from ledger.tests.test_commands import execute, guards_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(api: Api, backer: User, friend: User, campaign: Campaign, card: PaymentMethod) -> Investment:
    """Two investments, one with a part that went back, a declined one, and one that waits for its investor."""
    first = invest(api, backer, campaign, "100", card)
    invest(api, friend, campaign, "250.50")
    api.as_user(backer).post(f"/api/investments/{first.pk}/withdraw", {"amount": "40", "paymentMethodId": str(card.pk)})
    for token in ("tok_declined", "tok_3ds"):
        body = {"amount": "20", "paymentMethodId": str(make_card(friend, token).pk)}
        api.as_user(friend).post(f"/api/campaigns/{campaign.pk}/invest", body)
    return first


def found(now: datetime | None = None) -> list[tuple[str, str]]:
    return [(one.check.value, one.about) for one in reconcile("sandbox", now=now or timezone.now()).findings]


def run(*args: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("reconcile", *args, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_sound_story_is_clean(story: Investment) -> None:
    code, text = run()
    assert (code, text.splitlines()[-1][:37]) == (0, "Reconciled 3 lines of sandbox since 2")
    code, text = run("--json")
    result = json.loads(text)
    assert (code, result["clean"], result["statementLines"], set(result["counts"].values())) == (0, True, 3, {0})
    kept = Reconciliation.objects.latest("id")
    assert (kept.is_clean, kept.line_count, kept.findings) == (True, 3, [])


def test_a_funded_and_a_failed_campaign_are_clean(api: Api, founder: User, backer: User, campaign: Campaign) -> None:
    invest(api, backer, campaign, "1000")
    close_campaigns(now=campaign.ends_at + timedelta(days=1))
    assert found(timezone.now() + timedelta(days=40)) == []


def test_an_empty_platform_is_clean() -> None:
    assert run()[0] == 0


class TestNames:
    """What it calls each fault. Each is planted where nobody guards."""

    def test_missing(self, story: Investment) -> None:
        SandboxRefund.objects.all().delete()
        SandboxCharge.objects.filter(key=story.payment.key).delete()
        assert sorted(found()) == [("missing", "charge"), ("missing", "refund"), ("sum", "provider")]

    def test_disputes(self, story: Investment) -> None:
        """Missing, differing, doubled, and sums that do not fit: each planted beside a dispute that is sound."""
        theirs = dispute(story, 30_00)
        assert found() == []
        SandboxDispute.objects.update(amount_minor=29_00)
        assert found() == [("differing", "dispute")]
        SandboxDispute.objects.update(amount_minor=30_00)
        with guards_off("investments_payment"):
            Payment.objects.filter(pk=story.payment.pk).update(disputed_minor=29_00)
        assert ("sum", "dispute") in found()
        with guards_off("investments_payment"):
            Payment.objects.filter(pk=story.payment.pk).update(disputed_minor=30_00)
        decide(theirs, "lost")
        assert found() == []
        with guards_off("investments_dispute"):
            Dispute.objects.update(status="open", closed_at=None)
        assert [one for one in found() if one == ("sum", "dispute")]
        with guards_off("investments_dispute"):
            Dispute.objects.update(provider_id="dp_other", status="lost", closed_at=timezone.now())
        assert sorted(found()) == [("extra", "dispute"), ("missing", "dispute")]

    def test_losses(self, story: Investment) -> None:
        decide(dispute(story), "lost")
        assert found() == []
        with guards_off("investments_dispute"):
            Dispute.objects.update(voided_minor=1)
        assert ("sum", "losses") in found()

    def test_extra(self, story: Investment) -> None:
        SandboxCharge.objects.create(
            key="payment-of-nobody", amount_minor=500, currency="USD", state="captured", captured_at=timezone.now()
        )
        assert found() == [("extra", "charge"), ("sum", "provider")]

    def test_taken_after_it_was_given_up(self, story: Investment) -> None:
        failed = Payment.objects.get(status="failed")
        SandboxCharge.objects.filter(key=failed.key).update(state="captured", captured_at=timezone.now())
        assert found() == [("extra", "charge"), ("sum", "provider")]

    def test_differing(self, story: Investment) -> None:
        SandboxCharge.objects.filter(key=story.payment.key).update(amount_minor=10_001)
        assert found() == [("differing", "charge"), ("sum", "provider")]

    def test_differing_from_the_ledger(self, story: Investment) -> None:
        with guards_off("investments_investment"):
            Investment.objects.filter(pk=story.pk).update(amount_minor=10_001)
        assert ("differing", "charge") in found()

    def test_wrong_currency(self, story: Investment) -> None:
        SandboxCharge.objects.filter(amount_minor=25_050).update(currency="EUR")
        assert found() == [("wrong_currency", "charge"), ("sum", "provider"), ("sum", "provider")]

    def test_doubled(self, story: Investment, provider: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = provider.statement

        def twice(*, since: datetime) -> Iterator[StatementLine]:
            lines = list(whole(since=since))
            again = next(line for line in lines if line.move == Move.CHARGE)
            return iter([*lines, StatementLine(again.move, again.key, "ch_again", again.amount, again.at)])

        monkeypatch.setattr(provider, "statement", twice)
        (one,) = reconcile("sandbox", now=timezone.now()).findings
        assert (one.check, "ch_again" in one.detail, one.theirs) == (Check.DOUBLED, True, "200.00")

    def test_late_at_the_provider(self, story: Investment) -> None:
        waiting = Payment.objects.get(status="requires_action")
        SandboxCharge.objects.filter(key=waiting.key).update(state="captured", captured_at=timezone.now())
        assert found() == [], "somebody may be recording it right now"
        assert found(timezone.now() + timedelta(minutes=16)) == [("late", "charge")]

    def test_late_everywhere(self, story: Investment) -> None:
        assert found(timezone.now() + timedelta(minutes=14)) == []
        assert found(timezone.now() + timedelta(minutes=16)) == [("late", "charge")]

    def test_a_refund_that_never_ends(
        self, api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
    ) -> None:
        investment = invest(api, backer, campaign, "100", card)
        provider.plan("refund", "lost after")
        body = {"amount": "100", "paymentMethodId": str(card.pk)}
        asked = api.as_user(backer).post(f"/api/investments/{investment.pk}/withdraw", body)
        assert asked.json()["status"] == "pending"
        assert found() == []
        assert found(timezone.now() + timedelta(minutes=16)) == [("late", "refund")]

    def test_unbooked(self, story: Investment) -> None:
        waiting = Payment.objects.get(status="requires_action")
        with guards_off("investments_payment", "investments_investment", "campaigns_campaign"):
            Payment.objects.filter(pk=waiting.pk).update(status="captured", captured_minor=2000)
        assert ("unbooked", "charge") in found()

    def test_unexplained(self, story: Investment, campaign: Campaign) -> None:
        now = timezone.now()
        accounts = books.provider_account("sandbox", "USD"), books.escrow_account(campaign.pk, "USD")
        with atomic():
            bank, escrow = open_accounts(*accounts, now=now)
            usd = Money(500, "USD")
            post(key="by hand", kind="correction", lines=[debit(bank, usd), credit(escrow, usd)], now=now)
        assert sorted(found()) == [("sum", "campaign"), ("sum", "provider"), ("unexplained", "provider")]

    @pytest.mark.parametrize("column", ["raised_minor", "reserved_minor"])
    def test_sum(self, column: str, story: Investment, campaign: Campaign) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(**{column: 7})
        assert {check for check, _ in found()} == {"sum"}


def test_findings_are_told_and_the_exit_is_1(story: Investment) -> None:
    SandboxCharge.objects.filter(key=story.payment.key).update(amount_minor=10_001)
    code, text = run()
    lines = text.splitlines()
    assert code == 1
    assert lines[0].split() == ["check", "about", "reference", "ours", "theirs", "currency", "detail"]
    assert lines[1].split()[:6] == ["differing", "charge", story.reference, "100.00", "100.01", "USD"]
    assert lines[-1].endswith("2 findings.")
    code, text = run("--json")
    result = json.loads(text)
    assert (code, result["clean"], result["counts"]["differing"]) == (1, False, 1)
    kept = Reconciliation.objects.latest("id")
    assert (kept.finding_count, kept.findings[0]["check"]) == (2, "differing")


def test_a_dry_run_keeps_nothing(story: Investment) -> None:
    assert run("--dry-run")[0] == 0
    assert not Reconciliation.objects.exists()


def test_it_compares_from_a_day_on(story: Investment) -> None:
    SandboxCharge.objects.filter(key=story.payment.key).update(
        amount_minor=10_001, captured_at=timezone.now() - timedelta(days=90)
    )
    Payment.objects.filter(pk=story.payment.pk).update(created_at=timezone.now() - timedelta(days=90))
    assert [check for check, _ in found()] == ["sum"], "the provider's sum is always that of now"
    assert run("--since", (timezone.now() - timedelta(days=100)).date().isoformat())[0] == 1
    with pytest.raises(CommandError, match="is not a day"):
        call_command("reconcile", "--since", "yesterday")


def test_silence_is_told_and_nothing_is_kept(
    story: Investment, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(**question: Any) -> Any:
        raise OutcomeUnknown("timed out")

    monkeypatch.setattr(provider, "statement", silent)
    with pytest.raises(CommandError, match="did not answer: timed out"):
        call_command("reconcile")
    assert not Reconciliation.objects.exists()


def test_what_is_booked_while_it_asks_is_no_finding(
    api: Api, backer: User, campaign: Campaign, story: Investment, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody invests between the provider's answer and our look at the rows."""
    holdings: Callable[[], Any] = provider.holdings

    def then_somebody_invests() -> Any:
        held = holdings()
        invest(api, backer, campaign, "33")
        return held

    monkeypatch.setattr(provider, "holdings", then_somebody_invests)
    assert found() == []


def test_other_amounts_in_the_ledger_are_found(story: Investment) -> None:
    with guards_off():
        execute(
            "UPDATE ledger_entry SET amount = amount + sign(amount) * 7 WHERE transaction_id IN (SELECT id FROM "
            "ledger_transaction WHERE phase = 'posted' AND kind = 'investment.refunded')"
        )
    assert ("differing", "refund") in found()


def test_it_runs_once_a_day_by_itself(story: Investment) -> None:
    now = timezone.now()
    assert [run_job(RECONCILE, now=now + timedelta(hours=hours)).done for hours in (0, 1, 23, 24)] == [1, 0, 0, 1]
    assert Reconciliation.objects.count() == 2
