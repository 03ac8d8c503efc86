"""Stories, for moderators. Their pictures are on the page of a case only, where every look is recorded."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import ReadOnlyAdmin, chip, person_cell, yes_or_no
from social.models import Story
from social.permissions import MODERATE


@admin.register(Story)
class StoryAdmin(ReadOnlyAdmin):
    right = MODERATE
    list_display = ("by", "caption", "state", "views_count", "created_at", "expires_at")
    list_filter = (("hidden_at", yes_or_no(_("hidden"))),)
    list_select_related = ("author",)
    search_fields = ("caption", "=id", "=author__email", "author__last_name")
    search_help_text = _("Caption, id, author's name or mail")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("by", "caption", "state", "views_count", "created_at", "expires_at", "hidden_at")
    readonly_fields = ("by", "state")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    @admin.display(description=_("Author"), ordering="author__last_name")
    def by(self, story: Story) -> SafeString:
        return person_cell(story.author.name, story.author.email)

    @admin.display(description=_("State"))
    def state(self, story: Story) -> SafeString:
        if story.hidden_at is not None:
            return chip(_("hidden"), "warn")
        return chip(_("shown"), "good") if story.expires_at > clock.now() else chip(_("ended"))
