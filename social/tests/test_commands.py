"""What an operator does without the admin: the same decisions, by the same people."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from core.testing import Api
from social.models import Ad
from social.testing import case_about, make_ad, make_post


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_an_ad_is_approved_by_a_moderator(author: User, stranger: User, moderator: User) -> None:
    ad = make_ad(author)
    for other in (stranger.email, "nobody@example.com"):
        with pytest.raises(CommandError):
            run("approve_ad", str(ad.pk), "--by", other)
    assert "is shown until" in run("approve_ad", str(ad.pk), "--by", moderator.email.upper())
    ad.refresh_from_db()
    assert (ad.status, ad.reviewer) == (Ad.Status.APPROVED, moderator)
    with pytest.raises(CommandError):
        run("approve_ad", str(ad.pk), "--by", moderator.email)


def test_a_case_is_decided_by_a_moderator(api: Api, author: User, stranger: User, moderator: User, person: Any) -> None:
    post = make_post(author)
    words = ("decide_case", str(post.pk), "warn", "--rule", "fraud", "--words", "No.", "--hide", "--by")
    with pytest.raises(CommandError):
        run(*words, moderator.email)  # nobody has reported it
    case_about(post, stranger)
    with pytest.raises(CommandError):
        run(*words, stranger.email)
    assert "Decided" in run(*words, moderator.email)
    sanctions = api.as_user(author).get("/api/social/sanctions").json()["items"]
    assert {one["action"] for one in sanctions} == {"warn", "hide"}
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 404
    with pytest.raises(CommandError):
        run(*words, moderator.email)  # decided
