"""Channels, for moderators to look at; only services change them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, named_id, person_cell, yes_or_no
from social.admin.people import SHOWN, people_list
from social.models import Channel, ChannelMember
from social.permissions import MODERATE


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    right = MODERATE
    list_display = ("named", "owned_by", "subscriber_count", "created_at", "hidden_at")
    list_filter = (("hidden_at", yes_or_no(_("hidden"))),)
    list_select_related = ("owner",)
    search_fields = ("name", "=id", "=owner__email", "owner__last_name")
    search_help_text = _("Name, id, owner's name or mail")
    ordering = ("-subscriber_count", "-id")
    show_full_result_count = False
    fields = ("name", "description", "subscriber_count", "created_at", "hidden_at", "writers", "newest", "pinned")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    @admin.display(description=_("Channel"), ordering="name")
    def named(self, channel: Channel) -> SafeString:
        return named_id(channel.name, channel.pk)

    @admin.display(description=_("Owner"), ordering="owner__last_name")
    def owned_by(self, channel: Channel) -> SafeString:
        return person_cell(channel.owner.name, channel.owner.email)

    @admin.display(description=_("Owner and editors"))
    def writers(self, channel: Channel) -> SafeString:
        return _people(channel.members.exclude(role=ChannelMember.Role.SUBSCRIBER).order_by("id"))

    @admin.display(description=_("Newest subscribers"))
    def newest(self, channel: Channel) -> SafeString:
        return _people(channel.members.order_by("-id"))

    @admin.display(description=_("Pinned posts"))
    def pinned(self, channel: Channel) -> SafeString:
        pins = channel.pins.select_related("post").order_by("id")
        return format_html_join("", "<p>{}</p>", ((pin.post.content[:200],) for pin in pins))


def _people(rows: Any) -> SafeString:
    return people_list((row.user, row.get_role_display()) for row in rows.select_related("user")[:SHOWN])
