"""Our own pages, health, and the documents of the API."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator, MutableMapping
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.services import mailed_tokens, passwords
from accounts.services.verification import mail_link
from core.jobs import heartbeat
from core.redis import client as redis_connection
from core.testing import WAIT_LIMIT, Api, commits, drain_outbox
from investments.models import Reconciliation
from vectragrow import health

HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[Any]:
    health.forget()
    for name in ("worker", "realtime"):
        redis_connection().delete(heartbeat.key(name))
    yield
    health.forget()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there answers in time on a busy machine too."""
    monkeypatch.setattr(health, "DEADLINE", WAIT_LIMIT)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces what a part's check does."""

    def replace(**changed: Any) -> None:
        rows = [(name, title, changed.get(name, check), needed) for name, title, check, needed in health.CHECKS]
        monkeypatch.setattr(health, "CHECKS", rows)

    return replace


class Inline(HTMLParser):
    """Finds what the Content-Security-Policy would refuse."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]


# --- Health -----------------------------------------------------------------------------------------------------------


def test_alive_asks_nobody(client: Client, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.block():
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.django_db(transaction=True)
def test_ready_names_what_is_missing(client: Client) -> None:
    heartbeat.beat("worker")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "degraded" and body["missing"] == ["realtime"]
    assert body["parts"]["database"]["status"] == body["parts"]["worker"]["status"] == "up"
    assert body["parts"]["realtime"]["status"] == "down"


@pytest.mark.django_db(transaction=True)
def test_everything_there(client: Client) -> None:
    heartbeat.beat("worker")
    heartbeat.beat("realtime")
    body = client.get("/readyz").json()
    assert (body["status"], body["missing"]) == ("ready", [])


def test_the_server_shows_that_it_lives() -> None:
    """While it serves, not only when somebody opens a socket."""
    from vectragrow.server import Application

    async def served() -> None:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said: list[Any] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message["type"])

        messages.put_nowait({"type": "lifespan.startup"})
        running = asyncio.create_task(Application().lifespan(messages.get, send))
        while not heartbeat.is_alive("realtime"):
            await asyncio.sleep(0.05)
        running.cancel()
        assert said == ["lifespan.startup.complete"]

    asyncio.run(asyncio.wait_for(served(), WAIT_LIMIT))


@pytest.mark.django_db(transaction=True)
def test_without_redis_degraded_but_ready(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_connection.cache_clear()
    try:
        answer = client.get("/readyz")
    finally:
        redis_connection.cache_clear()
    assert answer.status_code == 200
    assert answer.json()["missing"] == ["redis", "worker", "realtime"]


def test_without_the_database_not_ready(client: Client, checks: Callable[..., None]) -> None:
    def gone() -> str:
        raise OperationalError("connection to server at 10.0.0.7, user vectragrow, failed")

    checks(database=gone, migrations=gone, outbox=gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer["Retry-After"]
    assert answer.json()["status"] == "unavailable"
    assert {"database", "migrations"} <= set(answer.json()["missing"])
    assert "10.0.0.7" not in answer.content.decode()
    assert "Not available" in client.get("/").content.decode()


def test_a_database_that_hangs_is_waited_for_once_and_shortly(
    client: Client, checks: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DEADLINE", 1.0)
    let_go, started = threading.Event(), []

    def hang() -> str:
        started.append(1)
        let_go.wait(WAIT_LIMIT)
        return "back"

    checks(database=hang, migrations=lambda: "fine", outbox=lambda: "fine")
    for _ in range(3):
        health.forget()
        answer = client.get("/readyz")
        assert not let_go.is_set() and answer.status_code == 503
        assert answer.json()["parts"]["database"]["detail"] == "No answer in time"
    assert len(started) == 1
    let_go.set()
    monkeypatch.setattr(health, "DEADLINE", WAIT_LIMIT)
    health.forget()
    assert client.get("/readyz").json()["parts"]["database"]["status"] == "up"


@pytest.mark.django_db(transaction=True)
def test_parked_events_are_reported(client: Client) -> None:
    from core.models import OutboxEvent

    OutboxEvent.objects.create(topic="notifications.send_mail", parked_at=timezone.now())
    assert "outbox" in client.get("/readyz").json()["missing"]


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_down_is_named(client: Client, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    assert "mail" in client.get("/readyz").json()["missing"]


# --- Pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/verify-email?token=t",
        "/verify-email",
        "/reset-password?token=t",
        "/appeal?token=t",
        "/signed-in?code=c",
        "/signed-in?error=account_exists",
        "/mailbox/",
        "/api/docs",
        "/api/docs/errors",
        "/admin/login/",
    ],
)
def test_pages_obey_their_own_policy(client: Client, path: str) -> None:
    page = client.get(path, headers=HTML, follow=True)
    assert page.status_code == (400 if path.startswith("/appeal") else 200), "a token that is none is refused"
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    text = page.content.decode()
    assert Inline(text).found == []
    assert not re.search(r'(src|href)="(https?:)?//', text), "everything comes from our own files"


@pytest.mark.django_db(transaction=True)
def test_home_links_what_is_there(client: Client, settings: Settings) -> None:
    text = client.get("/").content.decode()
    assert all(f'href="{place}"' in text for place in ("/api/docs", "/admin/", "/mailbox/", "/readyz"))
    settings.MAILBOX_ENABLED = False
    assert "/mailbox/" not in client.get("/").content.decode()


@pytest.mark.parametrize("place", ["admin", "mailbox"])
def test_a_forgotten_slash(client: Client, place: str) -> None:
    assert client.get(f"/{place}")["Location"] == f"/{place}/"


@pytest.mark.django_db
def test_error_pages_for_people(api: Api) -> None:
    page = api.get("/nothing", **HTML)
    assert page.status_code == 404
    assert page["X-Request-ID"] in page.content.decode()
    assert Inline(page.content.decode()).found == []


def test_an_accident_gets_a_page_without_traces(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst() -> None:
        raise RuntimeError("secret path /srv/x")

    monkeypatch.setattr(health, "report", burst)
    client.raise_request_exception = False
    page = client.get("/", headers=HTML)
    assert page.status_code == 500
    assert page["Content-Type"].startswith("text/html")
    assert "/srv/x" not in page.content.decode()
    assert client.get("/").json()["code"] == "internal_error"


def test_facts_are_escaped_on_error_pages() -> None:
    class Hostile:
        status, title, detail = 409, "<b>no</b>", "<script>x</script>"

    assert "<script>x" not in render_to_string("error.html", {"refusal": Hostile, "request_id": "<i>"})


# --- The link in the verification mail --------------------------------------------------------------------------------


@pytest.fixture
def link(api: Api, person: Callable[..., User]) -> tuple[User, str]:
    """A newcomer's mailed link, as it stands in the mailbox."""
    newcomer = person("newcomer", verified=False)
    with commits():
        mail_link(user=newcomer, now=timezone.now())
    drain_outbox()
    text = api.get("/mailbox/messages", {"to": newcomer.email}).json()["items"][0]["text"]
    return newcomer, re.search(r"https?://\S+(/verify-email\?token=\S+)", text).group(1)


