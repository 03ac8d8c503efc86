"""The client's address behind proxies of every kind."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Session, User
from accounts.testing import PASSWORD
from core.addresses import forwarded_address, parse_address
from core.data.ids import uuid7
from core.testing import Api


@pytest.mark.parametrize(
    "written, address",
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:DB8:0::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("unknown", None),
        ("_hidden", None),
        ("_hidden:80", None),
        ("", None),
        ("203.0.113.9:port", None),
        ("203.0.113.9:1:2", None),
        ("203.0.113.900", None),
        ("[2001:db8::1", None),
        ("２０３.0.113.9", None),
    ],
)
def test_an_address_is_read_in_every_form_that_proxies_write(written: str, address: str | None) -> None:
    found = parse_address(written)
    assert (str(found) if found else None) == address


@pytest.mark.parametrize(
    "header, client",
    [
        ("192.0.2.1, 203.0.113.9:51234", "203.0.113.9"),
        ("192.0.2.1, [2001:db8::1]:443, 10.0.0.9:8080", "2001:db8::1"),
        ("192.0.2.1,,203.0.113.9 , ,", "203.0.113.9"),
        ("203.0.113.9, unknown", "10.0.0.5"),
        ("203.0.113.9, _hidden, 10.0.0.6:1", "10.0.0.6"),
        ("", "10.0.0.5"),
    ],
)
def test_the_last_address_that_is_no_proxy_is_the_client(settings: Settings, header: str, client: str) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert forwarded_address("10.0.0.5", header) == client
    assert forwarded_address("198.51.100.1", header) == "198.51.100.1"


@pytest.mark.parametrize("form", ["192.0.2.{n}:5123{n}", "[2001:db8:0:{n}::1]:443", "[2001:db8:0:{n}::1]"])
def test_people_behind_one_proxy_have_limits_of_their_own(db: None, settings: Settings, form: str) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]

    def fail(n: Any) -> Any:
        body = {"email": f"{uuid7().hex}@example.com", "password": "x"}
        proxy = Api(address="10.0.0.5")
        return proxy.post("/api/auth/login", body, x_forwarded_for=form.format(n=n)).status_code

    assert [fail(n) for n in range(12)] == [401] * 12, "twelve people, one failure each"
    assert [fail(1) for _ in range(10)][-1] == 429, "one person, many failures"


def test_a_session_is_noted_with_the_address_behind_the_port(
    api: Api, person: Callable[..., User], settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    ada = person("ada")
    body = {"email": ada.email, "password": PASSWORD}
    signed_in = Api(address="10.0.0.5").post("/api/auth/login", body, x_forwarded_for="[2001:db8::7%eth0]:443")
    assert signed_in.status_code == 200
    assert Session.objects.get(user=ada).address == "2001:db8::7"
