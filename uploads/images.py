"""
Pictures in, clean pictures out: checked from the header before anything is decoded, then drawn anew.

What leaves here is pixels only. EXIF (with its place), XMP, ICC, comments, thumbnails and anything that was appended
or hidden between the markers stay behind; the EXIF orientation is applied first.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

from PIL import Image, ImageFilter, ImageOps, ImageStat

from uploads.drawing import on_picture_thread
from uploads.errors import AnimatedImage, BrokenFile, TooManyPixels

MEGAPIXELS = 25
SMALL = 500_000
"""Pixels up to which a picture costs so little that it needs no thread of its own."""
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_SAVE: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88, "progressive": True},
    "PNG": {"compress_level": 6},
    "WEBP": {"quality": 86, "method": 3},
}
_MOST_SCANS = 40
"""Scans of a progressive JPEG (usual: 10). Each costs a pass over all pixels, so thousands would be a slow bomb."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    content_type: str
    width: int
    height: int


def redraw(content: bytes, content_type: str, *, field: str = "", longest_side: int | None = None) -> Picture:
    """
    Decode and encode a JPEG, PNG or WebP again, in the same format and without metadata.

    :param longest_side: scale down to this many pixels; never up
    :raises TooManyPixels: before decoding
    :raises AnimatedImage: before decoding
    :raises BrokenFile: it does not decode
    :raises Overloaded: too many large pictures are being worked on
    """
    kind = FORMATS[content_type]
    with _complaints(field):
        image = _open(content, kind, field)
        if image.width * image.height <= SMALL:
            return _redrawn(image, kind, content_type, longest_side)
    return on_picture_thread(partial(_redraw_large, content, kind, content_type, field, longest_side))


def _redraw_large(content: bytes, kind: str, content_type: str, field: str, longest_side: int | None) -> Picture:
    with _complaints(field):
        return _redrawn(_open(content, kind, field), kind, content_type, longest_side)


def _redrawn(image: Image.Image, kind: str, content_type: str, longest_side: int | None) -> Picture:
    if longest_side:
        image.draft(None, (longest_side, longest_side))  # a JPEG is decoded at half, a quarter or an eighth of its size
    image.load()
    image = _upright(image, kind)
    if longest_side and max(image.size) > longest_side:
        image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    # Into a real file: only then Pillow lets other threads run while it encodes.
    with TemporaryFile() as out:
        image.save(out, format=kind, **_SAVE[kind])
        out.seek(0)
        return Picture(out.read(), content_type, image.width, image.height)


@contextmanager
def _complaints(field: str) -> Iterator[None]:
    """Pillow's decoders complain in many ways; here they become ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError:
        raise TooManyPixels(field=field, most=MEGAPIXELS) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, ArithmeticError, MemoryError):
        raise BrokenFile(field=field) from None


def _open(content: bytes, kind: str, field: str) -> Image.Image:
    """Read the header with the one decoder that the content asked for, and judge it."""
    if kind == "JPEG" and content.count(b"\xff\xda") > _MOST_SCANS:
        raise BrokenFile(field=field)
    image = Image.open(BytesIO(content), formats=[kind])
    if image.width * image.height > MEGAPIXELS * 1_000_000:
        raise TooManyPixels(field=field, most=MEGAPIXELS)
    # A phone's JPEG may carry a second picture (MPO: depth, preview); it is left behind like other metadata.
    if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise AnimatedImage(field=field)
    return image


def _upright(image: Image.Image, kind: str) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    mode = "L" if image.mode in ("1", "L") else "RGB"
    if kind != "JPEG" and image.has_transparency_data:
        mode = "RGBA"
    clean = image.convert(mode) if image.mode != mode else image.copy()
    clean.info = {}
    return clean


def sharpness(content: bytes) -> float:
    """
    How much fine detail a picture has: the variance of its Laplacian at 800 pixels, 0 for a flat surface.

    A readable photo of a document is far above 100; one that is out of focus falls below 40.

    :raises Overloaded: too many large pictures are being worked on
    """
    return on_picture_thread(partial(_sharpness, content))


def _sharpness(content: bytes) -> float:
    with Image.open(BytesIO(content)) as image:
        grey = image.convert("L")
        grey.thumbnail((800, 800), Image.Resampling.BILINEAR)
        edges = grey.filter(ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128))
        inside = edges.crop((1, 1, edges.width - 1, edges.height - 1))  # the filter leaves the border as it was
        return round(float(ImageStat.Stat(inside).var[0]), 1)
