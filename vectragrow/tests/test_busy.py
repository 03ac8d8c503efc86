"""A server that is busy or stuck goes on answering what does not depend on it."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from django.db import connection, transaction
from PIL import Image

from accounts.testing import make_person, sign_in
from core.testing import eventually
from vectragrow import server
from vectragrow.tests.serving import serving

pytestmark = pytest.mark.django_db(transaction=True)


def ask(
    port: int, path: str, token: str = "", method: str = "GET", body: Any = None, content_type: str = "application/json"
) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=240)
    headers = {"Content-Type": content_type, **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def test_others_are_answered_while_somebody_sends_twenty_large_photos() -> None:
    rude, polite = sign_in(make_person(verified=False)), sign_in(make_person())
    large = BytesIO()
    Image.linear_gradient("L").resize((5000, 5000)).convert("RGB").save(large, "PNG")
    part = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n\r\n'
    form = part + large.getvalue() + b"\r\n--b--\r\n"
    with serving() as port, ThreadPoolExecutor(20) as senders:
        uploads = [
            senders.submit(ask, port, "/api/profile/photo", rude, "POST", form, "multipart/form-data; boundary=b")
            for _ in range(20)
        ]
        answered = []
        while not all(upload.done() for upload in uploads):
            answered.append(ask(port, "/api/auth/me", polite)[0])
            answered.append(ask(port, "/healthz")[0])
        assert set(answered) == {200}
        assert len(answered) >= 100, "while the photos were worked on, nobody else had to wait for them"
        assert [upload.result()[0] for upload in uploads] == [200] * 20


def test_health_is_answered_while_every_thread_is_stuck() -> None:
    token = sign_in(make_person())
    with serving() as port, ThreadPoolExecutor(server.THREADS * 2) as clients:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE accounts_session IN ACCESS EXCLUSIVE MODE")
            stuck = [clients.submit(ask, port, "/api/auth/me", token) for _ in range(server.THREADS * 2)]
            cursor.execute("SELECT pg_backend_pid()")

            def all_wait() -> bool:
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE relation = 'accounts_session'::regclass AND NOT granted"
                )
                return cursor.fetchone()[0] >= server.THREADS

            eventually(all_wait)
            assert ask(port, "/healthz") == (200, {"status": "alive"})
            assert ask(port, "/readyz")[0] in (200, 503)
            assert not any(request.done() for request in stuck)
        assert [request.result()[0] for request in stuck] == [200] * len(stuck)


def test_health_takes_no_other_method() -> None:
    with serving() as port:
        for path in ("/healthz", "/readyz"):
            assert ask(port, path, method="HEAD")[0] in (200, 503)
            assert ask(port, path, method="OPTIONS") == (204, {})
            status, problem = ask(port, path, method="POST", body=b"{}")
            assert (status, problem["code"]) == (405, "method_not_allowed")


def test_a_crowd_that_asks_whether_we_are_ready_gets_one_report() -> None:
    with serving() as port, ThreadPoolExecutor(30) as crowd:
        barrier = threading.Barrier(30)

        def come() -> int:
            barrier.wait(60)
            return ask(port, "/readyz")[0]

        assert {answer.result() for answer in [crowd.submit(come) for _ in range(30)]} <= {200, 503}
