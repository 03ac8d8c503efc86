"""The words of a post for people who read them on a page of ours: as HTML, as plain text, and what the author is."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campaigns.models import AuthorRole
from social.outputs.posts import PostOutput

_MENTION = r"<@(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})>"
_ADDRESS = r"https?://[^\s<>\"\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
_MENTION_OR_ADDRESS = re.compile(rf"{_MENTION}|(?P<address>{_ADDRESS})", re.IGNORECASE | re.ASCII)
_CLOSING = ".,;:!?'\"…。，、！？)]}»”’"
"""Ends a sentence rather than an address, but for brackets that the address itself has opened."""
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_HALF_A_MENTION = re.compile(r"<@?[0-9a-f-]*$", re.IGNORECASE)


def plain_words(post: PostOutput) -> str:
    """In one line, with people by their names."""
    names = _names(post)
    text = re.sub(_MENTION, lambda found: _mention(found["id"], names), post.content, flags=re.IGNORECASE)
    return " ".join(text.split())


def html_words(post: PostOutput, longest: int | None = None) -> SafeString:
    """
    Paragraphs, each in the direction of its script, with web addresses as links.

    :param longest: cut the words after about so many characters
    """
    names = _names(post)
    text = post.content.strip() if longest is None else excerpt(post.content.strip(), longest)
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if part]
    return format_html_join("\n", '<p dir="auto">{}</p>', ((_line(part, names),) for part in paragraphs))


def excerpt(text: str, longest: int) -> str:
    """The beginning of a text, to the end of a word where there is one near."""
    if len(text) <= longest:
        return text
    cut = text[:longest]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    cut = cut[:space] if space > longest * 3 // 4 else cut
    return f"{_HALF_A_MENTION.sub('', cut).rstrip()}…"


def role_label(post: PostOutput) -> str:
    """What the author was to the post's campaign when it was written (17 CFR 227.303(c)); empty for nothing."""
    campaign = post.campaign.title if post.campaign else ""
    match post.author_role:
        case AuthorRole.FOUNDER:
            return _("Founder of %(campaign)s") % {"campaign": campaign}
        case AuthorRole.INVESTOR:
            return _("Investor in %(campaign)s") % {"campaign": campaign}
        case AuthorRole.STAFF:
            return _("VECTRAGrow staff")
    return ""


def _names(post: PostOutput) -> dict[UUID, str]:
    return {person.id: person.name for person in post.mentions}


def _mention(person_id: str, names: dict[UUID, str]) -> str:
    return f"@{names.get(UUID(person_id)) or _('somebody')}"


def _line(text: str, names: dict[UUID, str]) -> SafeString:
    html = "".join(conditional_escape(part) for part in _parts(text, names))
    return mark_safe(html.replace("\n", "<br>"))  # noqa: S308 - each part is escaped


def _parts(text: str, names: dict[UUID, str]) -> Iterator[str | SafeString]:
    at = 0
    for found in _MENTION_OR_ADDRESS.finditer(text):
        yield text[at : found.start()]
        if found["id"]:
            yield format_html('<b class="mention"><bdi>{}</bdi></b>', _mention(found["id"], names))
            at = found.end()
        else:
            address = _without_closing(found["address"])
            yield _link(address)
            at = found.start() + len(address)
    yield text[at:]


def _without_closing(address: str) -> str:
    while address[-1] in _CLOSING:
        opening = _BRACKETS.get(address[-1])
        if opening and address.count(opening) >= address.count(address[-1]):
            break
        address = address[:-1]
    return address


def _link(address: str) -> str | SafeString:
    """A link, unless it leads nowhere or to another host than it seems to (`https://vectragrow@example.com`)."""
    try:
        parts = urlsplit(address)
        leads_there = bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        leads_there = False
    if not leads_there:
        return address
    return format_html('<a href="{}" rel="nofollow ugc noopener"><bdi>{}</bdi></a>', address, address)
