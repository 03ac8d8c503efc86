"""
A smoke test of the gateway against a second Stripe-like server, which others have written: localstripe
(https://github.com/adrienverge/localstripe, GPL-3.0). It runs as a program of its own in an environment of its own
(`make localstripe`) and is never imported.

It knows less than Stripe: what it does not know of our requests is taken out on the way (`UNKNOWN`), and its balance
has another form than Stripe's, so holdings are not read from it.
"""

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from core.data.ids import uuid7
from core.money import Money
from core.testing import WAIT_LIMIT, eventually
from core.testing.processes import Program, free_port, is_open
from investments.models import PaymentMethod
from investments.providers.base import Move, State
from investments.providers.stripe import StripeGateway

PROGRAM = Path(django_settings.BASE_DIR) / ".venv-localstripe" / "bin" / "localstripe"
UNKNOWN = ("return_url", "created[gte]", "allowed_payment_method_types[0]")
"""Parameters of Stripe's that localstripe refuses."""

pytestmark = [
    pytest.mark.skipif(not PROGRAM.exists(), reason="localstripe is not installed: run `make localstripe`"),
    pytest.mark.django_db,
]


class Forwarding(BaseHTTPRequestHandler):
    """Passes requests on to localstripe without the parameters that it does not know."""

    to = ""

    def forward(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        answer = requests.request(
            self.command,
            f"{self.to}{path}?{known(query)}",
            data=known(body),
            headers={"Authorization": self.headers["Authorization"], "Content-Type": FORM},
            timeout=WAIT_LIMIT,
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_DELETE = forward

    def log_message(self, *_: Any) -> None:
        """Silent."""


FORM = "application/x-www-form-urlencoded"


def known(form: str) -> str:
    return urlencode([(name, value) for name, value in parse_qsl(form) if name not in UNKNOWN])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    program = Program(str(PROGRAM), "--port", str(port), "--from-scratch", python=str(PROGRAM.parent / "python"))
    handler = type("ToLocalstripe", (Forwarding,), {"to": f"http://127.0.0.1:{port}"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        eventually(lambda: is_open(port))
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        program.end()


@pytest.fixture
def stripe(address: str, settings: Settings) -> StripeGateway:
    settings.STRIPE_API_BASE = address
    settings.STRIPE_API_KEY = "sk_test_12345"
    settings.STRIPE_WAIT = WAIT_LIMIT
    return StripeGateway()


def test_a_card_is_charged_once_and_refunded_once(stripe: StripeGateway, backer: User) -> None:
    now = timezone.now()
    key, refund_key = f"payment-{uuid7()}", f"refund-{uuid7()}"
    instrument = stripe.instrument(owner_id=backer.pk, type=PaymentMethod.Type.CARD, token="pm_card_visa", now=now)
    assert (instrument.brand, instrument.last4) == ("visa", "4242")
    assert instrument.fingerprint.startswith("stripe:")
    question: dict[str, Any] = {"payer_id": backer.pk, "token": instrument.token, "amount": Money(10_00, "USD")}
    first = stripe.charge(key=key, now=now, **question)
    assert (first.state, first.amount) == (State.CAPTURED, Money(10_00, "USD"))
    assert stripe.charge(key=key, now=now, **question).provider_id == first.provider_id
    found = stripe.find(key=key)
    assert found and found.state == State.CAPTURED
    back: dict[str, Any] = {"key": refund_key, "charge_key": key, "charge_id": first.provider_id}
    refunded = stripe.refund(amount=Money(4_00, "USD"), now=now, **back)
    assert stripe.refund(amount=Money(4_00, "USD"), now=now, **back) == refunded
    lines = {line.move: line for line in stripe.statement(since=now - timedelta(minutes=1))}
    assert {move: line.amount.minor for move, line in lines.items()} == {Move.CHARGE: 10_00, Move.REFUND: -4_00}
    assert lines[Move.REFUND].key == refund_key, "charges have no metadata of their intents there"
