"""
Turning mails off by the link in them: one click in the mail program (RFC 8058), or a page for people.

A token names the person and the switch, or the fingerprint of an address without an account, and is signed. It does not
expire, since mails are read late, and turns off nothing but what its mail was about.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core import signing

from core.crypto.keys import fingerprint, fingerprints
from notifications.errors import UnsubscribeLinkNotValid
from notifications.messages import Category
from notifications.models import Recipient, SilencedAddress

_ADDRESS = "silenced address"
_MAX_TOKEN_CHARACTERS = 300
"""Characters of the longest token we make, and some."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a link turns off: a person's switch, or invitations to one address."""

    about: Any
    user_id: UUID = UUID(int=0)  # noqa: RUF009  (a value, not a new object)
    switch: str = ""
    address: bytes = b""


def token_for(recipient: Recipient, address: str, category: Category) -> str:
    """The token for a mail of this category, or nothing for mails that cannot be turned off by a link."""
    if category is Category.INVITATIONS:
        return _signer().sign_object(["", fingerprint(address.encode(), _ADDRESS).hex()])
    return _signer().sign_object([recipient.pk.hex, category.value.switch]) if category.value.one_click else ""


def page_of(token: str) -> str:
    return f"{settings.PUBLIC_URL}/unsubscribe?token={quote(token)}" if token else ""


def headers_of(token: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058."""
    if not token:
        return {}
    return {
        "List-Unsubscribe": f"<{settings.PUBLIC_URL}/api/notifications/unsubscribe/{quote(token)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def topic_of(token: str) -> Topic:
    """:raises UnsubscribeLinkNotValid: not ours, or the person is gone"""
    try:
        owner, what = _signer().unsign_object(token) if len(token) <= _MAX_TOKEN_CHARACTERS else ("", "")
    except (signing.BadSignature, ValueError):
        raise UnsubscribeLinkNotValid() from None
    if what and not owner:
        return Topic(Category.INVITATIONS.value.about, address=bytes.fromhex(what))
    category = next((row for row in Category if row.value.one_click and row.value.switch == what), None)
    if category is None or not Recipient.objects.filter(pk=UUID(owner)).exists():
        raise UnsubscribeLinkNotValid()
    return Topic(category.value.about, user_id=UUID(owner), switch=what)


def unsubscribe(*, token: str, now: datetime) -> Topic:
    """
    Turn off what a mail was about. Safe to repeat.

    :raises UnsubscribeLinkNotValid: not ours, or the person is gone
    """
    topic = topic_of(token)
    if topic.address:
        SilencedAddress.objects.get_or_create(pk=topic.address, defaults={"created_at": now})
    else:
        Recipient.objects.filter(pk=topic.user_id).update(**{topic.switch: False})
    return topic


def resubscribe(*, token: str) -> Topic:
    """
    Undo `unsubscribe`.

    :raises UnsubscribeLinkNotValid: not ours, or the person is gone
    """
    topic = topic_of(token)
    if topic.address:
        SilencedAddress.objects.filter(pk=topic.address).delete()
    else:
        Recipient.objects.filter(pk=topic.user_id).update(**{topic.switch: True})
    return topic


def is_silenced(address: str) -> bool:
    return SilencedAddress.objects.filter(pk__in=fingerprints(address.encode(), _ADDRESS)).exists()


def _signer() -> signing.Signer:
    return signing.Signer(salt="notifications.unsubscribe")
