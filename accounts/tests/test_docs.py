"""docs/accounts.md, run as a stranger would run it: with a shell and curl."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from accounts.models import Session, User
from core.testing import WAIT_LIMIT, drain_outbox

PAGE = settings.BASE_DIR / "docs" / "accounts.md"


@pytest.fixture
def worker() -> Iterator[Any]:
    """Delivers what waits, as Celery does."""
    over = Event()

    def work() -> None:
        while not over.wait(0.2):
            drain_outbox()
        connection.close()

    thread = Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="the page asks for curl and jq")
@pytest.mark.django_db(transaction=True)
def test_the_examples_run_in_order(live_server: LiveServer, worker: Any, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    script = tmp_path / "integrate.sh"
    script.write_text("set -eu -o pipefail\n" + "".join(blocks))
    run = subprocess.run(
        ["bash", str(script)],
        env={"BASE": live_server.url, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=4 * WAIT_LIMIT,
    )
    said = run.stdout.decode() + run.stderr.decode()
    assert run.returncode == 0, said
    assert '"code"' not in said and "null" not in said, said
    assert '"twoFactorEnabled":false' in said and "Password successfully reset" in said
    assert "Logged out successfully" in said
    ada = User.objects.get()
    assert ada.email_verified and not ada.two_factor_enabled and ada.check_password("a third long phrase")
    methods = Session.objects.order_by("created_at").values_list("method", flat=True)
    assert list(methods) == ["registration", "password", "password+totp", "password"]
