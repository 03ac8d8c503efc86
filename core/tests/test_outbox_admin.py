"""Parked events in the admin: who may give them new tries, and that they are delivered then."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.jobs import outbox
from core.models import Event, OutboxEvent
from core.testing import commits, drain_outbox

LIST = "/admin/core/outboxevent/"
TOPIC = "tests.parked"


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A topic whose handler works again."""
    done = []
    monkeypatch.setitem(outbox._handlers, TOPIC, lambda event_id, **facts: done.append(event_id))
    return done


def parked() -> OutboxEvent:
    return OutboxEvent.objects.create(
        topic=TOPIC, attempts=10, parked_at=timezone.now(), held_until=timezone.now(), last_error="OSError: away"
    )


def browser_of(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def act(browser: Any, *events: Any) -> Any:
    form = {"action": "try_again", "_selected_action": [event.pk for event in events]}
    with commits():
        return browser.post(LIST, form, follow=True).content.decode()


def test_the_button_of_one_event(person: Callable[..., User], delivered: list[Any]) -> None:
    admin, event, other = person("ines", role="admin"), parked(), parked()
    browser, page = browser_of(admin), f"{LIST}{event.pk}/change/"
    shown = browser.get(page).content.decode()
    assert "Try again" in shown and "OSError: away" in shown
    with commits():
        assert "1 event will be tried again" in browser.post(page, follow=True).content.decode()
    drain_outbox()
    assert delivered == [event.pk]
    assert "Try again" not in browser.get(page).content.decode()
    other.refresh_from_db()
    assert other.parked_at
    [entry] = Event.objects.filter(kind="outbox_event.retried")
    assert (entry.actor_id, entry.subject_id) == (admin.pk, event.pk)


def test_several_from_the_list(person: Callable[..., User], delivered: list[Any]) -> None:
    browser = browser_of(person("ines", role="admin"))
    events = [parked(), parked()]
    assert "2 events will be tried again" in act(browser, *events)
    assert "None of these is parked" in act(browser, *events)
    drain_outbox()
    assert set(delivered) == {event.pk for event in events}


@pytest.mark.parametrize("role", ["user", "reviewer", "moderator"])
def test_nobody_else(person: Callable[..., User], role: str) -> None:
    event, browser = parked(), browser_of(person("someone", role=role))
    assert browser.post(f"{LIST}{event.pk}/change/").status_code in (302, 403)
    act(browser, event)
    event.refresh_from_db()
    assert event.parked_at


def test_an_event_that_is_not_there(person: Callable[..., User]) -> None:
    browser = browser_of(person("ines", role="admin"))
    assert browser.post(f"{LIST}0190aaaa-0000-7000-8000-000000000001/change/").status_code == 404
    assert browser.post(f"{LIST}x/change/").status_code == 404
