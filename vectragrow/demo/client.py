"""A small client of the platform: HTTP with JSON and multipart, the socket, the development mailbox, the commands."""

import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

ROOT = Path(__file__).resolve().parents[2]
File = tuple[str, bytes, str]
"""name, content, content type"""
WAIT_LIMIT = 90.0
"""Seconds to wait for an answer, a frame or a mail: only a fault takes so long, also on a busy machine."""


class DemoFailed(Exception):
    """The platform answered what the story did not expect."""


class Client:
    """One person's app. `token` is set by logging in."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.token = ""
        self.id = ""

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def pages(self, path: str) -> list[dict[str, Any]]:
        """All items of a list, page after page."""
        page = self.get(path, limit=100)
        items: list[dict[str, Any]] = page["items"]
        while page["nextCursor"]:
            page = self.get(path, limit=100, cursor=page["nextCursor"])
            items += page["items"]
        return items

    def post(self, path: str, body: dict[str, Any] | None = None, *, expect: int | None = None) -> Any:
        return self._call("POST", path, json_body=body or {}, expect=expect)

    def put(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call("PUT", path, json_body=body or {})

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def upload(self, path: str, fields: Iterable[tuple[str, str | File]]) -> Any:
        """POST as multipart/form-data."""
        boundary = uuid.uuid4().hex
        parts = bytearray()
        for name, value in fields:
            if isinstance(value, str):
                head, content = f'form-data; name="{name}"', value.encode()
                kind = ""
            else:
                filename, content, content_type = value
                head = f'form-data; name="{name}"; filename="{filename}"'
                kind = f"\r\nContent-Type: {content_type}"
            parts += f"--{boundary}\r\nContent-Disposition: {head}{kind}\r\n\r\n".encode() + content + b"\r\n"
        parts += f"--{boundary}--\r\n".encode()
        return self._call("POST", path, raw=bytes(parts), content_type=f"multipart/form-data; boundary={boundary}")

    def fetch(self, address: str) -> tuple[int, str, bytes]:
        """GET any address of the platform: signed links, pages. Status, type, bytes."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        status, headers, body = self._send("GET", address, None, sent)
        return status, headers.get("content-type", ""), body

    def submit_form(self, address: str, **fields: str) -> None:
        """Open a page with a form and send it, the way a browser does. Pages of ours have a token in it."""
        _, headers, page = self._send("GET", address, None, {"Accept": "text/html"})
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None and urlsplit(address).netloc == urlsplit(self.base).netloc:
            raise DemoFailed(f"no form at {address}")
        cookie = headers.get("set-cookie", "").partition(";")[0]
        body = urlencode({**({"csrfmiddlewaretoken": token[1].decode()} if token else {}), **fields}).encode()
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie,
            "Referer": self.base + urlsplit(address).path,
            "Origin": self.base,
        }
        status, _, _ = self._send("POST", address, body, sent)
        if status >= 400:
            raise DemoFailed(f"the form at {address} answered {status}")

    @contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        """The person's websocket, signed in by subprotocol; `ready` is already read."""
        address = re.sub("^http", "ws", self.base) + "/ws/"
        protocols = [Subprotocol("vectragrow.v1"), Subprotocol(f"bearer.{self.token}")]
        with connect(address, subprotocols=protocols, origin=Origin(self.base)) as socket:
            ready = json.loads(socket.recv(timeout=WAIT_LIMIT))
            if ready["type"] != "ready":
                raise DemoFailed(f"the socket said {ready}")
            yield socket

    def _call(
        self,
        verb: str,
        path: str,
        *,
        json_body: Any = None,
        raw: bytes | None = None,
        content_type: str = "application/json",
        expect: int | None = None,
    ) -> Any:
        body = raw if raw is not None else json.dumps(json_body).encode() if json_body is not None else None
        headers = {"Content-Type": content_type} if body is not None else {}
        if verb == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        status, answered, content = self._send(verb, path, body, headers)
        if status == 429:
            minutes = -(-int(answered.get("retry-after", "60")) // 60)
            raise DemoFailed(f"{verb} {path} is limited for this address; try again in {minutes} min")
        answer = json.loads(content) if content else None
        if (expect is not None and status != expect) or (expect is None and status >= 400):
            raise DemoFailed(f"{verb} {path} answered {status}: {answer}")
        return answer

    def _send(
        self, verb: str, address: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        target = urlsplit(address if "://" in address else self.base + address)
        kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
        connection = kind(target.netloc, timeout=WAIT_LIMIT)
        try:
            connection.request(verb, target._replace(scheme="", netloc="").geturl(), body, headers)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()


def receive(socket: ClientConnection, kind: str, seconds: float = WAIT_LIMIT) -> dict[str, Any]:
    """The next frame of this type; others in between are passed over."""
    until = time.monotonic() + seconds
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=max(0.01, until - time.monotonic())))
        if frame["type"] == kind:
            return frame
        if frame["type"] == "error":
            raise DemoFailed(f"the socket refused: {frame}")


def command(*words: str) -> str:
    """Run a documented operator command and give back what it printed."""
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise DemoFailed(f"manage.py {' '.join(words)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def until(found: Any, seconds: float = WAIT_LIMIT) -> Any:
    """Ask `found()` until it gives something: mails and jobs come when the worker gets to them."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if value := found():
            return value
        time.sleep(0.2)
    raise DemoFailed("waited in vain; does the worker run?")
