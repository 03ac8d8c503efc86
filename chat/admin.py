"""Who talks with whom and how much, for moderators. What was said is not shown here."""

from django.contrib import admin

from chat.models import Conversation, Member
from core.admin import ReadOnlyAdmin


class MemberInline(admin.TabularInline):
    model = Member
    fields = ("user", "role", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, *_: object) -> bool:
        return False

    def has_change_permission(self, *_: object) -> bool:
        return False


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("id", "type", "title", "last_seq", "created_at", "active_at")
    list_filter = ("type",)
    search_fields = ("=id", "members__user__email")
    fields = ("id", "type", "title", "last_seq", "created_at", "active_at")
    ordering = ("-active_at", "-id")
    show_full_result_count = False
    inlines = [MemberInline]
