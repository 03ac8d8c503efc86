"""Stored files in the admin: their state, and another try for those that failed. None is opened here."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _, ngettext

from core import clock
from core.admin import ReadOnlyAdmin, ReadOnlyRows, chip, holds, named_id, yes_or_no
from uploads.models import Rendition, State, StorageUse, StoredFile
from uploads.permissions import OPERATE_FILES
from uploads.services.renditions import process_again

TONES: dict[str, str] = {State.PROCESSING: "info", State.READY: "good", State.FAILED: "bad"}


class RenditionRows(ReadOnlyRows):
    model = Rendition
    fields = ("kind", "content_type", "width", "height", "size", "storage_name")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    right = OPERATE_FILES
    list_display = ("created_at", "what", "content_type", "kept_size", "visibility", "state_chip", "moving_since")
    list_filter = (
        "state",
        "visibility",
        ("moving_since", yes_or_no(_("moving"))),
        ("deleted_at", yes_or_no(_("deleted"))),
    )
    search_fields = ("=id", "=owner_id")
    search_help_text = _("Id of a file or of its owner")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    fields = (
        "id",
        "owner_id",
        "purpose",
        "visibility",
        "state",
        "content_type",
        "size",
        "width",
        "height",
        "duration_ms",
        "storage_name",
        "created_at",
        "moving_since",
        "deleted_at",
    )
    inlines = (RenditionRows,)
    actions = ("try_again",)

    @admin.display(description=_("Purpose"), ordering="purpose")
    def what(self, stored: StoredFile) -> SafeString:
        return named_id(stored.purpose, stored.pk)

    @admin.display(description=_("Size"), ordering="size")
    def kept_size(self, stored: StoredFile) -> str:
        return filesizeformat(stored.size)

    @admin.display(description=_("State"), ordering="state")
    def state_chip(self, stored: StoredFile) -> SafeString:
        return chip(stored.get_state_display(), TONES[stored.state])

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return holds(request, OPERATE_FILES)

    @admin.action(description=_("Process again (failed files)"), permissions=["retry"])
    def try_again(self, request: HttpRequest, rows: QuerySet[StoredFile]) -> None:
        count = sum(process_again(pk, by=request.user, now=clock.now()) for pk in rows.values_list("pk", flat=True))
        if not count:
            self.message_user(request, _("None of these has failed."), messages.WARNING)
            return
        text = ngettext("%(n)s file will be processed again.", "%(n)s files will be processed again.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS)


@admin.register(StorageUse)
class StorageUseAdmin(ReadOnlyAdmin):
    right = OPERATE_FILES
    list_display = ("owner_id", "kept")
    search_fields = ("=owner_id",)
    search_help_text = _("Id of a person")
    ordering = ("-used", "owner_id")
    show_full_result_count = False

    @admin.display(description=_("Kept"), ordering="used")
    def kept(self, use: StorageUse) -> str:
        return filesizeformat(use.used)
