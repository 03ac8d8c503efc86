"""A message's words: its templates filled with facts, as plain text in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation

from core.texts import clean_line
from notifications.messages import Message

_PATH = "notifications/{name}/{part}.txt"


@dataclass(frozen=True, slots=True)
class Words:
    """Plain text throughout: whoever puts it into HTML escapes it there. `link` is empty without an action."""

    title: str
    paragraphs: tuple[str, ...]
    action: str = ""
    link: str = ""

    @property
    def body(self) -> str:
        return "\n\n".join(self.paragraphs)


def words(message: Message, facts: Mapping[str, Any], *, language: str) -> Words:
    """Fill the templates of a message for an inbox entry or a mail."""
    name = message.name
    with translation.override(language):
        title = one_line(_fill(name, "title", facts))
        body = _fill(name, "body", facts)
        action = one_line(_fill(name, "action", facts))
    paragraphs = tuple(" ".join(part.split()) for part in body.split("\n\n") if part.strip())
    link = _link(message.path, facts) if action and message.path else ""
    return Words(title=title[:200], paragraphs=paragraphs, action=action if link else "", link=link)


def sms_text(message: Message, facts: Mapping[str, Any], *, language: str) -> str:
    """What a message says in an SMS: its own template, or its title."""
    with translation.override(language):
        text = one_line(_fill(message.name, "sms", facts)) or one_line(_fill(message.name, "title", facts))
    return text[:300]


def one_line(text: str) -> str:
    """White space folded and control characters gone: fit for a subject, since no header can be smuggled in."""
    return clean_line(text, len(text))


def _link(path: str, facts: Mapping[str, Any]) -> str:
    """Where a button leads; empty for a page that only a front end has (FRONTEND_URL) while there is none."""
    if path.startswith(("/admin/", "/appeal")):  # pages of our own, whatever front end there is
        return f"{settings.PUBLIC_URL}{path.format(**facts)}"
    has_page = settings.FRONTEND_URL != settings.PUBLIC_URL or path.startswith(("/verify-email", "/reset-password"))
    return settings.FRONTEND_URL + path.format(**facts) if has_page else ""


def _fill(name: str, part: str, facts: Mapping[str, Any]) -> str:
    """:raises TemplateDoesNotExist: for a title or a body; the other parts may be absent, and are empty then"""
    template = _template(name, part)
    return str(template.render(Context(dict(facts), autoescape=False))) if template else ""


@cache
def _template(name: str, part: str) -> Any:
    """Looked up once: searching the folders for one that is absent takes longer than filling one that is there."""
    try:
        return get_template(_PATH.format(name=name, part=part)).template  # type: ignore[attr-defined]
    except TemplateDoesNotExist:
        if part in ("title", "body"):
            raise
        return None
