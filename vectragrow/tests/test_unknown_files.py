"""A file under a name that an operation does not know is refused by every operation, never dropped silently."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import draft_fields, make_campaign
from chat.models import Conversation
from core.testing import Api
from uploads.models import StoredFile
from uploads.testing import picture


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


def refusal(answer: Any) -> tuple[int, str, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["names"], body["errors"][0]["field"]


@pytest.mark.parametrize("name", ["media[]", "file", "Media", "media[x]", "title", "media.0"])
def test_a_campaign_is_not_made_without_the_pictures_that_were_sent(api: Api, founder: User, name: str) -> None:
    sent = {**draft_fields(), name: picture()}
    assert refusal(api.as_user(founder).upload("/api/campaigns", sent)) == (400, "unknown_file", "media", name)
    assert not Campaign.objects.exists()
    assert not StoredFile.objects.exists()


def test_names_that_are_known_are_taken(api: Api, founder: User) -> None:
    client = api.as_user(founder)
    for parts in ({"media": [picture(), picture(seed=1)]}, {"media[0]": picture(), "media[1]": picture(seed=1)}):
        made = client.upload("/api/campaigns", {**draft_fields(), **parts})
        assert (made.status_code, len(made.json()["media"])) == (201, 2)
    mixed = client.upload("/api/campaigns", {**draft_fields(), "media": picture(), "media[1]": picture(seed=1)})
    assert refusal(mixed) == (400, "unknown_file", "media", "media[1]")


def test_a_change_names_them_too(api: Api, founder: User) -> None:
    address = f"/api/campaigns/{make_campaign(founder, status='draft').pk}"
    for name in ("media[]", "media[0]", "picture"):
        refused = api.as_user(founder).upload(address, {"title": "Another", name: picture()}, method="put")
        assert refusal(refused) == (400, "unknown_file", "media", name)
    assert api.as_user(founder).upload(address, {"media": picture()}, method="put").status_code == 200


def test_photo_and_cover(api: Api, person: Callable[..., User]) -> None:
    client = api.as_user(person("ada"))
    for here, other in (("photo", "cover"), ("cover", "photo")):
        refused = client.upload(f"/api/profile/{here}", {here: picture(), other: picture()})
        assert refusal(refused) == (400, "unknown_file", here, other)


def test_a_message(api: Api, founder: User, person: Callable[..., User]) -> None:
    client = api.as_user(founder)
    body = {"participants": [str(person("backer").pk)], "type": "direct"}
    talk = client.post("/api/chat/conversations", body).json()["id"]
    address = f"/api/chat/conversations/{talk}/messages"
    assert refusal(client.upload(address, {"content": "see", "file": picture()})) == (
        400,
        "unknown_file",
        "media",
        "file",
    )
    assert Conversation.objects.get().last_seq == 0


def test_an_operation_without_files(api: Api) -> None:
    sent = {"email": "a@example.com", "password": "x", "photo": picture()}
    assert refusal(api.upload("/api/auth/login", sent)) == (400, "unknown_file", "none", "photo")
