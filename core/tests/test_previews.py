"""Pictures of previews."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops

from core.previews import Preview, draw
from uploads.testing import picture_bytes

ARABIC = "محمد يبني ألواحا شمسية على سطح المدرسة مع جيرانه"


def drawn(preview: Preview) -> Image.Image:
    return Image.open(BytesIO(draw(preview))).convert("RGB")


def ink(preview: Preview) -> tuple[int, int, int, int]:
    """The box around all that is drawn above the name of the platform."""
    image = drawn(preview).crop((0, 0, 1200, 480))
    box = ImageChops.difference(image, Image.new("RGB", image.size, image.getpixel((0, 0)))).getbbox()
    assert box
    return box


@pytest.mark.parametrize(
    "preview",
    [
        Preview("Ada"),
        Preview("Wolfeschlegelsteinhausenbergerdorff Featherstonehaugh-Cholmondeley the Third of Somewhere", "x" * 120),
        Preview("W" * 200, "W" * 200, ("Founder",) * 9),
        Preview("word " * 100),
        Preview("山田 太郎", "東京"),
        Preview("Ada 😀", "", ("Identity verified", "Founder", "Company"), picture_bytes("PNG", size=(40, 400))),
        Preview("محمد", "", (), picture_bytes("WEBP", size=(2, 2))),
        Preview(ARABIC, "x" * 120),
        Preview("e" + "\u0301" * 119),
        Preview("", ""),
        Preview("…", "\u202e"),
    ],
)
def test_a_picture_is_drawn_of_any_title(preview: Preview) -> None:
    image = drawn(preview)
    assert image.size == (1200, 630)
    margins = [image.crop(box) for box in ((0, 0, 80, 600), (1120, 0, 1200, 600), (0, 0, 1200, 40))]
    assert all(len(margin.getcolors() or []) == 1 for margin in margins), "nothing leaves its frame"


def test_a_long_title_is_in_lines_rather_than_cut() -> None:
    one, four = ink(Preview("Solar roofs")), ink(Preview("Solar roofs for the school and the town hall " * 2))
    assert four[2] - four[0] > one[2] - one[0]
    assert draw(Preview("Solar roofs for the school")) != draw(Preview("Solar roofs for the town"))


def test_signs_that_the_font_lacks_are_left_out_and_words_are_not() -> None:
    assert draw(Preview("Nearly there 🎉🎉")) == draw(Preview("Nearly there"))
    assert draw(Preview("山田 roofs")) == draw(Preview("")), "half a title would say something else"


def test_titles_of_scripts_from_the_right_stand_on_the_right() -> None:
    assert ink(Preview("Roof"))[0] == 1200 - ink(Preview("سطح"))[2]
