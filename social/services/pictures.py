"""Pictures of groups and channels: each in a column of its own, replaced one by one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.api.names import to_camel
from uploads.models import StoredFile, Visibility
from uploads.services import delete_file, keep_files, store_image

Pictures = Mapping[str, StoredFile]
"""By the column: `cover_image`, `profile_image`, `banner`. In the store, and not saved yet."""


def store_pictures(
    files: Mapping[str, Any], *, owner_id: UUID, purpose: str, is_public: bool, now: datetime
) -> Pictures:
    """
    Take those that are given to the store, outside of any transaction.

    :param files: what was uploaded, by the column; None for none
    :param is_public: whether they have lasting addresses; others are sealed and opened by signed links
    """
    visibility = Visibility.PUBLIC if is_public else Visibility.PRIVATE
    return {
        column: store_image(
            file, owner_id=owner_id, purpose=purpose, now=now, field=to_camel(column), visibility=visibility
        )
        for column, file in files.items()
        if file is not None
    }


def put_up(place: Any, pictures: Pictures, *, now: datetime) -> None:
    """Save the pictures and set them in a group or channel, which the caller saves; those before are deleted."""
    keep_files(pictures.values())
    for column, picture in pictures.items():
        before = getattr(place, column)
        setattr(place, column, picture)
        if before is not None:
            delete_file(before, now=now)


def take_down(place: Any, *columns: str, now: datetime) -> None:
    """Delete the pictures of a group or channel that is being deleted."""
    for column in columns:
        picture = getattr(place, column)
        if picture is not None:
            delete_file(picture, now=now)
