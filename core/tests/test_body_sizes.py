"""How large a body may be depends on what the operation takes; a large one is asked for only then."""

from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from core.api import bodies
from core.api.errors import TooLarge
from core.api.operations import operation

FORM = "multipart/form-data; boundary=b"
SMALL, FILES, VIDEO = (
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    settings.UPLOAD_MAX_BODY_SIZE,
    settings.UPLOAD_MAX_VIDEO_BODY_SIZE,
)


def largest_form(**options: Any) -> int:
    @operation("doThing", **options)
    def handler(view: Any, request: Any) -> None:
        """Do"""

    return handler.operation.largest_form  # type: ignore[attr-defined]


def test_only_operations_that_take_video_take_so_much() -> None:
    assert [largest_form(), largest_form(multipart=True), largest_form(takes_video=True)] == [0, FILES, VIDEO]
    assert SMALL < FILES < 100 * 1024 * 1024 < VIDEO


@pytest.mark.parametrize(
    "largest, length, content_type, is_taken",
    [
        (0, SMALL, "application/json", True),
        (0, SMALL + 1, FORM, False),
        (FILES, FILES, FORM, True),
        (FILES, FILES + 1, FORM, False),
        (VIDEO, FILES + 1, FORM, True),
        (VIDEO, VIDEO, FORM, True),
        (VIDEO, VIDEO + 1, FORM, False),
        (VIDEO, SMALL + 1, "application/json", False),
    ],
)
def test_bodies_are_taken_up_to_the_limit(largest: int, length: int, content_type: str, is_taken: bool) -> None:
    def ask(**environ: Any) -> None:
        request = RequestFactory().generic("POST", "/", b"x", content_type, CONTENT_LENGTH=str(length), **environ)
        bodies.check_size(request, largest_form=largest)

    if is_taken:
        ask()
    else:
        with pytest.raises(TooLarge):
            ask()
    unread: Any = bodies.Unread()
    if length > SMALL:
        with pytest.raises(TooLarge):
            ask(**{bodies.KEY: unread})
        assert unread.wanted == (largest if is_taken else 0)
