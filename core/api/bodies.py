"""
How large a body may be: 1 MB, or more for a form with files at an operation that takes them (`largest_form`), from
somebody who may call it (SECURITY-GOALS 40).

A large body is read only when that is known. `vectragrow.server` first runs the request without it (`Unread`), and
reads it if the application wants it; the server of separate processes leaves it on the connection until a view reads
it.
"""

from typing import Any

from django.conf import settings

from core.api.errors import TooLarge

KEY = "vectragrow.unread_body"


class Unread:
    """Takes the place, in the WSGI environment under KEY, of a body that the server has not read yet."""

    wanted = 0
    """How many bytes it may have; 0 if it is not wanted."""


def will_come_again(request: Any) -> bool:
    """Whether this run was only the check: the body is wanted, and the request will be run again with it."""
    unread = request.META.get(KEY)
    return unread is not None and unread.wanted > 0


def is_form(content_type: str) -> bool:
    """Whether a body of this type may hold files."""
    return content_type.lower().startswith("multipart/form-data")


def length_of(request: Any) -> int:
    declared = str(request.META.get("CONTENT_LENGTH") or "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def is_small(request: Any) -> bool:
    return length_of(request) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def check_size(request: Any, *, largest_form: int) -> None:
    """
    Called after the permission checks.

    :param largest_form: bytes of a form with files that the operation takes; 0 if it takes none
    :raises TooLarge: the body is larger than this operation takes, or is not read yet; then it is wanted now
    """
    if is_small(request):
        return
    if is_form(request.META.get("CONTENT_TYPE", "")) and length_of(request) <= largest_form:
        unread = request.META.get(KEY)
        if unread is None:
            return
        unread.wanted = largest_form
    raise TooLarge()
