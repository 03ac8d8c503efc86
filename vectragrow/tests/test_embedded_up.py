"""`make up` for real, in a temporary folder: one story from the first start to the last stop, and how it says no."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core.testing import WAIT_LIMIT, eventually
from core.testing.processes import kill_group
from vectragrow.embedded import processes
from vectragrow.embedded.environment import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(1800)]
TAKEN_FROM_US = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER", "MAKELEVEL", "DEMO")


def launcher(command: str, data_dir: Path, **environment: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in TAKEN_FROM_US}
    return subprocess.Popen(
        [sys.executable, "-m", "vectragrow.embedded", command, "--inside"],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(data_dir), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def refusal(command: str, data_dir: Path, **environment: str) -> str:
    """What it says on the way to a failed exit: one line."""
    process = launcher(command, data_dir, **environment)
    try:
        said, _ = process.communicate(timeout=2 * WAIT_LIMIT)
    finally:
        kill_group(process)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    return said.strip().splitlines()[-1]


def wait_for_ready(process: subprocess.Popen[str]) -> str:
    said = ""
    assert process.stdout
    for line in process.stdout:
        said += line
        if "Stop: Ctrl-C" in line:
            return said
    raise AssertionError(said)


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_LIMIT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def noted(data_dir: Path) -> dict[str, Any]:
    return json.loads((data_dir / "run.json").read_text())


def left_of(children: dict[str, Any]) -> list[str]:
    return [name for name, note in children.items() if processes.is_same(note)]


def query(data_dir: Path, statement: str) -> str:
    """Through manage.py, as an operator beside it would, without any address in the environment."""
    kept = {name: value for name, value in os.environ.items() if name not in TAKEN_FROM_US}
    code = (
        f"from django.db import connection; cursor = connection.cursor(); cursor.execute({statement!r}); "
        "print(cursor.description and cursor.fetchone())"
    )
    return subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def port() -> str:
    return str(processes.choose_port(None))


@pytest.fixture
def ended() -> Iterator[Callable[..., None]]:
    """Whatever a failing test leaves is ended after it."""
    started: list[subprocess.Popen[str]] = []
    yield started.append
    for process in started:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Ask a launcher to stop, and kill one that does not; its children end with it."""
    try:
        process.terminate()
        process.wait(WAIT_LIMIT)
    except subprocess.TimeoutExpired:
        pass
    kill_group(process)
    if process.stdout:
        process.stdout.close()


def test_start_crash_start_again_and_stop(tmp_path: Path, port: str, ended: Callable[..., None]) -> None:
    data_dir = tmp_path / "with spaces é" / "var"
    first = launcher("up", data_dir, PORT=port)
    ended(first)
    said = wait_for_ready(first)
    login = data_dir / "admin-login.txt"
    password = login.read_text().split("password: ")[1].strip()
    assert f"http://localhost:{port}/admin/" in said
    assert password in said
    for private in (login, data_dir / "install.json"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert status(int(port), "/readyz") == 200
    children = noted(data_dir)["children"]
    assert set(children) == {"postgres", "valkey", "web", "worker"}
    query(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")

    assert "already runs" in refusal("up", data_dir, PORT=str(processes.choose_port(None)))

    os.kill(children["web"]["pid"], signal.SIGKILL)
    eventually(lambda: noted(data_dir)["children"]["web"] != children["web"])
    children = noted(data_dir)["children"]
    assert processes.is_same(children["web"]), "a process that ends by itself is started again"

    first.kill()
    first.wait()
    if processes.IS_LINUX:
        eventually(lambda: not left_of(children))  # they do not outlive a killed launcher

    second = launcher("up", data_dir, PORT=port)
    ended(second)
    said = wait_for_ready(second)
    assert password not in said, "the password is shown once"
    assert query(data_dir, "SELECT answer FROM kept") == "(42,)"
    children = noted(data_dir)["children"]
    stop = launcher("stop", data_dir)
    ended(stop)
    assert stop.wait(WAIT_LIMIT) == 0
    assert second.wait(WAIT_LIMIT) == 0
    assert left_of(children) == []
    assert not (data_dir / "run.json").exists()


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} is in use" in refusal("up", tmp_path / "var", PORT=str(port))


def test_address_that_is_not_ours(tmp_path: Path, port: str) -> None:
    said = refusal("up", tmp_path / "var", PORT=port, HOST="192.0.2.1")
    assert said.startswith(f"Port {port} cannot be opened on 192.0.2.1")


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1"])
def test_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert "PORT must be a number" in refusal("up", tmp_path / "var", PORT=port)


def test_folder_that_cannot_be_written(tmp_path: Path, port: str) -> None:
    (tmp_path / "var").write_text("a file is in the way")
    assert "set DATA_DIR to a folder that you may write to" in refusal("up", tmp_path / "var", PORT=port)


def test_data_of_another_version(tmp_path: Path, port: str) -> None:
    data = tmp_path / "var" / "postgres" / "data"
    (data / "global").mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    (data / "global" / "pg_control").write_text("x")
    said = refusal("up", tmp_path / "var", PORT=port)
    assert "was made by PostgreSQL 9" in said
    assert not (tmp_path / "var" / "run.json").exists()


def test_half_made_data(tmp_path: Path, port: str) -> None:
    data = tmp_path / "var" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    assert "is not a complete PostgreSQL folder" in refusal("up", tmp_path / "var", PORT=port)


def test_address_that_nobody_answers(tmp_path: Path, port: str) -> None:
    addresses = {"DATABASE_URL": "postgres://vectragrow:secret@127.0.0.1:9/x", "REDIS_URL": "redis://127.0.0.1:9/0"}
    said = refusal("up", tmp_path / "var", PORT=port, **addresses)
    assert said.startswith("DATABASE_URL names 127.0.0.1:9, where nothing answers")
    assert "secret" not in said


def test_database_that_refuses(tmp_path: Path, port: str) -> None:
    database = settings.DATABASES["default"]
    url = f"postgres://nobody_of_that_name:wrong@{database['HOST']}:{database['PORT']}/nowhere"
    said = refusal("up", tmp_path / "var", PORT=port, DATABASE_URL=url)
    assert said.startswith("The database could not be prepared: the server says")
    assert "wrong@" not in said


def test_stop_and_demo_without_a_platform(tmp_path: Path) -> None:
    for command in ("stop", "demo"):
        assert "is not running here" in refusal(command, tmp_path / "var")
