"""
ThumbHash (https://evanw.github.io/thumbhash/): about 25 bytes from which a client draws a blurred picture, with its
shape and its transparency, until the real one has arrived.

Our own encoder: it is short, and the packages on PyPI are unmaintained, or compiled ones of a single author.
"""

import base64
from math import cos, floor, pi

from PIL import Image

SIDE = 32
"""Pixels of the longest side that is looked at; the format's own limit is 100, and no finer detail is kept."""


def thumbhash(image: Image.Image) -> str:
    """The hash of a picture, in base64."""
    small = image.convert("RGBA")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return base64.b64encode(encode(small.width, small.height, small.tobytes())).decode()


def encode(width: int, height: int, rgba: bytes) -> bytes:
    """As `rgbaToThumbHash` of the reference implementation."""
    pixels = [
        (rgba[at] / 255, rgba[at + 1] / 255, rgba[at + 2] / 255, rgba[at + 3] / 255) for at in range(0, len(rgba), 4)
    ]
    opacity = sum(pixel[3] for pixel in pixels)
    has_alpha = opacity < width * height
    average = [sum(pixel[3] * pixel[place] for pixel in pixels) / (opacity or 1) for place in range(3)]
    # Over the average colour, as luminance, yellow-blue, red-green and alpha.
    channels: tuple[list[float], list[float], list[float], list[float]] = ([], [], [], [])
    for *colour, alpha in pixels:
        r, g, b = (average[place] * (1 - alpha) + alpha * colour[place] for place in range(3))
        for channel, value in zip(channels, ((r + g + b) / 3, (r + g) / 2 - b, r - g, alpha), strict=True):
            channel.append(value)
    limit, longest = (5 if has_alpha else 7), max(width, height)
    across, down = (max(1, _round(limit * side / longest)) for side in (width, height))
    luminance, yellow, red = (
        _Channel(channel, width, height, *terms)
        for channel, terms in zip(channels[:3], ((max(3, across), max(3, down)), (3, 3), (3, 3)), strict=True)
    )
    is_landscape = width > height
    head = (
        _round(63 * luminance.dc)
        | _round(31.5 + 31.5 * yellow.dc) << 6
        | _round(31.5 + 31.5 * red.dc) << 12
        | _round(31 * luminance.scale) << 18
        | has_alpha << 23
    )
    shape = (
        (down if is_landscape else across)
        | _round(63 * yellow.scale) << 3
        | _round(63 * red.scale) << 9
        | is_landscape << 15
    )
    encoded = bytearray(head.to_bytes(3, "little") + shape.to_bytes(2, "little"))
    varying = [*luminance.ac, *yellow.ac, *red.ac]
    if has_alpha:
        alphas = _Channel(channels[3], width, height, 5, 5)
        encoded.append(_round(15 * alphas.dc) | _round(15 * alphas.scale) << 4)
        varying += alphas.ac
    nibbles = [_round(15 * value) for value in varying] + [0] * (len(varying) % 2)
    encoded += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return bytes(encoded)


class _Channel:
    """The low frequencies of a channel: the mean, and the others scaled to 0…1."""

    def __init__(self, values: list[float], width: int, height: int, across: int, down: int) -> None:
        self.dc, self.ac = 0.0, []
        waves = [[cos(pi / width * cx * (x + 0.5)) for x in range(width)] for cx in range(across)]
        rows = [values[y * width : (y + 1) * width] for y in range(height)]
        sums = [[sum(map(float.__mul__, row, wave)) for row in rows] for wave in waves]
        for cy in range(down):
            wave = [cos(pi / height * cy * (y + 0.5)) for y in range(height)]
            cx = 0
            while cx * down < across * (down - cy):
                value = sum(map(float.__mul__, sums[cx], wave)) / (width * height)
                if cx or cy:
                    self.ac.append(value)
                else:
                    self.dc = value
                cx += 1
        self.scale = max(map(abs, self.ac), default=0.0)
        if self.scale:
            self.ac = [0.5 + 0.5 / self.scale * value for value in self.ac]


def _round(value: float) -> int:
    """Half up, as JavaScript does."""
    return floor(value + 0.5)
