"""Fields of bodies: addresses, phone numbers, names, passwords, codes, links."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import idna
import phonenumbers
from django.utils.translation import gettext_lazy as _
from rest_framework.fields import (
    CharField,
    EmailField,
    URLField,
)

from accounts.models import LONGEST_NAME
from core.api.serializers import LineField

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")


class AddressField(EmailField):
    """
    An e-mail address in ASCII (RFC 5321), so that none can look like another's. Of a domain: neither a number in
    brackets nor a bare host name, which would have our mail server talk to its neighbours.
    """

    default_error_messages = {"not_ascii": _("Use the plain ASCII form of the address.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not value.isascii():
            self.fail("not_ascii")
        domain = value.rpartition("@")[2]
        if not value.isprintable() or domain.startswith("[") or "." not in domain:
            self.fail("invalid")
        return value


class PhoneField(CharField):
    """A number in E.164, checked against the numbering plans."""

    default_error_messages = {
        "invalid_phone_number": _("Not a valid phone number in E.164 form, such as +12025550123.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 16, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        try:
            number = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            self.fail("invalid_phone_number")
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if not phonenumbers.is_valid_number(number) or e164 != value:
            self.fail("invalid_phone_number")
        return e164


class NameField(LineField):
    """A name of a person, a place or a device."""

    default_error_messages = {"invalid_name": _("A name is one line of ordinary characters.")}
    unfit = unseen = piled = "invalid_name"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_NAME, **kwargs})


class PasswordField(CharField):
    """As typed, no trimming. The bound only keeps hashing cheap; the rules are in `accounts.passwords`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 1000, "trim_whitespace": False, "write_only": True, **kwargs})


class CodeField(CharField):
    """A code of the authenticator app or a recovery code, as people type them; what it is worth is checked later."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, **kwargs})


class PackedField(CharField):
    """Bytes as base64url (RFC 4648 §5), as browsers write them into the JSON of a passkey's answer."""

    default_error_messages = {"invalid_base64url": _("Not base64url.")}

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not _BASE64URL.fullmatch(value):
            self.fail("invalid_base64url")
        return value


class LinkField(URLField):
    """
    An address that a person shows to others: http or https, and no `user@` in front of the host to mislead.

    Scheme and host are kept in lower-case ASCII (`xn--…`), so that nothing looks like the address of somebody else.
    """

    default_error_messages = {"not_a_web_address": _("Use a web address that starts with https:// or http://.")}

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not value:
            return value
        try:
            parts = urlsplit(value)
            port, host = parts.port, parts.hostname or ""
            if not host.isascii():
                host = idna.encode(host, uts46=True).decode()
        except ValueError:  # of the port or of the name: `idna.IDNAError` is one too
            self.fail("not_a_web_address")
        if parts.scheme not in ("http", "https") or "@" in parts.netloc or not value.isprintable():
            self.fail("not_a_web_address")
        netloc = f"[{host}]" if ":" in host else host
        shown = urlunsplit(parts._replace(netloc=netloc if port is None else f"{netloc}:{port}"))
        if self.max_length is not None and len(shown) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return shown
