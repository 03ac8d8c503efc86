"""
A ClickHouse for tests: its engine in a process of its own (chDB), behind as much of its HTTP interface as
clickhouse-connect speaks. `python -m analytics.testing.clickhouse FOLDER` serves a database `analytics` that is kept in
FOLDER, and writes its port to FOLDER/port.

The engine does all SQL. The front checks user and password, binds parameters, and has switches for what goes wrong
between two machines: `POST /fault?kind=…`.
"""

import base64
import json
import os
import socket
import sys
import threading
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame

from analytics.testing.names import DATABASE, PASSWORD, USER

FAULTS = ("", "refuse", "delay", "lose_insert", "drop_insert")
"""
Nothing; refuse every statement; answer after the client has given up; insert and hang up without an answer; answer an
insert and forget it.
"""
_OF_HTTP = {
    "database", "query", "query_id", "session_id", "enable_http_compression", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "wait_end_of_query", "client_protocol_version",
}  # fmt: skip
"""Parameters of a request that are no settings of the engine's."""
DELAY = 30.0


class Engine:
    """One connection to the engine; statements run one after the other."""

    def __init__(self, folder: Path) -> None:
        self.connection = chdb.connect(str(folder / "data"))
        self.lock = threading.Lock()
        self.settings: dict[str, str] = {}
        self.connection.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        self.connection.query(f"USE {DATABASE}")

    def query(self, statement: str, params: dict[str, str], settings: dict[str, str], format: str) -> bytes:
        with self.lock:
            self._use(settings)
            return bytes(self.connection.query(statement, format, params=params).bytes())

    def insert(self, statement: str, block: bytes, settings: dict[str, str], format: str) -> None:
        with self.lock:
            self._use(settings)
            inserter: Any = self.connection.send_insert(statement, format)
            inserter.append(block)
            inserter.finish()

    def _use(self, settings: dict[str, str]) -> None:
        """A request brings its settings along; the connection keeps those of the one before."""
        for name in self.settings.keys() - settings.keys():
            self.connection.query(f"SET {name} = DEFAULT")
        for name in settings.keys() - {name for name in self.settings if self.settings[name] == settings.get(name)}:
            self.connection.query(f"SET {name} = '{settings[name]}'")
        self.settings = settings


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out at once, not its head first
    engine: Engine
    fault = ""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        if self.headers.get("Content-Encoding") == "lz4":
            body = lz4.frame.decompress(body)
        address = urlsplit(self.path)
        given = dict(parse_qsl(address.query, keep_blank_values=True))
        if address.path == "/fault":
            type(self).fault = given["kind"]
            released.set() if not given["kind"] else released.clear()
            return self._answer(200, b"")
        if address.path == "/ping":
            return self._answer(200, b"Ok.\n")
        if not self._is_known():
            return self._refuse(516, "Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)")
        if self.fault == "refuse":
            return self._refuse(202, "Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)")
        if self.fault == "delay":
            released.wait(DELAY)
        if (self.headers.get("Content-Type") or "").startswith("multipart/form-data"):
            given |= self._form(body)
            body = b""
        try:
            self._run(given, body)
        except Exception as error:  # noqa: BLE001  (what the engine raises)
            text = str(error)
            code = text.partition("Code: ")[2].partition(".")[0]
            self._refuse(int(code) if code.isdecimal() else 1, text)

    def _run(self, given: dict[str, str], body: bytes) -> None:
        """The statement is in the query string, with a block in the body or none; or in the body, its first line."""
        params = {name[6:]: value for name, value in given.items() if name.startswith("param_")}
        settings = {name: value for name, value in given.items() if name not in _OF_HTTP and name[:6] != "param_"}
        text = given.get("query", "").encode()
        if not text:
            text, _, body = body.partition(b"\n") if body.startswith(b"INSERT") else (body, b"", b"")
        statement, has_format, format = text.decode().rpartition("FORMAT ")
        if not has_format:
            statement, format = format, "TabSeparated"
        format = format.strip()
        if not body:
            return self._answer(200, self.engine.query(statement, params, settings, format), format)
        if self.fault != "drop_insert":
            self.engine.insert(statement, body, settings, format)
        if self.fault == "lose_insert":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(200, b"")

    def _is_known(self) -> bool:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _form(self, body: bytes) -> dict[str, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts: Any = message_from_bytes(head + body, policy=HTTP).iter_parts()
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()
            for part in parts
        }

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _refuse(self, code: int, text: str) -> None:
        whole = text if text.startswith("Code:") else f"Code: {code}. DB::Exception: {text}"
        self._answer(500 if code != 202 else 400, whole.encode(), code=code)

    def _answer(self, status: int, body: bytes, format: str = "", code: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Summary", json.dumps({}))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        if format:
            self.send_header("X-ClickHouse-Format", format)
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


released = threading.Event()


def serve(folder: Path) -> None:
    Handler.engine = Engine(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    ready = folder / "port.new"
    ready.write_text(str(server.server_address[1]))
    os.replace(ready, folder / "port")
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
