"""Conversations and their members, for moderators. Messages are not shown."""

from urllib.parse import quote

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from accounts.models import User
from chat.models import Conversation, Member
from chat.permissions import INSPECT
from core.admin import SECTION_ROWS, ReadOnlyAdmin, ReadOnlyRows, Section, add_section, anchor, moment_text


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


def _conversations_of(request: HttpRequest, person: User) -> Section:
    """Which there are, never what was said."""
    own = Conversation.objects.filter(members__user=person)
    newest = own.annotate(people=Count("members__conversation__members")).order_by("-active_at", "-id")
    return Section(
        title=gettext("Conversations"),
        head=(gettext("Active"), gettext("Kind"), gettext("People"), gettext("Messages")),
        rows=[
            (
                anchor(moment_text(one.active_at), "admin:chat_conversation_change", one.pk),
                one.get_type_display(),
                one.people,
                one.last_seq,
            )
            for one in newest[:SECTION_ROWS]
        ],
        address=f"{reverse('admin:chat_conversation_changelist')}?q={quote(person.email)}",
        count=own.count(),
    )


add_section(User, INSPECT, _conversations_of, place=70)
