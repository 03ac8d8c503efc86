"""Groups and channels in the admin: moderators look, nobody edits by hand."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from social.testing import make_channel, make_group, make_post, put_in_channel, put_in_group


@pytest.mark.parametrize(("role", "status"), [("moderator", 200), ("admin", 200), ("reviewer", 403)])
def test_moderators_look_at_groups_and_channels(
    person: Callable[..., User], author: User, stranger: User, role: str, status: int
) -> None:
    group, channel = make_group(author, "Attic <b>", visibility="secret"), make_channel(author, "Roof news")
    put_in_group(group, stranger, "moderator")
    put_in_group(group, person("banned"), status="banned")
    put_in_channel(channel, stranger, "editor")
    make_post(author, channel_id=channel.pk)
    browser = Client()
    browser.force_login(person("staff", role=role))
    for model, place in (("group", group), ("channel", channel)):
        for path in ("", f"?q={place.name}", f"{place.pk}/change/"):
            page = browser.get(f"/admin/social/{model}/{path}")
            assert page.status_code == status
        if status == 200:
            shown = page.content.decode()
            assert stranger.email in shown
            assert author.email in shown
            assert "<b>" not in shown.partition("Attic")[2][:10]
        assert browser.post(f"/admin/social/{model}/{place.pk}/change/", {"name": "x"}).status_code == 403
        assert browser.post(f"/admin/social/{model}/{place.pk}/delete/", {"post": "yes"}).status_code == 403
        assert browser.get(f"/admin/social/{model}/add/").status_code == 403


def test_a_page_shows_some_of_many(person: Callable[..., User], author: User, moderator: User) -> None:
    group = make_group(author)
    names = [f"person{number}" for number in range(25)]
    for name in names:
        put_in_group(group, person(name, email=f"{name}@example.com"))
    browser = Client()
    browser.force_login(moderator)
    page = browser.get(f"/admin/social/group/{group.pk}/change/").content.decode()
    assert sum(f"{name}@example.com" in page for name in names) == 20
