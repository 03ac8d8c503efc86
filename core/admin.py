import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _, ngettext

from core import clock
from core.api.errors import Refusal
from core.events.reading import audit_log
from core.maintenance import parked
from core.models import Event, FailingItem, OutboxEvent
from core.permissions import OPERATE_OUTBOX, READ_AUDIT
from core.rights import Right

if TYPE_CHECKING:  # these are generic for the type checker only
    _Page = admin.ModelAdmin[Any]
    _Rows = admin.TabularInline[Any, Any]
else:
    _Page, _Rows = admin.ModelAdmin, admin.TabularInline


def chip(text: Any, tone: str = "") -> SafeString:
    """A short state in a list; `tone` is `good`, `info`, `warn`, `bad` or nothing."""
    return format_html('<span class="chip {}">{}</span>', tone, text)


def person_cell(name: str, address: str) -> SafeString:
    """Initials, name and a line below."""
    initials = "".join(part[0] for part in name.split()[:2]).upper()
    return format_html(
        '<span class="who"><span class="face" aria-hidden="true">{}</span>'
        "<span><b>{}</b><small>{}</small></span></span>",
        initials,
        name,
        address,
    )


def named_id(name: str, key: Any) -> SafeString:
    """What something is, and its id in a line below."""
    return format_html('{}<br><small class="mono quiet">{}</small>', name, key or "")


def yes_or_no(title: Any) -> type[admin.EmptyFieldListFilter]:
    """A filter on whether a moment has come, in words."""

    class Filter(admin.EmptyFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice, word in zip(super().choices(changelist), (_("All"), _("No"), _("Yes")), strict=True):
                yield {**choice, "display": word}

    return Filter


class ReadOnlyRows(_Rows):
    """Rows that belong to what is shown; `fields` names them."""

    template = "admin/read_only_rows.html"
    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # everybody who may see the page

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def holds(request: HttpRequest, right: Right) -> bool:
    """Whether the signed-in staff member holds the right; False for anonymous requests."""
    return request.user.has_perm(right.name)


_links: dict[type[Model], list[tuple[Any, str, Right]]] = {}


def add_link(model: type[Model], text: Any, name: str, right: Right) -> None:
    """
    Have the admin page of each row of `model` link to a page of an upper app.

    :param name: of the address, which takes the row's key
    :param right: what it takes to see that page, and so the link
    """
    _links.setdefault(model, []).append((text, name, right))


def links_of(request: HttpRequest, row: Model) -> list[dict[str, Any]]:
    """The links that upper apps have added for a row: `address` and `text`."""
    added = _links.get(type(row), [])
    return [
        {"address": reverse(name, args=[row.pk]), "text": text} for text, name, right in added if holds(request, right)
    ]


SECTION_ROWS = 10
"""How many rows a section shows; its link leads to all of them."""


@dataclass(frozen=True, slots=True)
class Section:
    """What an upper app adds to the admin page of something: a few facts, and the newest rows of a list."""

    title: Any
    facts: Sequence[tuple[Any, Any]] = ()
    """Labels, and what stands beside them."""
    head: Sequence[Any] = ()
    rows: Sequence[Sequence[Any]] = ()
    address: str = ""
    """Of the page with all rows."""
    count: int | None = None
    """How many rows there are; None: nobody counted."""


SectionReader = Callable[[HttpRequest, Any], Section | None]
_sections: dict[type[Model], list[tuple[int, Right, SectionReader]]] = {}


def add_section(model: type[Model], right: Right, read: SectionReader, *, place: int) -> None:
    """
    Add a section to the admin page of each row of `model`, for those who hold `right`.

    :param place: smaller ones stand further up
    :param read: from the request and the row, with a fixed number of statements and at most SECTION_ROWS rows; None
        leaves it out
    """
    _sections.setdefault(model, []).append((place, right, read))


def sections_of(request: HttpRequest, row: Model) -> list[Section]:
    """The sections that upper apps have added for a row and that this viewer may see."""
    ordered = sorted(_sections.get(type(row), []), key=lambda added: added[0])
    added = [read(request, row) for _place, right, read in ordered if holds(request, right)]
    return [section for section in added if section is not None]


def anchor(text: Any, name: str, key: Any) -> SafeString:
    """A link to the admin's page `name` of a row."""
    return format_html('<a href="{}">{}</a>', reverse(name, args=[key]), text)


def moment_text(moment: datetime | None) -> str:
    """A moment in UTC, short."""
    return date_format(moment, "j M Y H:i") if moment else ""


_referents: dict[str, tuple[str, Right]] = {}


def add_referent(prefix: str, name: str, right: Right) -> None:
    """
    Say which admin page a reference of the books leads to.

    :param prefix: what stands before the id, as in `investment:<id>`
    :param name: of the page's address, which takes the id
    :param right: what it takes to see that page
    """
    _referents[prefix] = (name, right)


def referent_of(request: HttpRequest, reference: str) -> SafeString:
    """A reference, as a link to what it names where that has a page which this viewer may see."""
    prefix, _colon, key = reference.partition(":")
    name, right = _referents.get(prefix, ("", None))
    try:
        return anchor(reference, name, UUID(key)) if right and holds(request, right) else format_html("{}", reference)
    except ValueError:
        return format_html("{}", reference)


class StaffPage(_Page):
    """A page of the admin, for those who hold its `right` (core.rights)."""

    right: Right

    def has_module_permission(self, request: HttpRequest) -> bool:
        return holds(request, self.right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, self.right)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, self.right)


