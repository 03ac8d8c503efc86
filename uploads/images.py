"""
Pictures are checked from the header before anything is decoded, then decoded and encoded again.

Only the pixels are kept. EXIF (with its place), XMP, ICC, comments, thumbnails and anything that was appended or hidden
between the markers are removed; the EXIF orientation is applied first.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any, cast

from PIL import Image, ImageFilter, ImageOps, ImageStat

from uploads.drawing import on_picture_thread
from uploads.errors import AnimatedImage, BrokenFile, TooManyPixels
from uploads.thumbhash import thumbhash

MEGAPIXELS = 25
SMALL = 500_000
"""Pixels up to which a picture costs so little that it needs no thread of its own."""
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
"""Of HEIC and AVIF, whose container is that of MP4."""
_SAVE: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88, "progressive": True},
    "PNG": {"compress_level": 6},
    "WEBP": {"quality": 86, "method": 3},
}
_WEBP_SIDE = 16_383
"""Pixels of a side that the format can have."""
_MAX_SCANS = 40
"""Scans of a progressive JPEG (usual: 10). Each costs a pass over all pixels, so thousands would be a slow bomb."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    content_type: str
    width: int | None
    height: int | None


def is_heif(head: bytes) -> bool:
    """Whether a file is a picture in HEIC or AVIF, by its first twelve bytes."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS


def redraw(
    content: bytes, content_type: str, *, field: str = "", longest_side: int | None = None, is_evidence: bool = False
) -> Picture:
    """
    Decode and encode a JPEG, PNG or WebP again, in the same format and without metadata.

    :param longest_side: scale down to this many pixels; never up
    :param is_evidence: keep what a careful reader could see, at the price of a larger file
    :raises TooManyPixels: before decoding
    :raises AnimatedImage: before decoding
    :raises BrokenFile: it does not decode
    :raises Overloaded: too many large pictures are being worked on
    """
    kind = FORMATS[content_type]
    options = _SAVE[kind] | (_evidence(content, kind) if is_evidence else {})
    with _complaints(field):
        image = _open(content, kind, field)
        if image.width * image.height <= SMALL:
            return _redrawn(image, content_type, longest_side, options)
    return on_picture_thread(partial(_redraw_large, content, content_type, field, longest_side, options))


def _redraw_large(
    content: bytes, content_type: str, field: str, longest_side: int | None, options: dict[str, Any]
) -> Picture:
    with _complaints(field):
        return _redrawn(_open(content, FORMATS[content_type], field), content_type, longest_side, options)


def _redrawn(image: Image.Image, content_type: str, longest_side: int | None, options: dict[str, Any]) -> Picture:
    kind = FORMATS[content_type]
    if longest_side:
        image.draft(None, (longest_side, longest_side))  # a JPEG is decoded at half, a quarter or an eighth of its size
    image.load()
    image = _upright(image, kind)
    if longest_side and max(image.size) > longest_side:
        image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    return _encoded(image, content_type, options)


def _encoded(image: Image.Image, content_type: str, options: dict[str, Any]) -> Picture:
    # Into a real file: only then Pillow lets other threads run while it encodes.
    with TemporaryFile() as out:
        image.save(out, format=FORMATS[content_type], **options)
        out.seek(0)
        return Picture(out.read(), content_type, image.width, image.height)


@dataclass(frozen=True, slots=True)
class Sizes:
    pictures: list[Picture]
    """WebP, the largest first."""
    placeholder: str
    """See `uploads.thumbhash`."""


def sizes_of(content: bytes, content_type: str, widths: Iterable[int]) -> Sizes:
    """
    A picture that was redrawn before in these widths (pixels), none larger than itself, and its placeholder.

    :raises BrokenFile: it does not decode
    :raises Overloaded: too many large pictures are being worked on
    """
    return on_picture_thread(partial(_sizes_of, content, content_type, sorted(widths, reverse=True)))


def _sizes_of(content: bytes, content_type: str, widths: Sequence[int]) -> Sizes:
    with _complaints(""):
        image = _open(content, FORMATS[content_type], "")
        full_width, full_height = image.size
        image.draft(None, (widths[0], full_height * widths[0] // full_width + 1))
        image.load()
        pictures = []
        for width in (width for width in widths if width <= full_width):
            height = max(1, round(full_height * width / full_width))
            if height > _WEBP_SIDE:
                continue
            image = image.resize((width, height), Image.Resampling.LANCZOS)  # the next is smaller: each from the last
            pictures.append(_encoded(image, "image/webp", _SAVE["WEBP"]))
        return Sizes(pictures, thumbhash(image))


def _evidence(content: bytes, kind: str) -> dict[str, Any]:
    """Encode evidence without visible loss: small print stays as sharp as it was sent."""
    if kind == "WEBP":
        is_lossless = b"VP8L" in content[:64]
        return {"lossless": True, "quality": 50, "method": 1} if is_lossless else {"quality": 96}
    return {"quality": 96, "subsampling": 0} if kind == "JPEG" else {}


@contextmanager
def _complaints(field: str) -> Iterator[None]:
    """Turn the errors of Pillow's decoders into our refusals."""
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
    if kind == "JPEG":
        content = _without_tail(content, field)
    image = Image.open(BytesIO(content), formats=[kind])
    if image.width * image.height > MEGAPIXELS * 1_000_000:
        raise TooManyPixels(field=field, most=MEGAPIXELS)
    # A phone's JPEG may carry a second picture (MPO: depth, preview); it is left behind like other metadata.
    if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise AnimatedImage(field=field)
    return image


