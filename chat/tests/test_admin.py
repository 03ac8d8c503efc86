"""Moderators see who talks, never what is said."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from chat.models import Conversation
from chat.tests.factories import say


@pytest.mark.parametrize(("role", "status"), [("moderator", 200), ("admin", 200), ("reviewer", 403)])
def test_conversations_show_no_words(
    person: Callable[..., User], founder: User, talk: Conversation, role: str, status: int
) -> None:
    say(founder, talk, "between us")
    browser = Client()
    browser.force_login(person("staff", role=role))
    for path in ("/admin/chat/conversation/", f"/admin/chat/conversation/{talk.pk}/change/"):
        page = browser.get(path)
        assert page.status_code == status
        assert b"between us" not in page.content
    assert browser.post(f"/admin/chat/conversation/{talk.pk}/delete/", {"post": "yes"}).status_code == 403
