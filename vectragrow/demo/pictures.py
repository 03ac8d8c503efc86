"""Pictures drawn for the demo: passports, faces and campaign covers that are nobody's."""

import io
import random

from PIL import Image, ImageDraw, ImageFont

SKINS = ("#f2d6c1", "#e0b394", "#c68d66", "#a06a47", "#7b4c30", "#5a3623")
TONES = (("#0f766e", "#5eead4"), ("#1d4ed8", "#93c5fd"), ("#b45309", "#fcd34d"), ("#7c3aed", "#c4b5fd"))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _face(seed: str, width: int, height: int) -> Image.Image:
    """A drawn head and shoulders, always the same for a name."""
    dice = random.Random(seed)
    image = Image.new("RGB", (width, height), "#dfe7ec")
    draw = ImageDraw.Draw(image)
    skin, hair = dice.choice(SKINS), dice.choice(("#20150f", "#4b3621", "#8b6b3f", "#b8b2a7"))
    centre = width // 2
    draw.ellipse((centre - width * 0.42, height * 0.72, centre + width * 0.42, height * 1.4), fill="#46566b")
    draw.ellipse((centre - width * 0.27, height * 0.14, centre + width * 0.27, height * 0.62), fill=hair)
    draw.ellipse((centre - width * 0.22, height * 0.22, centre + width * 0.22, height * 0.76), fill=skin)
    for side in (-1, 1):
        x, y = centre + side * width * 0.09, height * 0.46
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill="#1f2937")
    draw.arc((centre - width * 0.09, height * 0.5, centre + width * 0.09, height * 0.64), 20, 160, "#7a3b2e", 4)
    return image


def passport(first_name: str, last_name: str, number: str) -> bytes:
    """The data page of a passport of Utopia (the ICAO's own specimen country), as JPEG."""
    image = Image.new("RGB", (1400, 980), "#eef3ee")
    draw = ImageDraw.Draw(image)
    for row in range(0, 980, 14):
        draw.line((0, row, 1400, row + 60), fill="#e2ece4", width=3)
    draw.rectangle((0, 0, 1400, 110), fill="#14532d")
    draw.text((40, 30), "UTOPIA", font=_font(52), fill="#ffffff")
    draw.text((880, 40), "PASSPORT  P  UTO", font=_font(38), fill="#d1fae5")
    image.paste(_face(first_name + last_name, 360, 470), (60, 170))
    rows = [
        ("Surname", last_name.upper()),
        ("Given names", first_name.upper()),
        ("Passport No.", number),
        ("Nationality", "UTOPIAN"),
        ("Date of birth", "14 MAR 1989"),
        ("Date of expiry", "02 SEP 2033"),
    ]
    for index, (label, value) in enumerate(rows):
        draw.text((480, 165 + index * 88), label, font=_font(24), fill="#64748b")
        draw.text((480, 193 + index * 88), value, font=_font(42), fill="#0f172a")
    draw.rectangle((0, 760, 1400, 980), fill="#ffffff")
    names = f"P<UTO{last_name.upper().replace(' ', '<')}<<{first_name.upper()}".ljust(44, "<")[:44]
    digits = f"{number.ljust(9, '<')}0UTO8903145F3309022".ljust(42, "<")[:42] + "06"
    for index, line in enumerate((names, digits)):
        for column, letter in enumerate(line):
            draw.text((40 + column * 30, 800 + index * 80), letter, font=_font(44), fill="#111827")
    return _jpeg(image)


def selfie(first_name: str, last_name: str) -> bytes:
    """The person of the passport, looking at the camera, as JPEG."""
    return _jpeg(_face(first_name + last_name, 900, 1100))


def cover(title: str, seed: int) -> bytes:
    """A calm landscape with the campaign's title."""
    dark, light = TONES[seed % len(TONES)]
    image = Image.new("RGB", (1600, 900), dark)
    draw = ImageDraw.Draw(image)
    dice = random.Random(seed)
    draw.ellipse((1100, 90, 1380, 370), fill=light)
    for layer in range(4):
        base, points = 420 + layer * 110, [(0, 900)]
        points += [(x, base + dice.randint(-60, 60)) for x in range(0, 1601, 160)]
        shade = tuple(int(channel * (0.85 - layer * 0.17)) for channel in bytes.fromhex(dark[1:]))
        draw.polygon([*points, (1600, 900)], fill=shade)
    draw.text((80, 90), title, font=_font(76), fill="#ffffff")
    return _jpeg(image)
