"""Automatic checks of a picture of a paper. They give no verdict: reviewers decide."""

from typing import Any

from PIL import Image

from uploads.images import sharpness
from uploads.models import StoredFile

SHORTEST_SIDE = 600
"""Pixels below which small print is no longer readable."""
LEAST_DETAIL = 40.0
"""See `uploads.images.sharpness`."""


def checks_of(stored: StoredFile, sent: Any) -> dict[str, str]:
    """`{"resolution": …, "sharpness": …}` for a picture, nothing for a PDF."""
    if not stored.is_image or not stored.width or not stored.height:
        return {}
    sent.seek(0)
    try:
        is_sharp = sharpness(sent.read()) >= LEAST_DETAIL
    except (OSError, ValueError, Image.DecompressionBombError):  # accepted on upload: only measuring failed
        return {"resolution": _verdict(min(stored.width, stored.height) >= SHORTEST_SIDE)}
    return {
        "resolution": _verdict(min(stored.width, stored.height) >= SHORTEST_SIDE),
        "sharpness": _verdict(is_sharp),
    }


def _verdict(passed: bool) -> str:
    return "passed" if passed else "failed"
