"""Tables as CSV: what a spreadsheet must not run, and what stays as it is."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.csv_files import cell, csv_response, csv_text


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tplain", "\rplain", "\nplain"),
        *(" =1+1", "\u00a0=1", "\u3000@x", "\u200b=1", "\ufeff=1", "\x01=1", "\0=1"),
        *("＝1+1", "＋1", "－1", "＠x", "﹦1", "⁼1", "﹢1", " ＝HYPERLINK(1)"),
        *("=cmd|' /C calc'!A0", '=HYPERLINK("http://evil.example","click")', "-2+3+cmd|' /C calc'!A0"),
        *("--1", "-1.", "-1e5", "+49", "- 1", "-１", "@"),
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert cell(text) == "'" + text.replace("\0", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "newsletter",
        "a=b",
        "e-mail",
        "a+b@example.com",
        "1",
        "-1",
        "-1000.50",
        "0.00",
        "1e5",
        "ünïcode 日本",
        "'",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1", "'x;'=1+1"),
        ("x\t=1", "'x\t'=1"),
        ("x\n@y", "'x\n'@y"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
        ("x; ＝1", "'x;' ＝1"),
    ],
)
def test_what_another_country_would_take_for_a_cell_counts_too(text: str, written: str) -> None:
    assert cell(text) == written


def test_values() -> None:
    values = [None, 0, -5, Decimal("-1000.50"), date(2026, 11, 26)]
    assert [cell(value) for value in values] == ["", "0", "-5", "-1000.50", "2026-11-26"]


def test_a_file_is_read_back_as_it_was() -> None:
    rows: list[list[Any]] = [['a "quoted" word', "a,b", "two\nlines", -1], ["日本", "", None, Decimal("0.50")]]
    text = csv_text(["one", "two", "three", "four"], rows)
    assert text.count("\r\n") == 3 and "\ufeff" not in text
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["one", "two", "three", "four"],
        ['a "quoted" word', "a,b", "two\nlines", "-1"],
        ["日本", "", "", "0.50"],
    ]


def test_a_download() -> None:
    answer = csv_response("days-of-a-campaign", ["a"], [["ü"]])
    assert answer.content == "a\r\nü\r\n".encode()
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="days-of-a-campaign.csv"'
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")
