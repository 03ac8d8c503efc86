"""Every word that people read in a mail or on a page of ours can be translated."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates"
PAGES = ("base", "error", "profile", "reset_password", "signed_in", "unsubscribe", "verify_email")
READ = [*(TEMPLATES / "notifications").rglob("*.txt"), TEMPLATES / "notifications/mail.html"]
READ += [TEMPLATES / f"{name}.html" for name in PAGES]
READ += (TEMPLATES / "share").glob("*.html")
READ += (settings.BASE_DIR / "analytics/templates/analytics").glob("*.html")
SPOKEN = ("alt", "aria-label", "title", "placeholder", "summary")
"""Attributes whose text people read."""
NAMES = re.compile(r"VECTRAGrow|VECTRA|Grow|\bAPI\b|&nbsp;|·")


class Said(HTMLParser):
    """Text between tags and in attributes, but for styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.silent = tag in ("style", "script")
        self.words += [value or "" for name, value in attrs if name in SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        self.silent = False

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def untranslatable(template: str) -> list[str]:
    """What stands outside `translate` and `blocktranslate`."""
    template = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", template, flags=re.DOTALL)
    template = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", template, flags=re.DOTALL)
    words = [NAMES.sub("", part).strip() for part in Said(template).words]
    return [part for part in words if re.search(r"[^\W\d_]{2}", part)]


@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_word_is_fixed(path: Path) -> None:
    assert untranslatable(path.read_text()) == []


def test_the_test_can_see_a_fixed_word() -> None:
    assert untranslatable('<p>{% translate "Hello" %}</p><h1>Welcome</h1><img alt="A cat">') == ["Welcome", "A cat"]
    assert untranslatable("{% if x %}Good morning{% endif %} {{ name }}") == ["Good morning"]