class ReadOnlyAdmin(StaffPage):
    """For what nobody edits by hand, whatever the role. Lists and pages are titled by what they show."""

    show_facets = admin.ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context.update({"title": context.get("subtitle") or context["title"], "subtitle": None})
        if (row := context.get("original")) is not None:
            context["links"] = links_of(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DecisionAdmin(ReadOnlyAdmin):
    """
    The page of one row with the decision that staff take on it.

    A POST names the decision (`decision=approve`). Its method takes the request and the row and returns what is wrong
    with the form, or nothing; a refusal of the service is shown on the page, with the row as it is then.
    """

    decision_template: str
    decisions: Mapping[str, str]
    """Names of methods by that of their button."""

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the page shows."""
        return self.get_queryset(request)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the template shows of a row, beside `title`, `refused` and `typed`."""
        raise NotImplementedError

    def may_decide(self, request: HttpRequest) -> bool:
        """Whether the decision may be sent at all; the service asks the rest."""
        return self.has_view_permission(request)

    def next_page(self, request: HttpRequest, row: Any) -> str:
        """Where a decision leads."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self._row(request, object_id)
        if request.method != "POST":
            return self._show(request, row)
        if not self.may_decide(request):
            raise PermissionDenied
        name = self.decisions.get(request.POST.get("decision", ""))
        if name is None:
            raise Http404
        try:
            wrong = getattr(self, name)(request, row)
        except Refusal as refusal:
            return self._show(request, self._row(request, object_id), refusal.detail, refusal.status)
        if wrong:
            return self._show(request, row, wrong, 400)
        return HttpResponseRedirect(self.next_page(request, row))

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return self.rows(request).get(pk=UUID(object_id))
        except (ObjectDoesNotExist, ValueError):
            raise Http404 from None

    def _show(self, request: HttpRequest, row: Any, refused: str = "", status: int = 200) -> HttpResponse:
        """:param refused: why the decision was refused; the form keeps its input"""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(row),
            "refused": refused,
            "typed": request.POST.get("reason", ""),
            **self.page(request, row),
        }
        return TemplateResponse(request, self.decision_template, context, status=status)


def reason_in(request: HttpRequest, *, most: int, missing: Any) -> tuple[str, str]:
    """
    The words that a decision needs, from the field `reason`.

    :param missing: what to say when there are none
    :returns: the words, and what is wrong with them: empty if nothing is
    """
    reason = request.POST.get("reason", "").replace("\0", "").strip()
    if not reason:
        return "", str(missing)
    if len(reason) > most:
        return "", str(_("Write at most %(most)s characters.") % {"most": most})
    return reason, ""


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The audit log."""

    right = READ_AUDIT
    list_display = ("created_at", "kind_text", "actor", "subject", "address")
    list_filter = ("kind",)
    search_help_text = _("Id of a person, a subject or a request")
    search_fields = ("actor_id", "subject_id", "request_id")
    date_hierarchy = "created_at"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return audit_log().order_by("-id")

    @admin.display(description=_("Kind"), ordering="kind")
    def kind_text(self, event: Event) -> SafeString:
        """May be broken behind the noun and between words."""
        return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in re.findall(r"[^._]+[._]?", event.kind)))

    @admin.display(description=_("Actor"), ordering="actor_id")
    def actor(self, event: Event) -> SafeString:
        return named_id(event.actor_label, event.actor_id)

    @admin.display(description=_("Subject"), ordering="subject_id")
    def subject(self, event: Event) -> SafeString:
        return named_id(event.subject_type, event.subject_id)


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    right = OPERATE_OUTBOX
    list_display = ("created_at", "topic", "state", "attempts", "due_at", "reason")
    list_filter = (("parked_at", yes_or_no(_("parked"))), ("delivered_at", yes_or_no(_("delivered"))), "topic")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    actions = ("try_again",)
    change_form_template = "admin/core/outboxevent/event.html"

    @admin.display(description=_("State"), ordering="parked_at")
    def state(self, event: OutboxEvent) -> SafeString:
        if event.parked_at:
            return chip(_("parked"), "bad")
        return chip(_("delivered"), "good") if event.delivered_at else chip(_("waiting"), "info")

    @admin.display(description=_("Last error"))
    def reason(self, event: OutboxEvent) -> SafeString:
        return format_html('<span class="clipped" title="{0}">{0}</span>', event.last_error)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return holds(request, OPERATE_OUTBOX)

    @admin.action(description=_("Try again (parked events)"), permissions=["retry"])
    def try_again(self, request: HttpRequest, events: QuerySet[OutboxEvent]) -> None:
        count = parked.unpark(by=request.user, event_ids=events.values_list("pk", flat=True), now=clock.now())
        if not count:
            self.message_user(request, _("None of these is parked."), messages.WARNING)
            return
        text = ngettext("%(n)s event will be tried again.", "%(n)s events will be tried again.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One event; the button of a parked one does what the list's action does."""
        if request.method != "POST":
            may_retry = {"may_retry": self.has_retry_permission(request)}
            return super().change_view(request, object_id, form_url, {**may_retry, **(extra_context or {})})
        event = self.get_object(request, unquote(object_id))
        if event is None:
            raise Http404
        if not self.has_retry_permission(request):
            raise PermissionDenied
        self.try_again(request, OutboxEvent.objects.filter(pk=event.pk))
        return HttpResponseRedirect(request.path)


@admin.register(FailingItem)
class FailingItemAdmin(ReadOnlyAdmin):
    """Items of jobs that raise again and again."""

    right = OPERATE_OUTBOX
    list_display = ("created_at", "job", "item", "state", "attempts", "due_at", "reason")
    list_filter = (("parked_at", yes_or_no(_("parked"))), "job")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    actions = ("try_again",)

    @admin.display(description=_("State"), ordering="parked_at")
    def state(self, row: FailingItem) -> SafeString:
        return chip(_("parked"), "bad") if row.parked_at else chip(_("waiting"), "info")

    @admin.display(description=_("Last error"))
    def reason(self, row: FailingItem) -> SafeString:
        return format_html('<span class="clipped" title="{0}">{0}</span>', row.last_error)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return holds(request, OPERATE_OUTBOX)

    @admin.action(description=_("Try again (parked items)"), permissions=["retry"])
    def try_again(self, request: HttpRequest, rows: QuerySet[FailingItem]) -> None:
        count = parked.unpark_items(by=request.user, ids=rows.values_list("pk", flat=True), now=clock.now())
        if not count:
            self.message_user(request, _("None of these is parked."), messages.WARNING)
            return
        text = ngettext("%(n)s item will be tried again.", "%(n)s items will be tried again.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS)
