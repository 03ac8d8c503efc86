"""The store of files may be across a network: nothing calls it from inside a transaction (SECURITY-GOALS 10)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.core.files.storage import InMemoryStorage
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.testing import make_person
from campaigns import views
from campaigns.errors import DeadlinePassed
from campaigns.models import Campaign
from campaigns.services.drafts import keep_draft
from campaigns.testing import draft_fields, make_campaign
from core.api.idempotency import LEASE
from core.testing import Api, drain_outbox
from uploads.models import Rendition, StoredFile
from uploads.testing import picture

pytestmark = pytest.mark.django_db(transaction=True)
CALLS: list[tuple[str, bool]] = []


class Watched(InMemoryStorage):
    """Notes what is asked of it, and whether a transaction is open meanwhile."""

    def _save(self, name: str, content: Any) -> str:
        CALLS.append(("save", connection.in_atomic_block))
        return super()._save(name, content)  # type: ignore[misc]

    def _open(self, name: str, mode: str = "rb") -> Any:
        CALLS.append(("open", connection.in_atomic_block))
        return super()._open(name, mode)  # type: ignore[misc]

    def delete(self, name: str) -> None:
        CALLS.append(("delete", connection.in_atomic_block))
        super().delete(name)


@pytest.fixture(autouse=True)
def watched(settings: Settings) -> None:
    backend = f"{__name__}.Watched"
    options = {"base_url": "http://testserver/media/"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": backend, "OPTIONS": options},
        "private": {"BACKEND": backend},
    }
    CALLS.clear()


def photo(me: Api, person: User) -> Callable[..., Any]:
    return lambda **key: me.upload("/api/profile/photo", {"photo": picture(size=(90, 90))}, **key)


def cover(me: Api, person: User) -> Callable[..., Any]:
    return lambda **key: me.upload("/api/profile/cover", {"cover": picture(size=(90, 90))}, **key)


def paper(me: Api, person: User) -> Callable[..., Any]:
    started = me.post("/api/kyc/initiate", {"documentType": "passport", "documentNumber": "C01X00T47"})
    assert started.status_code == 201
    return lambda **key: me.upload("/api/kyc/documents", {"documents": [picture()], "kinds": ["front"]}, **key)


def campaign(me: Api, person: User) -> Callable[..., Any]:
    make_campaign(person)  # and with it the category
    fields = draft_fields()
    return lambda **key: me.upload("/api/campaigns", {**fields, "media": [picture(size=(90, 90))]}, **key)


def campaign_edit(me: Api, person: User) -> Callable[..., Any]:
    draft = make_campaign(person, status="draft")
    path = f"/api/campaigns/{draft.pk}"
    return lambda **key: me.upload(path, {"media": [picture(size=(90, 90))]}, method="put", **key)


def message(me: Api, person: User) -> Callable[..., Any]:
    other = make_person(first_name="Bob")
    begun = me.post("/api/chat/conversations", {"participants": [str(other.pk)], "type": "direct"}).json()
    path = f"/api/chat/conversations/{begun['id']}/messages"
    return lambda **key: me.upload(path, {"content": "Look", "media": [picture(size=(90, 90))]}, **key)


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "once"}], ids=["plain", "with a key"])
@pytest.mark.parametrize("way", [photo, cover, paper, campaign, campaign_edit, message])
def test_files_are_stored_before_the_transaction(api: Api, way: Callable[..., Any], key: dict[str, str]) -> None:
    founder = make_person(first_name="Founder", identity=way is not paper)
    send = way(api.as_user(founder), founder)
    CALLS.clear()
    answers = [send(**key), send(**key)]
    assert [answer.status_code // 100 for answer in answers] == [2, 2], [answer.content for answer in answers]
    drain_outbox()  # old files are deleted, and sizes are made
    assert ("save", False) in CALLS and not [call for call in CALLS if call[1]], CALLS
    if key and way is not campaign_edit:
        assert answers[1]["Idempotent-Replayed"] == "true" and answers[0].content == answers[1].content
    live = StoredFile.objects.filter(owner_id=founder.pk, deleted_at__isnull=True).count()
    live += Rendition.objects.filter(file__owner_id=founder.pk).count()
    assert live == sum(kind == "save" for kind, _ in CALLS) - sum(kind == "delete" for kind, _ in CALLS)


def test_a_refusal_after_the_storing_leaves_no_row_and_frees_the_key(api: Api) -> None:
    founder = make_person(first_name="Founder", identity=True)
    me, once = api.as_user(founder), {"idempotency_key": str(uuid4())}
    path = f"/api/chat/conversations/{uuid4()}/messages"
    for _ in range(2):
        refused = me.upload(path, {"content": "Look", "media": [picture(size=(90, 90))]}, **once)
        assert refused.status_code == 404 and "Idempotent-Replayed" not in refused
    assert not StoredFile.objects.exists()


def test_archives_and_previews_are_stored_before_the_transaction(api: Api, client: Client) -> None:
    ada = make_person(first_name="Ada")
    me = api.as_user(ada)
    me.upload("/api/profile/photo", {"photo": picture(size=(90, 90))})
    export = me.post("/api/profile/export").json()["id"]
    link = me.get("/api/profile/share").json()["link"]
    CALLS.clear()
    drain_outbox()
    assert client.get(urlsplit(link).path).status_code == 200
    assert me.get(f"/api/profile/export/{export}").json()["status"] == "ready"
    assert ("save", False) in CALLS and not [call for call in CALLS if call[1]], CALLS


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_preparation_that_outlasts_its_lease_gives_way_to_its_twin(
    api: Api, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    founder = make_person(first_name="Founder", identity=True)
    send = campaign(api.as_user(founder), founder)
    before, save = Campaign.objects.count(), Watched._save
    twin: list[Any] = []

    def slowly(store: Watched, name: str, content: Any) -> str:
        if not twin:
            twin.append(None)
            with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
                twin[0] = send(idempotency_key="once")
        return save(store, name, content)

    def kept_or_not(**draft: Any) -> Campaign:
        if twin[0] is not None and is_refused:
            raise DeadlinePassed()
        return keep_draft(**draft)

    monkeypatch.setattr(Watched, "_save", slowly)
    monkeypatch.setattr(views, "keep_draft", kept_or_not)
    late = send(idempotency_key="once")
    assert twin[0].status_code == 201 and late.status_code == (400 if is_refused else 409)
    again = send(idempotency_key="once")
    assert again["Idempotent-Replayed"] == "true" and again.content == twin[0].content
    assert Campaign.objects.count() == before + 1
