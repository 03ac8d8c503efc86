"""
How long a socket outlives its session: from the commit of the revocation to the close frame at the client.

SECURITY-GOALS 52 allows a second.
"""

import os
import statistics
import sys
import time
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.server import free_port, keep, serving

ROUNDS = 50


def closed_after(port: int) -> float:
    """Milliseconds from the logout to the close frame."""
    from django.utils import timezone

    from accounts.services.sessions import close_session, open_session
    from accounts.testing import make_person

    person = make_person(first_name="Rev", email=f"rev-{uuid4().hex}@example.com")
    tokens = open_session(user=person, device="", method="password", now=timezone.now())
    protocols: Any = ["vectragrow.v1", f"bearer.{tokens.token}"]
    with connect(f"ws://127.0.0.1:{port}/ws/", subprotocols=protocols, compression=None) as socket:
        socket.recv(timeout=30)
        begun = time.perf_counter()
        close_session(user=person, session_id=tokens.session.pk, because="logout", now=timezone.now())
        try:
            while True:
                socket.recv(timeout=30)
        except ConnectionClosed:
            return (time.perf_counter() - begun) * 1000


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    import django

    django.setup()
    from core import context

    context.client_address.set("127.0.0.1")
    port = free_port()
    words = ["uvicorn", "vectragrow.asgi:application", "--port", str(port), "--lifespan", "off"]
    with serving(*words, "--log-level", "warning", port=port):
        taken = [closed_after(port) for _ in range(ROUNDS)]
    keep("revocation", {"p50_ms": round(statistics.median(taken), 1), "max_ms": round(max(taken), 1)})


if __name__ == "__main__":
    sys.exit(main())
