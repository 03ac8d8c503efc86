"""The picture that a chat or a network shows for a shared profile (Open Graph, 1200 × 630)."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
_MARGIN = 90
_PHOTO = 300
_FONT = Path(__file__).parent / "fonts" / "DejaVuSans-Bold.ttf"
"""Ours, so that it looks the same everywhere; the one inside Pillow knows English letters only."""
_GROUND, _INK, _QUIET, _BRAND, _SOFT = "#f3f6f4", "#14211c", "#55685f", "#0b6e4f", "#d9eee4"


@dataclass(frozen=True, slots=True)
class Preview:
    name: str
    place: str = ""
    badges: tuple[str, ...] = ()
    photo: bytes | None = None


def draw(preview: Preview) -> bytes:
    """A PNG. Words in a script that our font does not have are left out: the page's title says them too."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, HEIGHT - 18, WIDTH, HEIGHT), fill=_BRAND)
    left = _MARGIN
    name = preview.name if _can_write(preview.name) else ""
    face = _round(preview.photo) if preview.photo else _initial(name)
    if face is not None:
        image.paste(face, (left, 120), face)
        left += _PHOTO + 60
    width = WIDTH - left - _MARGIN
    lines = _lines(name, width) if name else []
    place = _cut(preview.place, 32, width) if _can_write(preview.place) else ""
    tall = sum(round(size * 1.25) for _, size in lines) + 64 * bool(place) + 72 * bool(preview.badges)
    top = 120 + _PHOTO // 2 - tall // 2
    for line, size in lines:
        pen.text((left, top), line, font=_font(size), fill=_INK)
        top += round(size * 1.25)
    if place:
        pen.text((left, top + 8), place, font=_font(32), fill=_QUIET)
        top += 64
    _pin(pen, preview.badges, left, top + 12)
    _sign(pen)
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)


def _can_write(text: str) -> bool:
    unknown = bytes(_font(20).getmask("\uffff"))
    return all(letter.isspace() or bytes(_font(20).getmask(letter)) != unknown for letter in text)


def _lines(name: str, width: int) -> list[tuple[str, int]]:
    """The name in one line if it fits, else in two, as large as it can be."""
    for size in (76, 64):
        if _font(size).getlength(name) <= width:
            return [(name, size)]
    first, _, rest = name.partition(" ")
    return [(_cut(part, 60, width), 60) for part in (first, rest) if part]


def _cut(text: str, size: int, width: int) -> str:
    if _font(size).getlength(text) <= width:
        return text
    while text and _font(size).getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _round(photo: bytes) -> Image.Image:
    with Image.open(BytesIO(photo)) as source:
        side = min(source.size)
        left, top = (source.width - side) // 2, (source.height - side) // 2
        square = source.convert("RGB").crop((left, top, left + side, top + side))
    face = square.resize((_PHOTO, _PHOTO), Image.Resampling.LANCZOS).convert("RGBA")
    face.putalpha(_disc())
    return face


def _initial(name: str) -> Image.Image | None:
    if not name:
        return None
    face = Image.new("RGBA", (_PHOTO, _PHOTO), _BRAND)
    middle = (_PHOTO // 2, _PHOTO // 2)
    ImageDraw.Draw(face).text(middle, name[0].upper(), font=_font(140), fill="#ffffff", anchor="mm")
    face.putalpha(_disc())
    return face


def _disc() -> Image.Image:
    large = Image.new("L", (_PHOTO * 4, _PHOTO * 4), 0)
    ImageDraw.Draw(large).ellipse((0, 0, _PHOTO * 4 - 1, _PHOTO * 4 - 1), fill=255)
    return large.resize((_PHOTO, _PHOTO), Image.Resampling.LANCZOS)


def _pin(pen: ImageDraw.ImageDraw, badges: tuple[str, ...], left: float, top: int) -> None:
    """The badges in a row, as many as fit."""
    for badge in badges:
        wide = pen.textlength(badge, font=_font(28)) + 48
        if left + wide > WIDTH - _MARGIN:
            break
        pen.rounded_rectangle((left, top, left + wide, top + 56), radius=28, fill=_SOFT)
        pen.text((left + 24, top + 28), badge, font=_font(28), fill=_BRAND, anchor="lm")
        left += wide + 16


def _sign(pen: ImageDraw.ImageDraw) -> None:
    base = HEIGHT - 82
    pen.text((_MARGIN, base), "VECTRA", font=_font(40), fill=_INK, anchor="ls")
    pen.text(
        (_MARGIN + pen.textlength("VECTRA", font=_font(40)), base), "Grow", font=_font(40), fill=_BRAND, anchor="ls"
    )
