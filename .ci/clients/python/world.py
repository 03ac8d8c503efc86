"""What surrounds a client app: mails, the bank's page, the operator, pictures. Nothing here knows the API's shapes."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import httpx
from vectragrow_client.types import File

T = TypeVar("T")
WAIT_LIMIT = 180
"""Seconds to wait for what has to happen: only a fault takes so long, however busy the machine is."""
BASE = os.environ["PLATFORM_URL"]
PASSWORD = "a long enough passphrase"


def until(what: str, find: Callable[[], T | None]) -> T:
    """Ask again and again until it gives something."""
    deadline = time.monotonic() + WAIT_LIMIT
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


def mailed_token(address: str) -> str:
    """The token of the mail that asks to verify an address, from the development mailbox."""

    def find() -> str | None:
        answer = httpx.get(f"{BASE}/mailbox/messages", params={"to": address}, timeout=WAIT_LIMIT)
        found = re.search(r"verify-email\?token=([\w-]+)", answer.text)
        return found[1] if found else None

    return until(f"a mail to {address}", find)


def operator(*words: str) -> None:
    """Run an operator's command, such as `publish_campaign`."""
    command = [os.environ["PYTHON"], "manage.py", *words]
    subprocess.run(command, cwd=os.environ["ROOT"], check=True, capture_output=True)


def picture(name: str) -> File:
    """:param name: `cover`, `front` or `selfie`"""
    content = Path(os.environ["PICTURES"], f"{name}.jpg").read_bytes()
    return File(payload=BytesIO(content), file_name=f"{name}.jpg", mime_type="image/jpeg")


def approve_payment(address: str) -> None:
    """Confirm a payment on the bank's page, as a browser does."""
    with httpx.Client(timeout=WAIT_LIMIT) as browser:
        page = browser.get(address, headers={"Accept": "text/html"})
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found, f"no form at {address}"
        form = {"csrfmiddlewaretoken": found[1], "answer": "approve"}
        answer = browser.post(address, data=form, headers={"Origin": BASE, "Referer": address})
        assert not answer.is_error, f"the bank's page answers {answer.status_code}"
