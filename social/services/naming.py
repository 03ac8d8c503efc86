"""Names of groups and channels, no two of which look alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction

from social.errors import NameTaken
from social.names import capital_form, small_form

_KEYS = ("name_key", "capitals_key")


def set_name(place: Any, name: str, *, is_compared: bool = True) -> None:
    """
    Name a group or a channel that is going to be saved in `unlike_others`.

    :param is_compared: False for a secret group, whose name may be like another and keeps nobody from taking it
    """
    place.name = name
    place.name_key = small_form(name) if is_compared else None
    place.capitals_key = capital_form(name) if is_compared else None


@contextmanager
def unlike_others() -> Iterator[None]:
    """Around the saving of a name. :raises NameTaken: one that looks like it is there; the database decides"""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if any(key in str(error) for key in _KEYS):
            raise NameTaken() from None
        raise
