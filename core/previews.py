"""The picture that a chat or a network shows for a page that is shared (Open Graph, 1200 × 630)."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
_MARGIN = 90
_PHOTO = 300
_MIDDLE = 270
"""Where the middle of the photo and of the words is, in pixels from the top."""
_FONT = Path(__file__).parent / "fonts" / "DejaVuSans-Bold.ttf"
"""Ours, so that it looks the same everywhere; the one inside Pillow knows English letters only."""
_GROUND, _INK, _QUIET, _BRAND, _SOFT = "#f3f6f4", "#14211c", "#55685f", "#0b6e4f", "#d9eee4"
_SIZES = ((76, 1), (64, 1), (60, 2), (50, 3), (42, 4))
"""Sizes of the title in pixels, and in how many lines each is tried; the last one is cut."""

MAX_MARKS = 3
"""Accents and vowel signs of one letter."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is drawn: a title of up to about 100 letters, one line below it, badges, and a photo or the first letter."""

    title: str
    line: str = ""
    badges: tuple[str, ...] = ()
    photo: bytes | None = None


def draw(preview: Preview) -> bytes:
    """
    A PNG. Text in a script that our font does not have is left out: the page's title says it too. From the right where
    the title's script is written so.
    """
    image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, HEIGHT - 18, WIDTH, HEIGHT), fill=_BRAND)
    title, line = _writable(preview.title), _writable(preview.line)
    from_right = _is_from_right(title or line)
    indent = _MARGIN
    face = _round(preview.photo) if preview.photo else _initial(title)
    if face is not None:
        image.paste(face, (WIDTH - indent - _PHOTO if from_right else indent, _MIDDLE - _PHOTO // 2), face)
        indent += _PHOTO + 60
    left, right = (_MARGIN, WIDTH - indent) if from_right else (indent, WIDTH - _MARGIN)
    x, anchor = (right, "ra") if from_right else (left, "la")
    lines = _lines(title, right - left) if title else []
    line = _cut(line, 32, right - left)
    tall = sum(round(size * 1.25) for _, size in lines) + 64 * bool(line) + 72 * bool(preview.badges)
    top = _MIDDLE - tall // 2
    for text, size in lines:
        pen.text((x, top), text, font=_font(size), fill=_INK, anchor=anchor)
        top += round(size * 1.25)
    if line:
        pen.text((x, top + 8), line, font=_font(32), fill=_QUIET, anchor=anchor)
        top += 64
    _pin(pen, preview.badges, left, top + 12)
    _sign(pen)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)


def _writable(text: str) -> str:
    """
    The text without signs such as emoji that the font does not have, and without marks that would pile up on a letter;
    empty if the font does not have its letters.
    """
    unknown = bytes(_font(20).getmask("\uffff"))
    kept: list[str] = []
    for letter in text:
        if len(kept) >= MAX_MARKS and all(map(unicodedata.combining, [letter, *kept[-MAX_MARKS:]])):
            continue
        if letter.isspace() or bytes(_font(20).getmask(letter)) != unknown:
            kept.append(letter)
        elif unicodedata.category(letter)[0] == "L":
            return ""
    return " ".join("".join(kept).split())


def _is_from_right(text: str) -> bool:
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((direction != "L" for direction in directions if direction in ("L", "R", "AL")), False)


def _lines(text: str, width: int) -> list[tuple[str, int]]:
    """The text in lines as large as they can be, each with its size."""
    for size, most in _SIZES:
        lines = _wrapped(text.split(), size, width)
        if len(lines) <= most and all(_font(size).getlength(line) <= width for line in lines):
            return [(line, size) for line in lines]
    lines = _wrapped([part for word in text.split() for part in _parts(word, size, width)], size, width)
    shown, rest = lines[:most], lines[most:]
    if rest:
        shown[-1] = f"{shown[-1]} {rest[0]}"
    return [(_cut(line, size, width), size) for line in shown]


def _wrapped(words: list[str], size: int, width: int) -> list[str]:
    """Broken between words; a word that is wider stays whole in a line of its own."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _parts(word: str, size: int, width: int) -> list[str]:
    """A word in parts that are not wider than a line."""
    parts = [word[:1]]
    for letter in word[1:]:
        if _font(size).getlength(parts[-1] + letter) <= width:
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


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


def _initial(title: str) -> Image.Image | None:
    first = next(filter(str.isalnum, title), "")
    if not first:
        return None
    face = Image.new("RGBA", (_PHOTO, _PHOTO), _BRAND)
    middle = (_PHOTO // 2, _PHOTO // 2)
    ImageDraw.Draw(face).text(middle, first.upper(), font=_font(140), fill="#ffffff", anchor="mm")
    face.putalpha(_disc())
    return face


@cache
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
