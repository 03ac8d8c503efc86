"""Parts of files, as players of videos ask for them; of public and of private ones."""

import random
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from PIL import Image

from core import clock
from core.crypto.pieces import PIECE
from core.testing import Api
from uploads.errors import RangeNotSatisfiable
from uploads.models import Visibility
from uploads.outputs import MediaCard
from uploads.ranges import asked_range
from uploads.services import read_file, store_image
from uploads.testing import kept, upload


@pytest.mark.parametrize(
    "header, part",
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=0-1000000", (0, 100)),
        ("bytes=40-", (40, 100)),
        ("bytes=-30", (70, 100)),
        ("bytes=-1000", (0, 100)),
        (" bytes=5-6 ", (5, 7)),
        ("", None),
        ("bytes=-", None),
        ("bytes=7-6", None),
        ("bytes=0-1,5-6", None),
        ("bytes=" + ",".join(["0-"] * 10_000), None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_what_a_header_asks_for(header: str, part: tuple[int, int] | None) -> None:
    assert asked_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_what_is_not_there_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        asked_range(header, 100)


def noise() -> Any:
    """A picture of more than half a megabyte."""
    out = BytesIO()
    Image.frombytes("RGB", (500, 500), random.Random(1).randbytes(750_000)).save(out, "PNG")
    return upload(out.getvalue())


@pytest.mark.django_db
@pytest.mark.parametrize("visibility", Visibility)
def test_files_are_served_in_parts(visibility: Visibility, client: Client, api: Api) -> None:
    file = noise()
    stored = kept(store_image(file, owner_id=uuid4(), purpose="post", now=clock.now(), visibility=visibility))
    content, address = read_file(stored), MediaCard.of(stored, clock.now()).url
    path = address.removeprefix("http://testserver")

    def ask(header: str, **headers: str) -> Any:
        answer: Any = client.get(path, headers={"range": header, **headers})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, body, answer.get("Content-Range")

    size = len(content)
    assert size > 2 * PIECE
    for start, end in ((0, 1), (10, PIECE + 10), (PIECE - 1, PIECE + 1), (PIECE, 2 * PIECE), (size - 5, size)):
        assert ask(f"bytes={start}-{end - 1}") == (206, content[start:end], f"bytes {start}-{end - 1}/{size}")
    assert ask("bytes=-3") == (206, content[-3:], f"bytes {size - 3}-{size - 1}/{size}")
    assert ask("bytes=0-1,3-4") == (200, content, None)
    assert ask("bytes=0-1", **{"if-range": '"x"'}) == (200, content, None)
    status, body, place = ask(f"bytes={size}-")
    assert (status, place) == (416, f"bytes */{size}") and b"range_not_satisfiable" in body
    head = client.head(path)
    assert (head.status_code, head["Content-Length"], head["Accept-Ranges"]) == (200, str(size), "bytes")
    if visibility == Visibility.PRIVATE:
        assert api.get(path, range="bytes=0-1").status_code == 206, "as the document says"
        assert "max-age=" in head["Cache-Control"] and "private" in head["Cache-Control"]
