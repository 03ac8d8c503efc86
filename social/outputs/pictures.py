"""Addresses of the pictures of groups and channels."""

from datetime import datetime
from typing import Any
from uuid import UUID

from uploads.models import Visibility
from uploads.selectors import media_url
from uploads.services.links import media_link


def picture_url(row: Any, which: str, now: datetime) -> str | None:
    """
    :param row: with the columns `<which>_id`, `<which>_name` and `<which>_visibility` of a stored file, null for none
    """
    file_id: UUID | None = getattr(row, f"{which}_id")
    if file_id is None:
        return None
    if getattr(row, f"{which}_visibility") == Visibility.PRIVATE:
        return media_link(file_id, now=now).url
    return media_url(getattr(row, f"{which}_name"))
