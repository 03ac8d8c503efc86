"""
Pictures in, clean pictures out: checked from the header before anything is decoded, then drawn anew.

What leaves here is pixels only. EXIF (with its place), XMP, ICC, comments, thumbnails and anything that was appended
or hidden between the markers stay behind; the EXIF orientation is applied first.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageFilter, ImageOps, ImageStat

from uploads.errors import AnimatedImage, BrokenFile, TooManyPixels

MEGAPIXELS = 25
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
    """
    kind = FORMATS[content_type]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _open(content, kind, field)
            image.load()
            image = _upright(image, kind)
            if longest_side and max(image.size) > longest_side:
                image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
            out = BytesIO()
            image.save(out, format=kind, **_SAVE[kind])
    except Image.DecompressionBombError:
        raise TooManyPixels(field=field, most=MEGAPIXELS) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, ArithmeticError, MemoryError):
        raise BrokenFile(field=field) from None  # Pillow's decoders complain in all of these ways
    return Picture(out.getvalue(), content_type, image.width, image.height)


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
    turned = ImageOps.exif_transpose(image)
    mode = "L" if turned.mode in ("1", "L") else "RGB"
    if kind != "JPEG" and turned.has_transparency_data:
        mode = "RGBA"
    clean = turned.convert(mode) if turned.mode != mode else turned.copy()
    clean.info = {}
    return clean


def sharpness(content: bytes) -> float:
    """
    How much fine detail a picture has: the variance of its Laplacian at 800 pixels, 0 for a flat surface.

    A readable photo of a document is far above 100; one that is out of focus falls below 40.
    """
    with Image.open(BytesIO(content)) as image:
        grey = image.convert("L")
        grey.thumbnail((800, 800), Image.Resampling.BILINEAR)
        edges = grey.filter(ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128))
        inside = edges.crop((1, 1, edges.width - 1, edges.height - 1))  # the filter leaves the border as it was
        return round(float(ImageStat.Stat(inside).var[0]), 1)
