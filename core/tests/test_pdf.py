"""Papers show any text, and the same content is the same file."""

from datetime import UTC, datetime

import pytest

from core.pdf import Facts, Heading, Paper, Table, Words, as_bytes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ODD = [
    "Ünïcödé, кириллица, ελληνικά",
    "日本語 한국어 हिन्दी ไทย عربى עברית",
    "𞤀𞤣𞤤𞤢𞤥 😀 👩‍👩‍👧",
    "𠀀 \ue000 \uffff \U0010ffff \x00 \u200d \u202e",
    "x" * 500,
    "**bold** --strike-- <b>&amp;</b>",
    "",
    " ",
    "\n\n",
]


def paper(*texts: str) -> Paper:
    blocks = [
        *(block for text in texts for block in (Heading(text), Words(text))),
        Facts([(text, text) for text in texts]),
        Table(texts, [texts] * 3, [20] * len(texts), frozenset({0})),
    ]
    return Paper(texts[0], blocks, NOW)


def test_any_text_is_shown() -> None:
    made = as_bytes(paper(*ODD))
    assert made.startswith(b"%PDF-")
    assert b"Unifont" in made and b"UnifontUpper" in made and b"DejaVu" in made
    assert made == as_bytes(paper(*ODD))


def test_fonts_of_other_scripts_only_where_they_are_needed() -> None:
    made = as_bytes(paper("Plain", "words"))
    assert b"Unifont" not in made
    assert made != as_bytes(paper("Plain", "other"))


@pytest.mark.parametrize("rows", [0, 200])
def test_long_tables_go_on_on_the_next_page(rows: int) -> None:
    table = Table(("a", "b"), [("1", "2" * 100)] * rows, (20, 30))
    made = as_bytes(Paper("t", [table], NOW))
    assert made.count(b"/Type /Page\n") == (1 if not rows else 4)
