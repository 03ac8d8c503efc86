"""A person as a whole: every model is declared; what is exported, erased and kept."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.jobs import DELETE_ARCHIVES, ERASE_PEOPLE
from accounts.models import DataExport, Invitation, Session, User
from accounts.services.exports import make_export
from accounts.testing import PASSWORD
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core import events
from core.api.errors import Busy
from core.jobs.runner import run
from core.models import Event, OutboxEvent
from core.privacy import Cascade, Delete, DeleteAfter, Kept, Withheld, declarations, declare
from core.privacy.declarations import every_declaration
from core.privacy.erasure import erase_person
from core.testing import Api, deliver_events, drain_outbox, run_retention, together
from investments.models import Investment
from investments.testing import invest, make_card
from kyc.models import CaseEvent, Verification
from ledger.models import Entry, LedgerAccount
from notifications.mailbox import _content
from notifications.models import MailboxMessage, Notification, Recipient
from uploads.models import StoredFile
from uploads.testing import paper, picture

EXPORT = "/api/profile/export"


def every_model() -> list[type[models.Model]]:
    return list(apps.get_models(include_auto_created=True))


def test_lower_apps_come_first_whatever_was_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [declaration.model._meta.app_label for declaration in every_declaration()]
    first: dict[str, list[Any]] = {"social": [], **{label: [] for label in labels}}
    for model, declaration in declarations._declarations.items():
        first[model._meta.app_label].append((model, declaration))
    monkeypatch.setattr(declarations, "_declarations", dict(pair for pairs in first.values() for pair in pairs))
    assert [declaration.model._meta.app_label for declaration in every_declaration()] == labels
    assert labels.index("accounts") < labels.index("campaigns") < labels.index("social")


def points_to_a_person(model: type[models.Model]) -> bool:
    return any(key.related_model is User for key in model._meta.local_fields if key.is_relation)


def test_every_model_is_declared() -> None:
    declared = {declaration.model for declaration in every_declaration()}
    missing = [model._meta.label for model in every_model() if model not in declared]
    assert not missing, f"declare in <app>/privacy.py what is exported, erased and kept of {', '.join(missing)}"


def test_a_model_that_points_to_a_person_is_not_called_impersonal() -> None:
    called_so = [declaration.model._meta.label for declaration in every_declaration() if declaration.about]
    wrong = [label for label in called_so if points_to_a_person(apps.get_model(label))]
    assert not wrong


def test_what_cannot_be_carried_out_is_refused() -> None:
    rest: dict[str, Any] = {"export": Withheld("x"), "retention": Kept("x")}
    mistakes: tuple[dict[str, Any], ...] = (
        {"erase": Delete()},
        {"erase": Cascade("method")},
        {"erase": Kept("x"), "export": ("id",)},
        {"erase": Kept("x"), "retention": DeleteAfter(timedelta(days=1), since="amount_minor")},
    )
    for mistake in mistakes:
        with pytest.raises(ValueError, match="Investment"):
            declare(Investment, **{**rest, **mistake})
    with pytest.raises(ValueError, match="twice"):
        declare(Investment, erase=Kept("x"), **rest)


def test_a_model_comes_before_those_that_point_to_it() -> None:
    """Erasure goes backwards; otherwise what a row points to would be gone before the row."""
    personal = [declaration for declaration in every_declaration() if not declaration.about]
    order = {declaration.model: place for place, declaration in enumerate(personal)}
    for model in order:
        for key in model._meta.local_fields:
            target = key.related_model if key.is_relation else None
            if target in order and target is not model and model._meta.app_label == target._meta.app_label:
                assert order[target] < order[model], f"{model.__name__} before {target.__name__}"


# --- Exported --------------------------------------------------------------------------------------------------------


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


@pytest.fixture
def ada(api: Api, person: Callable[..., User], founder: User) -> User:
    """Somebody who left something in every part of the platform."""
    ada = person("adamarker", last_name="Surnamemarker", phone_number="+12025550177", bio="Biomarker", identity=False)
    me = api.as_user(ada)
    for address in (ada.email, "oldaddressmarker@example.com"):
        api.as_user(founder).post("/api/profile/invite", {"email": address})
    Invitation.objects.filter(email__startswith="old").update(accepted_by=ada, accepted_at=timezone.now())
    me.put("/api/profile", {"location": "Placemarker", "website": "https://webmarker.example"})
    me.upload("/api/profile/photo", {"photo": picture()})
    me.post("/api/profile/invite", {"email": "invitedmarker@example.com"})
    api.get(urlsplit(me.get("/api/profile/share").json()["link"]).path, Accept="text/html")
    case = {"documentType": "passport", "documentNumber": "MARKER12345", "dateOfBirth": "1990-01-02"}
    assert me.post("/api/kyc/initiate", case).status_code == 201
    assert me.upload("/api/kyc/documents", {"documents": [paper()], "kinds": ["front"]}).status_code == 201
    talk = me.post("/api/chat/conversations", {"type": "direct", "participants": [str(founder.pk)]}).json()["id"]
    me.upload(f"/api/chat/conversations/{talk}/messages", {"content": "Hello there", "media": [picture()]})
    make_campaign(ada, status="draft")
    make_card(ada)
    drain_outbox()
    return User.objects.get(pk=ada.pk)


def archive(client: Api) -> zipfile.ZipFile:
    """Ask, let the worker work, fetch."""
    asked = client.post(EXPORT)
    assert (asked.status_code, asked.json()["status"], asked.json()["link"]) == (202, "pending", None)
    drain_outbox()
    ready = client.get(f"{EXPORT}/{asked.json()['id']}").json()
    assert ready["status"] == "ready"
    fetched = client.client.get("/files" + ready["link"].partition("/files")[2], HTTP_AUTHORIZATION="")
    assert (fetched.status_code, fetched["Content-Type"]) == (200, "application/zip")
    assert fetched["Content-Disposition"].startswith("attachment") and fetched["Cache-Control"] == "private, no-store"
    return zipfile.ZipFile(io.BytesIO(fetched.getvalue()))


def test_the_archive_holds_everything_of_the_person_and_nobody_else(api: Api, ada: User, founder: User) -> None:
    events.record("account.password_changed", ada, actor=ada, now=timezone.now())
    deliver_events()
    with archive(api.as_user(ada)) as kept:
        names = kept.namelist()
        read = {name: json.loads(kept.read(name)) for name in names if name.endswith(".json")}
        everything = b"".join(kept.read(name) for name in names)
    assert len(names) == len(set(names))
    assert read["accounts/users.json"][0]["bio"] == "Biomarker"
    assert read["accounts/invitations.json"][0]["email"] == "invitedmarker@example.com"
    assert read["chat/messages.json"][0]["content"] == "Hello there"
    assert read["campaigns/campaigns.json"][0]["status"] == "draft"
    assert read["investments/payment-methods.json"][0]["last4"] == "4242"
    assert read["kyc/identity-cases.json"][0]["documentNumberLast4"] == "2345"
    assert read["notifications/recipients.json"][0]["emailAddress"] == ada.email
    assert read["core/events.json"]
    for part in ("accounts/sessions", "accounts/profiles", "uploads/stored-files", "notifications/notifications"):
        assert read[f"{part}.json"]
    purposes = {name.split("/")[1] for name in names if name.startswith("files/")}
    assert purposes == {"profile_photo", "profile_preview", "chat"}
    for secret in (b"MARKER12345", b"tok_visa", ada.password.encode(), founder.email.encode(), b"digest", b"%PDF"):
        assert secret not in everything


def test_the_archive_tells_where_the_money_went(api: Api, founder: User, person: Callable[..., User]) -> None:
    backer = person("backer", identity=True)
    campaign = make_campaign(founder)
    invest(api, backer, campaign, "50.00")
    with archive(api.as_user(backer)) as kept:
        read = {name: json.loads(kept.read(name)) for name in kept.namelist() if name.endswith(".json")}
    [investment], [payment] = read["investments/investments.json"], read["investments/payments.json"]
    assert payment["investmentId"] == investment["id"] and payment["capturedMinor"] == 5000
    assert [step["kind"] for step in investment["events"]] and "investments/refunds.json" in read
    with archive(api.as_user(founder)) as kept:
        assert json.loads(kept.read("investments/payments.json")) == []


def test_only_the_person_gets_it_after_a_fresh_proof_and_for_a_week(api: Api, ada: User, founder: User) -> None:
    me = api.as_user(ada)
    with archive(me):
        pass
    export = DataExport.objects.get()
    assert export.file_id
    assert StoredFile.objects.get(pk=export.file_id).is_private
    assert api.as_user(founder).get(f"{EXPORT}/{export.pk}").status_code == 404
    Session.objects.filter(user=ada).update(authenticated_at=timezone.now() - timedelta(minutes=6))
    for refused in (me.post(EXPORT), me.get(f"{EXPORT}/{export.pk}")):
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    fresh = api.as_user(ada)
    DataExport.objects.update(expires_at=timezone.now())
    over = fresh.get(f"{EXPORT}/{export.pk}").json()
    assert (over["status"], over["link"]) == ("expired", None), "by the clock, whether or not a job ran"
    assert run(DELETE_ARCHIVES, now=timezone.now()).done == 1
    assert run(DELETE_ARCHIVES, now=timezone.now()).done == 0
    assert StoredFile.objects.get(pk=export.file_id).deleted_at


def test_asking_again_while_it_is_made_is_the_same_one(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    first, second = me.post(EXPORT).json(), me.post(EXPORT).json()
    assert first["id"] == second["id"]
    drain_outbox()
    assert me.post(EXPORT).json()["id"] != first["id"]
    deliver_events()
    kinds = list(Notification.objects.of(ada.pk).values_list("kind", flat=True))
    assert (kinds.count("export_requested"), kinds.count("export_ready")) == (2, 1)


def test_an_archive_made_twice_is_one(api: Api, ada: User) -> None:
    export_id = api.as_user(ada).post(EXPORT).json()["id"]
    for _ in range(2):
        make_export(export_id=export_id, now=timezone.now())
    assert StoredFile.objects.filter(purpose="data_export", deleted_at__isnull=True).count() == 1


def test_five_archives_a_day(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("eager"))
    assert [me.post(EXPORT).status_code for _ in range(6)] == [202] * 5 + [429]


# --- Erased --------------------------------------------------------------------------------------------------------

PROFILE = "/api/profile"


def after_the_grace() -> int:
    return run(ERASE_PEOPLE, now=timezone.now() + timedelta(days=30, minutes=1)).done


def whole_database() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        tables = [table for table in connection.introspection.table_names(cursor) if not table.startswith("django_")]
        texts = []
        for table in tables:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            texts += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(texts)


def traces_of(ada: User) -> list[str]:
    marks = ("marker", ada.email, "12025550177", "+12025550177")
    return [line[:200] for line in whole_database().splitlines() if any(mark in line.lower() for mark in marks)]


def test_leaving_signs_out_tells_by_mail_and_hides_the_page(api: Api, ada: User) -> None:
    me, other = api.as_user(ada), api.as_user(ada)
    link = me.get(f"{PROFILE}/share").json()["link"].partition("/p/")[2]
    left = me.delete(PROFILE)
    assert left.status_code == 202
    assert left.json()["deletionDueAt"] == User.objects.get(pk=ada.pk).deletion_due_at.isoformat().replace(
        "+00:00", "Z"
    )
    assert me.get(PROFILE).status_code == other.get(PROFILE).status_code == 401
    assert api.get(f"/p/{link}", Accept="text/html").status_code == 404
    drain_outbox()
    mail = MailboxMessage.objects.filter(to=ada.email).latest("created_at")
    assert mail.subject == "Your account will be deleted"
    assert "sign in before that day" in _content(mail)["text"]


def test_leaving_needs_a_fresh_proof(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    Session.objects.filter(user=ada).update(authenticated_at=timezone.now() - timedelta(minutes=6))
    assert me.delete(PROFILE).json()["code"] == "step_up_required"
    assert User.objects.get(pk=ada.pk).deletion_due_at is None


def test_signing_in_keeps_the_account(api: Api, ada: User) -> None:
    api.as_user(ada).delete(PROFILE)
    signed_in = api.post("/api/auth/login", {"email": ada.email, "password": PASSWORD})
    assert signed_in.status_code == 200
    assert User.objects.get(pk=ada.pk).deletion_due_at is None
    assert after_the_grace() == 0
    drain_outbox()
    assert MailboxMessage.objects.filter(to=ada.email).latest("created_at").subject == "Your account stays"


def test_after_thirty_days_nothing_says_who_it_was(api: Api, ada: User, founder: User) -> None:
    assert traces_of(ada), "the test can see traces"
    api.as_user(ada).delete(PROFILE)
    drain_outbox()
    assert run(ERASE_PEOPLE, now=timezone.now() + timedelta(days=29, hours=23)).done == 0
    assert after_the_grace() == 1
    assert after_the_grace() == 0
    run_retention(now=timezone.now() + timedelta(days=30), only=OutboxEvent)
    in_life_it_left_the_building = ("invitedmarker@example.com", "oldaddressmarker@example.com")
    MailboxMessage.objects.filter(to__in=in_life_it_left_the_building).delete()
    assert traces_of(ada) == []
    case = Verification.objects.get(user=ada)
    assert (bytes(case.sealed_number), case.number_last4, case.date_of_birth) == (b"", "", None)
    gone = User.objects.get(pk=ada.pk)
    assert (gone.status, gone.name) == ("deleted", "Deleted account")
    assert api.post("/api/auth/login", {"email": ada.email, "password": PASSWORD}).status_code == 401
    assert not Session.objects.filter(user=gone).exists() and not Recipient.objects.filter(pk=gone.pk).exists()
    kept = StoredFile.objects.filter(owner_id=gone.pk, deleted_at__isnull=True)
    assert set(kept.values_list("purpose", flat=True)) == {"chat"}, "what was said stays with those it was said to"
    talks = api.as_user(founder).get("/api/chat/conversations").json()["items"]
    assert talks[0]["lastMessage"]["sender"]["firstName"] == "Deleted"
    assert Event.objects.filter(kind="account.erased", subject_id=gone.pk).count() == 1
    again = {"email": ada.email, "password": "a fine long phrase", "firstName": "Ada", "lastName": "New"}
    assert api.post("/api/auth/register", again).status_code == 201


def test_papers_that_proved_somebody_are_kept_for_the_law(api: Api, ada: User) -> None:
    case = Verification.objects.get(user=ada)
    CaseEvent.objects.create(verification=case, action="case_verified")
    api.as_user(ada).delete(PROFILE)
    assert after_the_grace() == 1
    case.refresh_from_db()
    assert case.number_last4 == "2345"
    assert StoredFile.objects.filter(owner_id=ada.pk, purpose="identity_paper", deleted_at__isnull=True).exists()


def test_papers_are_destroyed_when_the_law_no_longer_wants_them(
    api: Api, ada: User, founder: User, settings: Settings
) -> None:
    case = Verification.objects.get(user=ada)
    CaseEvent.objects.create(verification=case, action="case_verified")
    api.as_user(ada).delete(PROFILE)
    assert after_the_grace() == 1
    kept = timedelta(days=settings.KYC_KEPT_DAYS)
    for late, destroyed in ((-timedelta(minutes=5), 0), (timedelta(minutes=5), 1), (timedelta(days=1), 0)):
        assert run_retention(now=timezone.now() + kept + late, only=Verification) == {"kyc/identity-cases": destroyed}
    case.refresh_from_db()
    assert (bytes(case.sealed_number), case.number_last4, case.date_of_birth) == (b"", "", None)
    papers = StoredFile.objects.filter(owner_id=ada.pk, purpose="identity_paper")
    assert papers.exists() and not papers.filter(deleted_at__isnull=True).exists()
    assert not papers.exclude(wrapped_key=None).exists(), "a copy of the store cannot be opened either"


def test_retention_spares_papers_of_people_who_are_here(api: Api, ada: User, settings: Settings) -> None:
    run_retention(now=timezone.now() + timedelta(days=2 * settings.KYC_KEPT_DAYS), only=Verification)
    assert Verification.objects.get(user=ada).number_last4 == "2345"


def test_somebody_erased_hears_nothing_any_more(ada: User) -> None:
    erase_person(person_id=ada.pk, now=timezone.now())
    sent = MailboxMessage.objects.count()
    for kind in ("account.password_reset", "account.deletion_cancelled"):
        events.record(kind, ada, actor=None, now=timezone.now())
    drain_outbox()
    assert not Notification.objects.of(ada.pk).exists()
    assert MailboxMessage.objects.count() == sent


def test_money_on_its_way_holds_the_account(api: Api, founder: User, person: Callable[..., User]) -> None:
    backer = person("backer", identity=True)
    campaign = make_campaign(founder)
    invest(api, backer, campaign, "50.00")
    for who in (backer, founder):
        refused = api.as_user(who).delete(PROFILE)
        assert (refused.status_code, refused.json()["code"]) == (409, "money_in_flight")
        assert User.objects.get(pk=who.pk).deletion_due_at is None


def test_a_running_campaign_holds_its_founder(api: Api, founder: User) -> None:
    campaign = make_campaign(founder)
    assert api.as_user(founder).delete(PROFILE).json()["code"] == "campaign_under_way"
    Campaign.objects.filter(pk=campaign.pk).update(status="failed")
    assert api.as_user(founder).delete(PROFILE).json()["code"] == "campaign_under_way"
    Campaign.objects.filter(pk=campaign.pk).update(status="settled")
    assert api.as_user(founder).delete(PROFILE).status_code == 202


def test_the_ledger_stays_to_the_cent(
    api: Api, founder: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    backer = person("backer", identity=True)
    campaign = make_campaign(founder)
    invest(api, backer, campaign, "50.00")
    monkeypatch.setattr(declarations, "_blockers", [])
    before = (list(Entry.objects.order_by("pk").values()), list(LedgerAccount.objects.order_by("pk").values()))
    for who in (backer, founder):
        api.as_user(who).delete(PROFILE)
    assert after_the_grace() == 2
    assert before == (list(Entry.objects.order_by("pk").values()), list(LedgerAccount.objects.order_by("pk").values()))
    shown = api.as_user(person("stranger")).get(f"/api/campaigns/{campaign.pk}").json()
    assert (shown["owner"]["firstName"], shown["raisedAmount"]) == ("Deleted", "50.00")


def test_a_block_at_the_last_moment_waits_and_the_others_go(
    api: Api, ada: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = person("eve")
    for who in (ada, eve):
        api.as_user(who).delete(PROFILE)

    def block_ada(person_id: UUID) -> None:
        if person_id == ada.pk:
            raise Busy()

    monkeypatch.setattr(declarations, "_blockers", [block_ada])
    assert after_the_grace() == 1
    assert User.objects.get(pk=eve.pk).status == "deleted"
    assert User.objects.get(pk=ada.pk).status == "active"


def test_a_suspended_account_is_held(api: Api, person: Callable[..., User]) -> None:
    eve = person("eve")
    api.as_user(eve).delete(PROFILE)
    User.objects.filter(pk=eve.pk).update(status="suspended")
    assert after_the_grace() == 0


@pytest.mark.django_db(transaction=True)
def test_signing_in_and_being_erased_at_once_ends_in_one_of_both(api: Api, person: Callable[..., User]) -> None:
    eve = person("eve")
    api.as_user(eve).delete(PROFILE)
    login = lambda: api.post("/api/auth/login", {"email": eve.email, "password": PASSWORD}).status_code  # noqa: E731
    erased, status = together(after_the_grace, login)
    now = User.objects.get(pk=eve.pk)
    assert (erased, status in (401, 403), now.status) in [(1, True, "deleted"), (0, False, "active")]
    assert Session.objects.filter(user=eve, revoked_at__isnull=True).count() == (status == 200)
