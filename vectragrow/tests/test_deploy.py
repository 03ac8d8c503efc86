"""That `deploy/` and the image keep the limits which the one-process server has."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import get_resolver

from core.testing import eventually
from core.testing.processes import free_port
from vectragrow.tests.serving import Wire

CADDYFILE = (Path(settings.BASE_DIR) / "deploy" / "Caddyfile").read_text()
DOCKERFILE = (Path(settings.BASE_DIR) / "Dockerfile").read_text()
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


def operations(patterns: Any, prefix: str = "") -> Iterator[Any]:
    """(method, path, handler) of every operation of the API."""
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from operations(entry.url_patterns, path)
        elif hasattr(entry.callback, "actions"):
            for method, action in entry.callback.actions.items():
                yield method.upper(), "/" + re.sub(r"<[^>]*>", "*", path), getattr(entry.callback.cls, action)


def test_the_front_sends_what_takes_files_to_the_process_that_reads_large_bodies() -> None:
    methods, paths = re.search(r"@files \{\s*method (.*)\n\s*path (.*)\n", CADDYFILE).groups()
    taken = {
        (method, path)
        for method, path, handler in operations(get_resolver().url_patterns)
        if handler.operation.multipart
    }
    assert {path for _, path in taken} == set(paths.split())
    assert {method for method, _ in taken} == set(methods.split())


@pytest.fixture(scope="module")
def granian() -> Iterator[int]:
    """The port of the command that the image runs, with one worker and a short time for heads."""
    command = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE.replace("\\\n", ""), re.M).group(1))
    port = free_port()
    changes = {"--host": "127.0.0.1", "--port": str(port), "--workers": "1", "--http1-header-read-timeout": "700"}
    assert changes.keys() < set(command)
    for name, value in changes.items():
        command[command.index(name) + 1] = value
    process = subprocess.Popen([str(Path(sys.executable).with_name(command[0])), *command[1:]], cwd=settings.BASE_DIR)

    def answers() -> bool:
        assert process.poll() is None
        with suppress(OSError), Wire(port) as wire:
            return wire.send(HEALTH + b"\r\n").answer("GET").status == 200
        return False

    try:
        eventually(answers)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def test_the_image_s_server_bounds_heads(granian: int) -> None:
    with Wire(granian) as wire:
        assert wire.send(HEALTH, b"X: y\r\n" * 101, b"\r\n").answer("GET").status == 431
    with Wire(granian) as wire:
        wire.send(HEALTH)
        with suppress(ConnectionResetError):
            while wire.socket.recv(1000):  # times out if the server never closes
                pass
