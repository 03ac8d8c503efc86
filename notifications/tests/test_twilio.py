"""SMS through the real SDK against an HTTP server that stands in for Twilio."""

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from core.models import OutboxEvent
from core.testing import WAIT_LIMIT, drain_outbox
from notifications.models import MailboxMessage
from notifications.senders import sms

SID, SECRET = "AC" + "1" * 32, "twilio-secret-marker"


class StandIn(ThreadingHTTPServer):
    """Keeps messages; `mood` says how it behaves on the next POST."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.mood = "accepts"
        self.messages: list[dict[str, str]] = []
        self.requests: list[tuple[str, str]] = []
        self.over = threading.Event()


class Answers(BaseHTTPRequestHandler):
    server: StandIn

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.note()
        mood = self.server.mood
        if mood == "refuses":
            self.say(400, {"code": 21610, "message": "unsubscribed", "status": 400})
            return
        if mood == "redirects":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            return
        if mood == "resets":
            self.connection.close()
            return
        if mood == "stalls":
            self.server.over.wait(WAIT_LIMIT)
            return
        message = {"sid": f"SM{len(self.server.messages):032}", "to": form["To"][0], "body": form["Body"][0]}
        message |= {"from": form["From"][0], "status": "queued"}
        self.server.messages.append(message)
        if mood == "resets after":
            self.connection.close()
            return
        self.say(201, message)

    def do_GET(self) -> None:
        self.note()
        to = parse_qs(urlsplit(self.path).query)["To"][0]
        found = [message for message in self.server.messages if message["to"] == to]
        self.say(200, {"messages": found, "page_size": 20})

    def note(self) -> None:
        assert self.headers["Authorization"] == "Basic " + b64encode(f"{SID}:{SECRET}".encode()).decode()
        self.server.requests.append((self.command, urlsplit(self.path).path))

    def say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def twilio(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    server = StandIn()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.TWILIO_API_BASE = f"http://127.0.0.1:{server.server_port}"
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM = SID, SECRET, "+15550009999"
    monkeypatch.setattr(sms, "TIMEOUT", WAIT_LIMIT)
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def sent_sms(backer: User, notify: Callable[..., Any], prefer: Callable[..., None]) -> OutboxEvent:
    prefer(backer, sms=True, email=False)
    notify(backer, "investment_refunded")
    return OutboxEvent.objects.get(topic="notifications.send_sms")


def try_again(event: OutboxEvent) -> None:
    event.refresh_from_db()
    drain_outbox(now=event.due_at, rounds=1)
    event.refresh_from_db()


def test_sent_by_the_address_of_the_environment(twilio: StandIn, sent_sms: OutboxEvent) -> None:
    assert drain_outbox() == 1
    (message,) = twilio.messages
    assert (message["to"], message["from"]) == ("+15550001111", "+15550009999")
    assert message["body"].startswith("VECTRAGrow: $1,000.00")
    assert twilio.requests == [("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")]
    assert not MailboxMessage.objects.exists()


@pytest.mark.parametrize("mood", ["refuses", "redirects", "resets", "stalls", "resets after"])
def test_whatever_happens_one_sms_arrives(
    twilio: StandIn, sent_sms: OutboxEvent, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.mood = mood
    if mood == "stalls":
        monkeypatch.setattr(sms, "TIMEOUT", 2.0)
    assert drain_outbox(rounds=1) == 0
    twilio.mood = "accepts"
    monkeypatch.setattr(sms, "TIMEOUT", WAIT_LIMIT)
    try_again(sent_sms)
    assert sent_sms.delivered_at
    assert len(twilio.messages) == 1


def test_the_secret_is_in_no_error(twilio: StandIn, sent_sms: OutboxEvent, caplog: pytest.LogCaptureFixture) -> None:
    twilio.mood = "refuses"
    drain_outbox(rounds=1)
    sent_sms.refresh_from_db()
    assert sent_sms.last_error
    assert SECRET not in sent_sms.last_error + caplog.text


@pytest.mark.parametrize("countries, sent", [([], 1), (["US"], 1), (["DE", "AT"], 0)])
def test_only_to_countries_of_the_list(
    twilio: StandIn,
    backer: User,
    notify: Callable[..., Any],
    prefer: Callable[..., None],
    settings: Settings,
    countries: Any,
    sent: int,
) -> None:
    settings.SMS_COUNTRIES = countries
    prefer(backer, sms=True, email=False, phone_number="+12025550143")
    notify(backer, "investment_refunded")
    assert drain_outbox() == 1
    assert len(twilio.messages) == sent