def test_looking_at_the_link_uses_nothing_up_and_the_button_does(client: Client, link: tuple[User, str]) -> None:
    newcomer, path = link
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert page["Referrer-Policy"] == "no-referrer" and "no-store" in page["Cache-Control"]
    newcomer.refresh_from_db()
    assert not newcomer.email_verified
    token = re.search(r'name="token" value="([^"]+)"', page.content.decode()).group(1)
    done = client.post("/verify-email", {"token": token})
    assert done.status_code == 200 and "Your address is confirmed" in done.content.decode()
    newcomer.refresh_from_db()
    assert newcomer.email_verified
    for again in (client.post("/verify-email", {"token": token}), client.get(path)):
        assert again.status_code == 200 and "Your address is confirmed" in again.content.decode()


def test_a_link_of_somebody_elses_making(client: Client, db: None) -> None:
    page = client.get("/verify-email", {"token": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page
    assert client.post("/verify-email", {"token": "made-up"}).status_code == 400
    assert client.post("/verify-email").status_code == 400


@pytest.fixture
def reset_link(person: Callable[..., User]) -> tuple[User, str]:
    forgetful = person("forgetful")
    with transaction.atomic():
        token = mailed_tokens.issue(
            user=forgetful, purpose=passwords.PURPOSE, lifetime=timedelta(minutes=30), now=timezone.now()
        )
    return forgetful, token


def test_a_new_password_by_the_page(client: Client, reset_link: tuple[User, str]) -> None:
    forgetful, token = reset_link
    for _ in range(2):
        page = client.get("/reset-password", {"token": token})
        assert 'autocomplete="new-password"' in page.content.decode() and token in page.content.decode()
        assert (page["Referrer-Policy"], Inline(page.content.decode()).found) == ("no-referrer", [])
    weak = client.post("/reset-password", {"token": token, "password": "short"})
    assert weak.status_code == 400 and "Use at least 10 characters" in weak.content.decode()
    done = client.post("/reset-password", {"token": token, "password": "a fine long phrase"})
    assert done.status_code == 200 and "Your password is set" in done.content.decode()
    forgetful.refresh_from_db()
    assert forgetful.check_password("a fine long phrase")
    again = client.post("/reset-password", {"token": token, "password": "another long phrase"})
    assert again.status_code == 400 and "does not work any more" in again.content.decode()
    assert "does not work any more" in client.get("/reset-password", {"token": token}).content.decode()


def test_a_reset_link_of_somebody_elses_making(client: Client, db: None) -> None:
    hostile = {"token": '"><script>alert(1)</script>', "password": "a fine long phrase"}
    assert "<script>alert" not in client.get("/reset-password", hostile).content.decode()
    for body in (hostile, {}, {"token": "made-up\x00"}):
        assert client.post("/reset-password", body).status_code == 400


# --- The documents of the API -----------------------------------------------------------------------------------------


def test_the_schema_is_openapi_3_1_with_its_way_to_sign_in(client: Client) -> None:
    document = client.get("/api/schema").json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["paths"]["/api/notifications"]["get"]["security"] == [{"bearer": []}]


def test_every_problem_type_leads_to_its_line(client: Client) -> None:
    page = client.get("/api/docs/errors").content.decode()
    kind = client.get("/api/nothing").json()["type"]
    path, _, anchor = kind.partition("#")
    assert path == "/api/docs/errors" and f'id="{anchor}"' in page


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/errors", "/api/schema"])
def test_documents_are_only_read(client: Client, path: str) -> None:
    answer = client.post(path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert client.get(path + "/").status_code == 200


@pytest.mark.django_db
def test_readiness_tells_when_the_books_were_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    check = next(check for name, _, check, _ in health.CHECKS if name == "reconciliation")

    def compared(*, hours: int, findings: int) -> None:
        at = timezone.now() - timedelta(hours=hours, minutes=1)
        Reconciliation.objects.create(
            provider="sandbox", since=at, finished_at=at, line_count=3, finding_count=findings, findings=[]
        )

    assert check() == "Not compared yet"
    compared(hours=5, findings=0)
    assert check() == "Clean, compared 5 h ago"
    compared(hours=0, findings=2)
    with pytest.raises(health.Down, match="2 findings, compared within the hour"):
        check()
