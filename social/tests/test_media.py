"""Pictures and videos of posts: five of the ones or one of the others, all of them or none."""

from typing import Any

import pytest
from django.core.files.storage import storages

from accounts.models import User
from core.testing import Api, drain_outbox
from social.models import Post, PostMedia
from uploads.models import StoredFile
from uploads.testing import paper, picture, upload, video, video_bytes

POSTS = "/api/social/posts"


def publish(client: Api, *media: Any, **fields: Any) -> Any:
    return client.upload(POSTS, {"media": list(media), **fields})


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what leaves the public store."""
    names: list[str] = []
    store, delete = storages["default"], storages["default"].delete

    def note(name: str) -> None:
        names.append(name)
        delete(name)

    monkeypatch.setattr(store, "delete", note)
    return names


def test_five_pictures_are_shown_when_they_are_ready(api: Api, author: User) -> None:
    me = api.as_user(author)
    made = publish(me, *(picture(seed=n) for n in range(5)), mediaAlt=["First", "", "Third"])
    assert made.status_code == 201
    shown = made.json()["media"]
    assert [(one["kind"], one["alt"], one["processing"]) for one in shown] == [
        ("image", alt, True) for alt in ("First", None, "Third", None, None)
    ]
    drain_outbox()
    ready = me.get(f"{POSTS}/{made.json()['id']}").json()["media"]
    assert [one["processing"] for one in ready] == [False] * 5
    assert all(one["sizes"] and one["placeholder"] for one in ready)


def test_one_video(api: Api, author: User) -> None:
    made = publish(api.as_user(author), video(), visibility="followers")
    (shown,) = made.json()["media"]
    assert (shown["kind"], shown["processing"]) == ("video", True)


@pytest.mark.parametrize(
    ("media", "status", "code"),
    [
        ([video, picture], 400, "one_video_or_pictures"),
        ([video, video], 400, "one_video_or_pictures"),
        ([picture] * 6, 400, "max_length"),
        ([picture, lambda: upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.png", "image/png")], 415, None),
        ([picture, lambda: upload(b"", "x.png", "image/png")], 400, None),
        ([picture, paper], 415, "unsupported_file_type"),
        ([picture, lambda: upload(b"\0\0\0\x18ftypheic" + b"\0" * 100, "IMG_1.HEIC")], 415, "heic_not_supported"),
        ([picture, lambda: upload(picture().read()[:2000], "x.jpg", "image/jpeg")], 400, "broken_file"),
    ],
)
def test_one_bad_file_and_nothing_is_kept(
    api: Api, author: User, media: Any, status: int, code: str | None, deleted: list[str]
) -> None:
    refused = publish(api.as_user(author), *(make() for make in media), content="Look")
    assert refused.status_code == status
    if code:
        assert refused.json()["errors"][0]["code"] == code
    drain_outbox()
    assert not Post.objects.exists()
    assert not StoredFile.objects.exists()
    if status == 415 or code == "broken_file":
        assert len(deleted) == 1


def test_what_a_phone_may_send_is_named_in_the_refusal(api: Api, author: User) -> None:
    me = api.as_user(author)
    refused = publish(me, upload(video_bytes(codec="libx265"), "IMG_1.MOV"))
    assert (refused.status_code, refused.json()["code"]) == (415, "hevc_not_supported")
    refused = publish(me, upload(b"RIFF\0\0\0\0AVI LIST" + b"\0" * 100, "clip.avi"))
    assert "MP4" in refused.json()["detail"]
    taken = publish(me, upload(picture().read(), "IMG_1.jpg", "image/jpg"))
    assert taken.status_code == 201


def test_pictures_go_with_their_post(api: Api, author: User, deleted: list[str]) -> None:
    me = api.as_user(author)
    made = publish(me, picture(), picture("PNG")).json()
    assert me.delete(f"{POSTS}/{made['id']}").status_code == 200
    drain_outbox()
    assert not PostMedia.objects.exists()
    assert not StoredFile.objects.filter(deleted_at__isnull=True).exists()
    assert len(deleted) >= 2
