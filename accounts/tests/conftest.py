"""Mails as their readers find them, and rivals that meet at an exact point."""

import re
from collections.abc import Callable
from threading import Event, local
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.security_key import SecurityKey
from core.crypto.sealing import unseal
from core.testing import Api, another_connection_waits, drain_outbox, eventually
from notifications.models import MailboxMessage


@pytest.fixture
def mails(db: None) -> Callable[[User], list[tuple[str, str]]]:
    """`mails(person)`: subject and text of every mail to a person, oldest first."""

    def read(person: User) -> list[tuple[str, str]]:
        drain_outbox()
        kept = MailboxMessage.objects.filter(to=person.email, channel="mail").order_by("created_at", "id")
        return [(mail.subject, unseal(bytes(mail.content), purpose="mailbox")["text"]) for mail in kept]

    return read


@pytest.fixture
def token_in() -> Callable[[str], str]:
    def find(text: str) -> str:
        found = re.search(r"\?token=([\w-]+)", text)
        assert found, text
        return found[1]

    return find


@pytest.fixture
def stored_text(db: None) -> Callable[[], str]:
    """Everything in the database as text, but for the development mailbox, which is the recipient's side."""

    def read() -> str:
        found = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table != MailboxMessage._meta.db_table:
                    cursor.execute(f'SELECT t::text FROM "{table}" t')
                    found += [row[0] for row in cursor.fetchall()]
        return "\n".join(found)

    return read


@pytest.fixture
def rivals_meet(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """
    `rivals_meet(module, "function", call=2)`: two threads that call it wait for each other when the named call of each
    has returned. Whoever holds a lock that the other waits for goes on alone, and so does who comes after that.
    """

    def arrange(module: Any, name: str, call: int = 1) -> None:
        original, here, over, counted = getattr(module, name), [], Event(), local()

        def slowed(*args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            counted.calls = getattr(counted, "calls", 0) + 1
            if counted.calls == call:
                here.append(1)
                eventually(lambda: over.is_set() or len(here) > 1 or another_connection_waits())
                over.set()
            return answer

        monkeypatch.setattr(module, name, slowed)

    return arrange


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins of race tests: the same without the lock, to see that the test would see the bug."""
    from django.db.models import QuerySet

    from core.data import locks

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
    monkeypatch.setattr(locks, "clause", lambda *aliases: "")


@pytest.fixture
def passkey_of(api: Api) -> Callable[[User], SecurityKey]:
    """`passkey_of(person)`: a key of theirs, registered through the API from a session that is over."""

    def register(person: User) -> SecurityKey:
        me, key = api.as_user(person), SecurityKey()
        Session.objects.filter(user=person).update(second_factor_at=timezone.now())
        options = me.post("/api/profile/passkeys/options").json()["publicKey"]
        made = me.post("/api/profile/passkeys", {"credential": key.create(options), "name": "My key"})
        assert made.status_code == 201, made.content
        Session.objects.filter(user=person).delete()
        person.refresh_from_db()
        return key

    return register
