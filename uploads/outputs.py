"""What clients see of public pictures."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from core.api.outputs import Output, Url
from uploads.models import StoredFile
from uploads.selectors import media_url


class MediaCard(Output):
    """A public picture inside another answer."""

    id: UUID
    url: Url
    type: Annotated[str, Meta(description="The content type, such as `image/jpeg`.")]
    width: int | None
    height: int | None

    @classmethod
    def of_columns(cls, id: UUID, storage_name: str, content_type: str, width: int | None, height: int | None) -> Self:
        """From these columns in a row of a statement (`core.data.statements`)."""
        return cls(id=id, url=media_url(storage_name), type=content_type, width=width, height=height)

    @classmethod
    def of(cls, stored: StoredFile) -> Self:
        return cls(
            id=stored.pk,
            url=media_url(stored.storage_name),
            type=stored.content_type,
            width=stored.width,
            height=stored.height,
        )
