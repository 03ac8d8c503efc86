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


class TooManyPixels(Invalid):
    code = "too_many_pixels"
    message = _("A picture may have at most %(most)s megapixels.")


class AnimatedImage(Invalid):
    code = "animated_image"
    message = _("Send a still picture; this one has several frames.")


class BrokenFile(Invalid):
    code = "broken_file"
    message = _("This file is damaged or empty and cannot be read.")


class StorageQuotaExceeded(Conflict):
    """`used` and `limit` are bytes."""

    code = "storage_quota_exceeded"
    message = _("With this your files would need more space than you have. Delete some first.")
    members = {"used": int, "limit": int}


BAD_FILE = (
    FileTooLarge,
    UnsupportedFileType,
    TooManyPixels,
    AnimatedImage,
    BrokenFile,
    RateLimited,
    StorageQuotaExceeded,
)
"""What an operation that takes files may say of them, and of how many came."""


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
