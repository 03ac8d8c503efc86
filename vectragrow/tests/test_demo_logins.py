"""`make demo ARGS=--logins` where a demo has run already: its people, and only they, get the known password."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.testing import PASSWORD
from core.models import Event
from core.testing import Api
from vectragrow.management.commands.demo import KNOWN_PASSWORD


def log_in(api: Api, person: User, password: str) -> int:
    return api.post("/api/auth/login", {"email": person.email, "password": password}).status_code


@pytest.fixture
def mei(person: Callable[..., User]) -> User:
    return person("mei", email="mei.tanaka.ab12@demo.example", role="reviewer")


def test_people_of_an_earlier_demo_get_the_known_password(api: Api, mei: User, person: Callable[..., User]) -> None:
    pat = person("pat")
    for _ in range(2):
        said = StringIO()
        call_command("demo", "--logins", stdout=said)
        assert KNOWN_PASSWORD in said.getvalue() and f"reviewer   {mei.email}" in said.getvalue()
        assert pat.email not in said.getvalue()
        assert log_in(api, mei, KNOWN_PASSWORD) == 200
    assert log_in(api, mei, PASSWORD) == 401
    assert (log_in(api, pat, PASSWORD), log_in(api, pat, KNOWN_PASSWORD)) == (200, 401)
    assert Event.objects.filter(kind="account.demo_password_set", subject_id=mei.pk).count() == 1


def test_never_in_production(api: Api, mei: User, settings: Settings) -> None:
    settings.MAILBOX_ENABLED = False
    with pytest.raises(CommandError, match="development"):
        call_command("demo", "--logins")
    assert log_in(api, mei, PASSWORD) == 200
