"""Conversations and their members, for moderators. Messages are not shown."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chat.models import Conversation, Member
from chat.permissions import INSPECT
from core.admin import ReadOnlyAdmin, ReadOnlyRows


class MemberInline(ReadOnlyRows):
    model = Member
    fields = ("user", "role", "created_at")


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    right = INSPECT
    list_display = ("id", "type", "title", "last_seq", "created_at", "active_at")
    list_filter = ("type",)
    search_fields = ("=id", "members__user__email")
    search_help_text = _("Id, or a member's e-mail address")
    fields = ("id", "type", "title", "last_seq", "created_at", "active_at")
    ordering = ("-active_at", "-id")
    show_full_result_count = False
    inlines = [MemberInline]
