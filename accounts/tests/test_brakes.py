"""The page about brakes; what they do is tested where they are used."""

from pathlib import Path

from django.conf import settings

from accounts import brakes


def test_the_page_lists_the_rules_as_they_are() -> None:
    assert brakes.table() in (Path(settings.BASE_DIR) / "docs/moderation.md").read_text()