def _upright(image: Image.Image, kind: str) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    image = _in_eight_bits(image)
    mode = "L" if image.mode in ("1", "L") else "RGB"
    if kind != "JPEG" and image.has_transparency_data:
        mode = "RGBA"
    clean = image.convert(mode) if image.mode != mode else image.copy()
    clean.info = {}
    return clean


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """
    Grey values of 16 bits, as scanners write them, scaled to the 8 that are shown; `convert` would cut everything above
    255 off and leave a white sheet. A scanner of 12 bits or less fills the lower part only, which is scaled alike.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    _, highest = cast(tuple[float, float], image.getextrema())
    bits = max(8, int(highest).bit_length())
    bits = bits if bits <= 12 else max(16, bits)
    image.info.pop("transparency", None)  # a grey value of 16 bits, which means nothing any more
    factor = 255 / (2**bits - 1)
    return image.point(lambda value: value * factor + 0.5).convert("L")


_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8), _START}


def _without_tail(content: bytes, field: str) -> bytes:
    """
    A JPEG up to its end. Phones put a video behind the picture (a motion photo), or a second picture.

    :raises BrokenFile: it has too many scans
    """
    position, scans = 0, 0
    while found := _MARKER.search(content, position):
        marker, position = found[1][0], found.end()
        if marker == _END:
            return content[:position]
        if marker in _WITHOUT_LENGTH:
            continue
        scans += marker == _SCAN
        if scans > _MAX_SCANS:
            raise BrokenFile(field=field)
        position += int.from_bytes(content[position : position + 2])
    return content


def sharpness(content: bytes) -> float:
    """
    How much fine detail a picture has: the variance of its Laplacian at 800 pixels, 0 for a flat surface.

    A readable photo of a document is far above 100; one that is out of focus falls below 40.

    :raises Overloaded: too many large pictures are being worked on
    """
    return on_picture_thread(partial(_sharpness, content))


def _sharpness(content: bytes) -> float:
    with Image.open(BytesIO(content)) as image:
        grey = _in_eight_bits(image).convert("L")
        grey.thumbnail((800, 800), Image.Resampling.BILINEAR)
        edges = grey.filter(ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128))
        inside = edges.crop((1, 1, edges.width - 1, edges.height - 1))  # the filter leaves the border as it was
        return round(float(ImageStat.Stat(inside).var[0]), 1)
