"""What clients see of pictures and videos."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from core.api.outputs import Output, Url
from uploads.models import Rendition, State, StoredFile
from uploads.selectors import media_url
from uploads.services.links import media_link


class RenditionRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A rendition in the view `uploads_media`."""

    id: UUID
    kind: str
    storage_name: str
    width: int
    height: int
    is_public: bool


class MediaRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A file in the view `uploads_media`."""

    id: UUID
    storage_name: str
    content_type: str
    width: int | None
    height: int | None
    is_public: bool
    """As `StoredFile.is_public`; otherwise it is opened by links."""
    state: str
    placeholder: str
    duration_ms: int | None
    alt: str
    renditions: list[RenditionRow] | None


class MediaSize(Output):
    width: int
    height: int
    url: Url


class MediaCard(Output):
    """A picture or a video inside another answer."""

    id: UUID
    url: Annotated[
        Url,
        Meta(
            description="Lasting if the file is public. Otherwise it opens for 15 to 30 minutes for whoever holds it; "
            "read the answer again for a new one. A video's leads nowhere while it is `processing`."
        ),
    ]
    kind: Literal["image", "video"]
    type: Annotated[str, Meta(description="The content type, such as `image/jpeg`.")]
    width: int | None
    height: int | None
    alt: Annotated[str | None, Meta(description="What is to be seen, in words.")]
    processing: Annotated[
        bool,
        Meta(description="`sizes`, `poster` and `placeholder` are still being made; of a video also what `url` opens."),
    ]
    failed: Annotated[bool, Meta(description="A video that cannot be shown.")]
    placeholder: Annotated[
        str | None,
        Meta(
            description="A ThumbHash (https://evanw.github.io/thumbhash/) in base64: about 25 bytes from which a "
            "blurred picture is drawn until the real one has arrived."
        ),
    ]
    sizes: Annotated[
        list[MediaSize],
        Meta(description="The picture in WebP, 320, 640, 1280 and 1920 pixels wide, as far as it is not smaller."),
    ]
    poster: Annotated[Url | None, Meta(description="A still of a video, in WebP.")]
    duration_seconds: Annotated[float | None, Meta(description="Of a video.")]

    @classmethod
    def of(cls, stored: StoredFile, now: datetime) -> Self:
        """From a file of `with_renditions()`, or from one that was just stored. Does not query."""
        is_new = stored.state == State.PROCESSING
        return cls.of_row(
            MediaRow(
                id=stored.pk,
                storage_name=stored.storage_name,
                content_type=stored.content_type,
                width=stored.width,
                height=stored.height,
                is_public=stored.is_public,
                state=stored.state,
                placeholder=stored.placeholder,
                duration_ms=stored.duration_ms,
                alt=stored.alt,
                renditions=[] if is_new else [_rendition_row(one, stored) for one in stored.renditions.all()],
            ),
            now,
        )

    @classmethod
    def of_row(cls, row: MediaRow, now: datetime, until: datetime | None = None) -> Self:
        """
        From a row of the view `uploads_media`.

        :param until: when links end at the latest
        """
        renditions, is_video = row.renditions or [], row.content_type.startswith("video/")
        posters = [_rendition_url(row, one, now, until) for one in renditions if one.kind == Rendition.Kind.POSTER]
        return cls(
            id=row.id,
            url=media_url(row.storage_name) if row.is_public else media_link(row.id, now=now, until=until).url,
            kind="video" if is_video else "image",
            type=row.content_type,
            width=row.width,
            height=row.height,
            alt=row.alt or None,
            processing=row.state == State.PROCESSING,
            failed=row.state == State.FAILED and is_video,
            placeholder=row.placeholder or None,
            sizes=[
                MediaSize(width=one.width, height=one.height, url=_rendition_url(row, one, now, until))
                for one in renditions
                if one.kind == Rendition.Kind.SIZE
            ],
            poster=posters[0] if posters else None,
            duration_seconds=None if row.duration_ms is None else row.duration_ms / 1000,
        )


def media_cards(rows: str | None, now: datetime, until: datetime | None = None) -> list[MediaCard]:
    """
    The cards of the files that a statement gives in one column, without a query for each:

        (SELECT json_agg(u.media ORDER BY m.position)::text
           FROM app_media m JOIN uploads_media u ON u.file_id = m.file_id WHERE m.post_id = p.id) AS media

    :param rows: that column; None for no file
    :param until: when links end at the latest
    """
    return [MediaCard.of_row(row, now, until) for row in _rows.decode(rows)] if rows else []


_rows = msgspec.json.Decoder(list[MediaRow])


def _rendition_row(one: Rendition, stored: StoredFile) -> RenditionRow:
    return RenditionRow(
        id=one.pk,
        kind=one.kind,
        storage_name=one.storage_name,
        width=one.width or 0,
        height=one.height or 0,
        is_public=not stored.is_private and not one.is_sealed,
    )


def _rendition_url(row: MediaRow, one: RenditionRow, now: datetime, until: datetime | None) -> str:
    if one.is_public:
        return media_url(one.storage_name)
    return media_link(row.id, rendition_id=one.id, now=now, until=until).url
