"""A row for every page of the admin, made by the services that make them, with the long words that people have."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils import timezone

from accounts.models import User
from accounts.services import administration
from accounts.testing import make_person, sign_in
from analytics.models import PLATFORM, DayCount
from analytics.services import event_names
from analytics.services.rollups import VISIT
from campaigns.models import Campaign
from campaigns.services.amendments import propose_amendment
from campaigns.testing import make_campaign
from chat.services.conversations import begin_group
from core.data.ids import uuid7
from core.jobs import outbox
from core.models import FailingItem, OutboxEvent
from core.testing import Api
from investments.models import FeeLine, Investment, ProviderEvent, ProviderFee, Reconciliation, RiskCase, Settlement
from investments.services.corrections import propose_correction
from investments.services.distributing import distribute
from investments.services.settlements import advance
from investments.services.staff_refunds import propose_refund
from investments.testing import (
    approve,
    approve_payment,
    choose_target,
    decide as decide_dispute,
    dispute,
    invest,
    make_card,
    propose,
    settle,
)
from kyc.services.badges import give_badge
from kyc.services.decisions import decide, judge_document, take_case
from kyc.testing import submitted_case
from ledger.models import Posting
from ledger.services.seals import seal_day
from social.services.appeals import appeal
from social.testing import (
    act,
    case_about,
    make_ad,
    make_channel,
    make_comment,
    make_group,
    make_post,
    make_story,
    put_in_channel,
    put_in_group,
)
from uploads.testing import picture

LONG = "Solaranlagengemeinschaftsgenossenschaft Oberbayern-Südwest, second round for the school and the town hall"


def make_world() -> User:
    """Returns the admin who looks at it. Every model of the admin has rows, and `insists` on it."""
    now = timezone.now()
    ines = make_person(first_name="Ines", role="admin", last_name="Moreau")
    rae = make_person(first_name="Rae", role="reviewer")
    founder = make_person(
        first_name="Wilhelmine",
        last_name="Featherstonehaugh-Llanfairpwllgwyngyll",
        email="wilhelmine.featherstonehaugh-llanfairpwllgwyngyll@community-investors.example.com",
        identity=True,
        phone_number="+15550001111",
        location="Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
        website="https://example.com/a/rather/long/path/to/somewhere",
        bio="Builds roofs. " * 20,
    )
    backer = make_person(first_name="Mei", last_name="Tanaka", identity=True)
    suspended = make_person(first_name="Spam", last_name="Mer")
    administration.suspend(user_id=suspended.pk, reason="Sends the same offer to everybody.", by=ines, now=now)
    sign_in(founder)
    api = Api()
    api.post("/api/auth/login", {"email": founder.email, "password": "wrong password"})

    _cases(rae, now)
    give_badge(staff=ines, user_id=founder.pk, badge="founder", now=now)

    live = make_campaign(founder, title=LONG, max_amount="1200000", goal_amount="1000000", min_investment="10")
    make_campaign(founder, status="in_review", title="A windmill on the hill")
    terms = {"goal_amount": Decimal(900_000), "expected_return_percent": Decimal("2.5")}
    propose_amendment(owner=founder, campaign_id=live.pk, changes=terms, reason="The panels cost less. " * 20, now=now)
    make_campaign(make_person(first_name="Own", identity=True), status="in_review", title="x" * 120)
    target = "https://community-investors.example.com/" + "offers-of-the-season/" * 8
    make_ad(founder, title="x" * 80, body="Roofs for everybody. " * 14, target_url=target)
    make_ad(founder, title=LONG[:80], approved_by=ines, daily_cap=1_000_000)
    make_story(founder, caption=LONG * 4)
    told = {"title": LONG[:120], "content": "The panels are here. " * 40, "audience": "public"}
    update = api.as_user(founder).post(f"/api/campaigns/{live.pk}/updates", told).json()
    api.as_user(founder).put(f"/api/campaigns/{live.pk}/updates/{update['id']}", {"content": "They are on the roof."})
    card = make_card(backer)
    investment = invest(api, backer, live, "1234.56", card)
    contested = invest(api, backer, live, "500000")
    decide_dispute(dispute(contested, 12_345_67), "lost")
    dispute(contested)
    withdrawn = api.as_user(backer).post(
        f"/api/investments/{investment.pk}/withdraw",
        {"amount": "1234.56", "paymentMethodId": str(card.pk)},
    )
    assert withdrawn.status_code == 200, withdrawn.content
    _returns(api, founder, backer, ines)
    _settlement(api, founder, backer, ines)
    RiskCase.objects.create(
        rule="card_declines",
        rules_version="2026-11-01",
        counted="card",
        subject=card.card,
        failures=10,
        limit=10,
        window_seconds=3600,
        charges=[str(investment.payment.key)],
        consequence=RiskCase.Consequence.SUSPEND_METHOD,
        person=backer,
        method=card,
        card=card.card,
        status=RiskCase.Status.LIFTED,
        note="Called the bank; a typing mistake in the address. " * 8,
        decided_by=ines,
        decided_at=now,
    )
    ProviderEvent.objects.create(
        provider="sandbox",
        event_id="evt_" + "0123456789" * 4,
        type="charge.succeeded",
        key=str(investment.payment.key),
        outcome=ProviderEvent.Outcome.SET_ASIDE,
        note="The amount differs from what was asked for: 1234.57 USD instead of 1234.56 USD",
    )
    FeeLine.objects.create(
        campaign=live, fee="platform", kind="platform", currency=live.currency, amount_minor=617_28, of_minor=12_345_60
    )
    ProviderFee.objects.create(
        provider="sandbox", line_id="txn_" + "0123456789" * 3, amount_minor=59, currency="USD", taken_at=now
    )
    Reconciliation.objects.create(
        provider="sandbox",
        since=now - timedelta(days=60),
        finished_at=now,
        line_count=3,
        finding_count=1,
        findings=[
            {
                "check": "differing",
                "about": "charge",
                "reference": investment.reference,
                "ours": "1234.56",
                "theirs": "1234.57",
                "currency": "USD",
                "detail": f"the provider has another amount for {investment.payment.key}",
            }
        ],
    )
    begin_group(starter=founder, participants=[backer.pk], title=LONG, now=now)
    put_in_group(make_group(founder, LONG[:100], cover_image=picture()), backer, "moderator")
    put_in_channel(make_channel(founder, LONG[:100]), backer, "editor")
    outbox.emit("notifications.send_mail_to", now=now, after=timedelta(hours=1), user_id=str(backer.pk))
    OutboxEvent.objects.create(
        topic="notifications.send_mail_to",
        attempts=10,
        parked_at=now,
        last_error="SMTPServerDisconnected: Connection unexpectedly closed by mail.example.com:587 after 10 tries",
    )
    FailingItem.objects.create(
        job="investments.close_campaigns",
        item=str(uuid7()),
        attempts=10,
        due_at=now,
        parked_at=now,
        last_error="OperationalError: could not serialize access due to concurrent update " * 3,
    )
    event_names.note_unknown(
        ["quiz_done", "quiz_done", "a_name_of_sixty_letters_that_a_client_has_made_up_by_itself"], now=now
    )
    event_names.register(["quiz_done"], actor=ines, now=now)
    make_figures(live)
    seal_day(now.date(), now=now + timedelta(days=2))
    _reports(founder, backer, now)
    insist()
    return ines


def _returns(api: Api, founder: User, backer: User, staff: User) -> None:
    """One distribution that is paid and partly paid out, and one that waits for its decision."""
    moment = timezone.now()
    campaign = make_campaign(founder, title=LONG, goal_amount="100", ends_at=moment + timedelta(days=2))
    investment = invest(api, backer, campaign, "100")
    settle(campaign)
    distribution = propose(api, founder, campaign, "12345.67")
    approve(staff, distribution)
    assert distribute(distribution.pk, now=moment)
    propose(api, founder, campaign, "8.90")
    paid_out = api.as_user(backer).post(
        f"/api/investments/{investment.pk}/withdraw",
        {"amount": "1234.56", "paymentMethodId": str(investment.method_id)},
    )
    assert paid_out.status_code == 200, paid_out.content


def _settlement(api: Api, founder: User, backer: User, staff: User) -> None:
    """One that waits for its second approval, with a refund by staff, and a correction."""
    now = timezone.now()
    campaign = make_campaign(founder, title=LONG, goal_amount="20000", max_amount="30000")
    invest(api, backer, campaign, "20000")
    settle(campaign)
    choose_target(founder)
    settlement = Settlement.objects.get(campaign=campaign)
    advance(settlement.pk, now=now)
    approve_payment(staff, settlement)
    investment = Investment.objects.get(campaign=campaign)
    words = "The owner could not show what the money was for. " * 8
    propose_refund(staff=staff, investment_id=investment.pk, amount=Decimal(1), reason=words, now=now)
    propose_correction(
        staff=staff, posting_id=Posting.objects.get(key=f"release:{campaign.pk}").pk, lines=[], reason=words, now=now
    )


def make_figures(campaign: Campaign) -> None:
    """Counts of 60 days for the dashboard and the campaign, with names of sources as strangers choose them."""
    today = timezone.now().date()
    sources = ("newsletter", "x" * 100, "=HYPERLINK(1)", "a-very-long-name-of-a-page.community-investors.example.com")
    counts = [
        DayCount(day=today - timedelta(days=age), name=name, about_id=about, events=number, people=number)
        for age, number in enumerate(range(1_000_000, 400_000, -10_000))
        for name in ("campaign_view", "investment.committed", "account.registered")
        for about in (PLATFORM, campaign.pk)
    ]
    counts += [
        DayCount(day=today, name=VISIT, about_id=campaign.pk, source=source, medium="m" * 50, events=9, people=9)
        for source in sources
    ]
    DayCount.objects.bulk_create(counts)


def _reports(author: User, reporter: User, now: Any) -> None:
    """A case that waits, and one that was decided, with an appeal."""
    moderator = make_person(first_name="Mo", role="moderator")
    for words in (LONG, "Double your money " * 20):
        post = make_post(author, words)
        for comment in ("Where do I sign?", "x" * 200):
            make_comment(reporter, post, comment)
        case = case_about(post, reporter, reason="fraud", details="Promises that nobody can keep. " * 20)
    taken = act(moderator, case, "freeze", rule="fraud", words="Please " * 100, note="x" * 200, days=7)
    appeal(person=author, decision_id=taken.pk, text="I never promised anything. " * 40, now=now)


def _cases(reviewer: User, now: Any) -> None:
    for number, status in enumerate(("waiting", "waiting", "rejected", "verified")):
        person = make_person(first_name=f"Applicant{number}", last_name="Llanfairpwllgwyngyllgogerychwyrndrobwll")
        case = submitted_case(person, number=f"C01X00T4{number}")
        if status == "waiting":
            continue
        take_case(reviewer=reviewer, verification_id=case.pk, now=now)
        for paper in case.documents.all():
            judge_document(
                reviewer=reviewer, document_id=paper.pk, status="verified", notes="Clear, all corners.", now=now
            )
        words = {"notes": "Face and number match. " * 8, "message": "Please send a sharper picture. " * 5}
        decide(reviewer=reviewer, verification_id=case.pk, status=status, now=now, **words)


def insist() -> None:
    """Fails for a model of the admin without a row: whoever registers one gives it a row here."""
    empty = [model.__name__ for model in admin.site._registry if not model._default_manager.exists()]
    assert not empty, f"no rows for {', '.join(empty)}: make them in {__name__}"
