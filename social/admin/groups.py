"""Groups, for moderators to look at; only services change them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, chip, named_id, yes_or_no
from social.admin.people import SHOWN, people_list
from social.models import Group, Membership
from social.permissions import MODERATE

_TONES = {Group.Visibility.PUBLIC: "good", Group.Visibility.PRIVATE: "info", Group.Visibility.SECRET: "warn"}


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    right = MODERATE
    list_display = ("named", "visibility_chip", "join_policy", "member_count", "created_at", "hidden_at")
    list_filter = ("visibility", "join_policy", ("hidden_at", yes_or_no(_("hidden"))))
    search_fields = ("name", "=id")
    search_help_text = _("Name or id")
    ordering = ("-member_count", "-id")
    show_full_result_count = False
    fields = (
        "name",
        "description",
        "visibility",
        "join_policy",
        "member_count",
        "created_at",
        "hidden_at",
        "staff",
        "newest",
        "banned",
    )
    readonly_fields = ("staff", "newest", "banned")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    @admin.display(description=_("Group"), ordering="name")
    def named(self, group: Group) -> SafeString:
        return named_id(group.name, group.pk)

    @admin.display(description=_("Visibility"), ordering="visibility")
    def visibility_chip(self, group: Group) -> SafeString:
        return chip(group.get_visibility_display(), _TONES[Group.Visibility(group.visibility)])

    @admin.display(description=_("Owners, admins, moderators"))
    def staff(self, group: Group) -> SafeString:
        return _people(group.memberships.exclude(role=Membership.Role.MEMBER).by_rank())

    @admin.display(description=_("Newest members"))
    def newest(self, group: Group) -> SafeString:
        return _people(group.memberships.members().order_by("-id"))

    @admin.display(description=_("Banned last"))
    def banned(self, group: Group) -> SafeString:
        return _people(group.memberships.filter(status=Membership.Status.BANNED).order_by("-id"))


def _people(rows: Any) -> SafeString:
    return people_list((row.user, row.get_role_display()) for row in rows.select_related("user")[:SHOWN])
