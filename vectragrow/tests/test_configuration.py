"""What an operator may set is described where operators look, and production says what it misses."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

SETTLED = set(
    """
    PORT DATA_DIR DATABASE_URL REDIS_URL SECRET_KEY ALLOWED_HOSTS CORS_ALLOWED_ORIGINS FRONTEND_URL EMAIL_URL
    TWILIO_API_BASE TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIO_FROM PAYMENTS_PROVIDER STRIPE_API_BASE STRIPE_API_KEY
    STRIPE_WEBHOOK_SECRET STORAGE_URL GOOGLE_ISSUER GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET LINKEDIN_ISSUER
    LINKEDIN_CLIENT_ID LINKEDIN_CLIENT_SECRET DOCUMENT_KEYS DEMO OIDC_DEMO
    """.split()
)
"""The names that stay fixed."""
OF_OTHERS = {"PYTEST_XDIST_WORKER"}


def names_read() -> set[str]:
    sources = (settings.BASE_DIR / "vectragrow" / "settings").glob("*.py")
    return {name for file in sources for name in re.findall(r'env\.\w+\(\s*"(\w+)"', file.read_text())} - OF_OTHERS


@pytest.mark.parametrize("place", ["docs/configuration.md", ".env.example"])
def test_every_name_is_described(place: str) -> None:
    text = (settings.BASE_DIR / place).read_text()
    missing = [name for name in sorted(names_read() | SETTLED) if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_no_name_is_described_that_nobody_reads() -> None:
    text = (settings.BASE_DIR / ".env.example").read_text()
    described = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    compose = set(re.findall(r"\$\{([A-Z_]+)", (settings.BASE_DIR / "deploy" / "compose.yaml").read_text()))
    assert described <= names_read() | SETTLED | compose | {"DJANGO_SETTINGS_MODULE"}


def test_production_names_every_secret_that_is_missing() -> None:
    kept = {name: value for name, value in os.environ.items() if name not in names_read()}
    done = subprocess.run(
        [sys.executable, "-c", "import vectragrow.settings.prod"],
        cwd=settings.BASE_DIR,
        env={**kept, "SECRET_KEY": "s" * 50, "DATA_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    for name in (
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "DOCUMENT_KEYS",
        "EMAIL_URL",
        "PUBLIC_URL",
        "REDIS_URL",
        "STORAGE_URL",
    ):
        assert name in last
    assert "SECRET_KEY" not in last


@pytest.mark.parametrize(
    ("twilio", "missing"),
    [({}, ""), ({"TWILIO_ACCOUNT_SID": "AC0"}, "TWILIO_AUTH_TOKEN, TWILIO_FROM"), ({"TWILIO_FROM": "+1"}, "TWILIO_")],
)
def test_sms_are_optional_in_production_and_never_half_set_up(twilio: dict[str, Any], missing: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in names_read()}
    complete = {
        "SECRET_KEY": "s" * 50,
        "DOCUMENT_KEYS": "a" * 43 + "=",
        "ALLOWED_HOSTS": "vectragrow.example",
        "PUBLIC_URL": "https://vectragrow.example",
        "DATABASE_URL": "postgres://a:b@db.example/c",
        "REDIS_URL": "redis://cache.example/0",
        "EMAIL_URL": "smtp://a:b@mail.example:587",
        "STORAGE_URL": "file:/srv/media",
        "ALLOW_SANDBOX_PAYMENTS": "1",
        "DATA_DIR": "/nonexistent",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import vectragrow.settings.prod"],
        cwd=settings.BASE_DIR,
        env={**kept, **complete, **twilio},
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == (not missing) and missing in done.stderr
