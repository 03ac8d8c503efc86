"""Bodies in and out of /api/profile."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import idna
from django.utils.translation import gettext_lazy as _
from rest_framework.fields import CharField, DateTimeField, FileField, IntegerField, ListField, URLField, UUIDField

from accounts.serializers import AddressField, MeOutput, NameField, PhoneField
from core.api.serializers import ProseField, Serializer


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


class ProfileInput(Serializer):
    """Any subset."""

    first_name = NameField()
    last_name = NameField(allow_blank=True)
    phone_number = PhoneField(allow_blank=True)
    bio = ProseField(max_length=2000, allow_blank=True)
    location = NameField(max_length=120, allow_blank=True)
    website = LinkField(max_length=300, allow_blank=True)


class PhotoInput(Serializer):
    photo = FileField()


class CoverInput(Serializer):
    cover = FileField()


class InviteInput(Serializer):
    email = AddressField()


class InvitedOutput(Serializer):
    message = CharField()
    invitation_id = UUIDField()


class ShareOutput(Serializer):
    link = CharField(help_text="A public page of the profile.")


class ExportOutput(Serializer):
    id = UUIDField()
    status = CharField(help_text="`pending`, `ready` or `expired`.")
    link = CharField(allow_null=True, help_text="The archive, for five minutes; ask again for another link.")
    created_at = DateTimeField()
    expires_at = DateTimeField(allow_null=True)


class LeavingOutput(Serializer):
    message = CharField()
    deletion_due_at = DateTimeField(help_text="Until then signing in keeps the account.")


class PhoneCodeInput(Serializer):
    code = CharField(max_length=20)


class PictureSizes(Serializer):
    large = CharField()
    medium = CharField()
    small = CharField()


class ProfileOutput(MeOutput):
    profile_photo_sizes = PictureSizes(allow_null=True)
    cover_photo_sizes = PictureSizes(allow_null=True)
    followers_count = IntegerField()
    following_count = IntegerField()
    posts_count = IntegerField()
    campaigns_count = IntegerField()
    badges = ListField(child=CharField())
