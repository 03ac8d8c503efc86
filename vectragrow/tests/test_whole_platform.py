"""
The main job on the platform as `make up` runs it: real servers, real worker, nothing replaced.

The demo's story is the test's story, since it drives the public API and checks what is answered at every step.
Afterwards the process is killed without warning, started again, and everything answered before must still be true; and
the logs, the database and Redis are searched for what may never be written down.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import psycopg
import pytest
import redis

from core.testing import eventually
from core.testing.processes import free_port
from vectragrow.demo.client import Client, command
from vectragrow.demo.story import Story
from vectragrow.embedded import discovery
from vectragrow.tests.test_embedded_up import TAKEN_FROM_US, end, launcher, wait_for_ready

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(1800)]

CARD_NUMBERS = ["4242424242424242", "4000000000000002", "4000000000003220"]


Platform = tuple[Callable[[], Popen[str]], str, Path]
"""What starts it, its address, its folder."""


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Starts `make up` on a folder of its own; `start()` again after a kill."""
    port = free_port()
    for name in TAKEN_FROM_US:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("PORT", str(port))
    running = []

    def start() -> Popen[str]:
        process = launcher("up", tmp_path / "var", PORT=str(port))
        running.append(process)
        wait_for_ready(process)
        return process

    yield start, f"http://localhost:{port}", tmp_path / "var"
    for process in running:
        end(process)


def play_story(base: str) -> tuple[Story, list[str]]:
    steps: list[str] = []
    story = Story(base, say=steps.append)
    story.play()
    return story, steps


def test_the_story_survives_a_kill_and_leaves_no_secret(platform: Platform) -> None:
    start, base, data_dir = platform
    process = start()
    story, steps = play_story(base)
    assert len(steps) == Story.STEPS
    eventually(lambda: everybody_was_notified(data_dir))
    before = what_was_answered(story)

    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    start()
    for person in story.people.values():
        answer = person.app.post("/api/auth/login", {"email": person.email, "password": story.password})
        person.app.token = answer["token"]
    assert what_was_answered(story) == before
    command("ledger_verify")

    markers = [story.password, *CARD_NUMBERS, *(p.passport for p in story.people.values() if p.passport)]
    markers += [person.app.token for person in story.people.values()]
    assert found_in_files(data_dir / "logs", markers) == []
    assert found_in_files(data_dir / "media", markers) == []
    assert found_in_database(data_dir, markers) == []
    assert found_in_redis(data_dir, markers) == []

    again, _ = play_story(base)
    assert again.chapter != story.chapter

    command("publish_campaign", story.waiting["id"])
    shown = story.people["Mei"].app.get(f"/api/campaigns/{story.waiting['id']}")
    assert shown["status"] == "live", "what waits for staff can be published long after the demo"


def what_was_answered(story: Story) -> dict[str, Any]:
    """Money, cases, messages and notices as their people see them."""
    answered: dict[str, Any] = {}
    for person in story.people.values():
        app: Client = person.app
        answered[person.first_name] = [
            app.get("/api/investments", limit=100)["items"],
            app.get("/api/kyc/status"),
            [talk["lastMessage"] for talk in app.get("/api/chat/conversations")["items"]],
            app.get("/api/notifications", limit=100)["items"],
        ]
    answered["campaigns"] = [
        story.people["Mei"].app.get(f"/api/campaigns/{row['id']}") for row in story.campaigns.values()
    ]
    return answered


def everybody_was_notified(data_dir: Path) -> bool:
    """Whether nothing recorded waits to be delivered."""
    with psycopg.connect(discovery.read(data_dir)["DATABASE_URL"]) as connection:
        waiting = "SELECT FROM core_outboxevent WHERE topic = 'events.deliver' AND delivered_at IS NULL"
        return connection.execute(waiting).fetchone() is None


def found_in_files(folder: Path, markers: list[str]) -> list[tuple[str, str]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, f"nothing to search in {folder}"
    return [(path.name, marker) for path in files for marker in markers if marker.encode() in path.read_bytes()]


def found_in_database(data_dir: Path, markers: list[str]) -> list[tuple[str, str]]:
    found = []
    with psycopg.connect(discovery.read(data_dir)["DATABASE_URL"]) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f'SELECT t::text FROM "{table}" t'):
                found += [(table, marker) for marker in markers if marker in row or marker.encode().hex() in row]
    return found


def found_in_redis(data_dir: Path, markers: list[str]) -> list[tuple[str, str]]:
    found = []
    client = redis.Redis.from_url(discovery.read(data_dir)["REDIS_URL"])
    for key in client.scan_iter(count=1000):
        content = key + (client.dump(key) or b"")
        found += [(key.decode(errors="replace"), marker) for marker in markers if marker.encode() in content]
    return found
