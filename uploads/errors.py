"""Why a file is not taken, and why a link does not open. `field` names the part of the form, such as `documents.1`."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict, Invalid, NotFound, Refusal, TooLarge, UnsupportedMedia
from core.api.limits import RateLimited


class FileTooLarge(Invalid):
    status = TooLarge.status
    title = TooLarge.title
    code = "file_too_large"
    message = _("A file may have at most %(most)s MB.")


class UnsupportedFileType(Invalid):
    status = UnsupportedMedia.status
    title = UnsupportedMedia.title
    code = "unsupported_file_type"
    message = _("This file is not one of: %(allowed)s. What counts is its content, not its name.")


class HeicNotSupported(UnsupportedFileType):
    code = "heic_not_supported"
    message = _(
        "Pictures in HEIC and AVIF are not taken, since many programs cannot show them. Send a JPEG: on an iPhone "
        "choose Settings, Camera, Formats, Most Compatible."
    )


class TooManyPixels(Invalid):
    code = "too_many_pixels"
    message = _("A picture may have at most %(most)s megapixels.")


class AnimatedImage(Invalid):
    code = "animated_image"
    message = _("Send a still picture; this one has several frames.")


class BrokenFile(Invalid):
    code = "broken_file"
    message = _("This file is damaged or empty and cannot be read.")


class VideoNotSupported(Invalid):
    status = UnsupportedMedia.status
    title = UnsupportedMedia.title
    code = "video_not_supported"
    message = _("Videos are not taken here; send a picture.")


class UnsupportedVideo(Invalid):
    status = UnsupportedMedia.status
    title = UnsupportedMedia.title
    code = "unsupported_video"
    message = _(
        "Send an MP4 or MOV with H.264 and AAC, or a WebM with VP8, VP9 or AV1 and Opus or Vorbis. What counts is the "
        "content, not the name."
    )


class HevcNotSupported(UnsupportedVideo):
    code = "hevc_not_supported"
    message = _(
        "Videos in HEVC (H.265) are not taken, since many browsers cannot play them. Send H.264: on an iPhone choose "
        "Settings, Camera, Formats, Most Compatible."
    )


class VideoTooLong(Invalid):
    code = "video_too_long"
    message = _("A video may have at most %(most)s seconds here.")
    members = {"most": int}


class TooManyVideoPixels(Invalid):
    code = "too_many_video_pixels"
    message = _("A video may have at most %(longest)s × %(shortest)s pixels.")


class StorageQuotaExceeded(Conflict):
    """`used` and `limit` are bytes."""

    code = "storage_quota_exceeded"
    message = _("With this your files would need more space than you have. Delete some first.")
    members = {"used": int, "limit": int}


BAD_FILE = (
    FileTooLarge,
    UnsupportedFileType,
    HeicNotSupported,
    TooManyPixels,
    AnimatedImage,
    BrokenFile,
    RateLimited,
    StorageQuotaExceeded,
)
"""What an operation that takes files may say of them, and of how many came."""
BAD_VIDEO = (*BAD_FILE, VideoNotSupported, UnsupportedVideo, HevcNotSupported, VideoTooLong, TooManyVideoPixels)
"""The same, of an operation that takes a picture or a video."""


class LinkNotValid(NotFound):
    code = "link_not_valid"
    message = _("This link has ended or was made for someone else. Ask for a new one.")


class RangeNotSatisfiable(Refusal):
    """416: the file ends before the range that was asked for begins."""

    status = 416
    code = "range_not_satisfiable"
    title = _("Range not satisfiable")
    message = _("The file has %(size)s bytes.")

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Range": f"bytes */{self.facts['size']}"}
