"""What is text, in any script, and what is not (API.md, *text*)."""

import pytest
from rest_framework.exceptions import ValidationError

from core.api.serializers import LineField, ProseField
from core.texts import MAX_MARKS, clean_line, is_one_line, shows_something

PEOPLE = {
    "Persian": "علی‌رضا",
    "Sinhala": "ශ්‍රී",
    "Malayalam, a joiner at the end": "അവന്\u200d",
    "Khmer, with a place to break": "សុខ\u200bសាន្ត",
    "Arabic, with direction marks": "\u200fمحمد\u200e",
    "Japanese, with a variant": "辻\U000e0100 太郎",
    "Persian, after a digit and a quotation": "«۸۰»\u200cام",
    "an apostrophe": "D’Artagnan-O'Neil",
    "combining": "Jose\u0301",
    "Tibetan, one letter with ten below": "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f71\u0f74\u0f83",
    "a new script": "\U00011f04\U00011f05",
}
TITLES = {
    "a family": "For families 👨‍👩‍👧",
    "a heart on fire": "❤️‍🔥",
    "skin and profession": "👩🏽‍🚀 to the moon",
    "a country": "🇱🇰",
    "a region": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f whisky",
    "a number in a box": "1️⃣ first",
    "hyphens": "Solar\u00adstrom",
}
JUNK = {
    "NUL": "a\0b", "a bell": "a\x07b", "next line": "a\x85b", "a line": "a\nb", "a line separator": "a\u2028b",
    "an override": "a\u202eb", "an isolate": "a\u2066b", "a byte order mark": "a\ufeffb", "private": "a\ue000b",
    "never a character": "a\uffffb", "half a character": "a\ud800b", "tags alone": "a\U000e0061b",
    "a joiner first": "\u200dab", "a joiner in the air": "a \u200cb", "a row of joiners": "a\u200d\u200d\u200d\u200db",
}  # fmt: skip
NOTHING = {
    "joiners": "\u200c\u200d", "a space without width": "\u200b", "direction": "\u200f",
    "Hangul fillers": "\u3164\uffa0\u115f",
    "Braille": "\u2800", "accents alone": "\u0301", "variants alone": "\ufe0f", "soft hyphens": "\u00ad",
    "reserved for the unseen": "\U000e0fff",
}  # fmt: skip


@pytest.mark.parametrize("text", [*PEOPLE.values(), *TITLES.values()], ids=[*PEOPLE, *TITLES])
def test_every_script_is_taken_as_it_is(text: str) -> None:
    assert LineField().run_validation(text) == text
    assert ProseField().run_validation(f"{text}\r\n\t{text}") == f"{text}\n\t{text}"
    assert clean_line(text, 80) == text or "🏴" in text


@pytest.mark.parametrize("space", "\u00a0\u202f\u2007\u3000\u2009")
def test_every_space_is_a_space(space: str) -> None:
    assert LineField().run_validation(f"Jean{space}Paul{space}") == "Jean Paul"


@pytest.mark.parametrize("text", JUNK.values(), ids=JUNK)
def test_what_is_no_writing_is_refused_and_removed(text: str) -> None:
    assert not is_one_line(text)
    with pytest.raises(ValidationError):
        LineField().run_validation(text)
    cleaned = clean_line(text, 80)
    assert is_one_line(cleaned) and cleaned.replace(" ", "").replace("\u200d", "") == "ab"


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_text_that_shows_nothing_is_refused(text: str) -> None:
    assert not shows_something(text) and clean_line(text, 80) == ""
    for field in (LineField, ProseField):
        with pytest.raises(ValidationError):
            field().run_validation(text)
        with pytest.raises(ValidationError):
            field(allow_blank=True).run_validation(text)


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\u0e47"])
def test_letters_with_more_marks_than_writing_has_are_refused(mark: str) -> None:
    """Such text is drawn over everything around it."""
    for field in (LineField, ProseField):
        assert field().run_validation("a" + mark * MAX_MARKS + "b") == "a" + mark * MAX_MARKS + "b"
        with pytest.raises(ValidationError) as refused:
            field().run_validation("a" + mark * (MAX_MARKS + 1))
        assert [error.code for error in refused.value.detail] == ["too_many_marks"]
    assert clean_line("a" + mark * (MAX_MARKS + 1), 80) == ""


def test_empty_text_is_the_fields_own_affair() -> None:
    assert LineField(allow_blank=True).run_validation("") == ProseField(allow_blank=True).run_validation(" ") == ""


@pytest.mark.parametrize("text", ["bell\x07", "next\x85line", "escape\x1b[31m"])
def test_prose_has_no_control_characters(text: str) -> None:
    with pytest.raises(ValidationError):
        ProseField().run_validation(text)


def test_a_long_name_is_cut() -> None:
    assert clean_line("ab " * 50, 8) == "ab ab ab"
