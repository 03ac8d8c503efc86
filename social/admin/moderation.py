"""
Moderation in the admin: the queue, a case, an appeal. Every change calls the services; who reported something is shown
to those who ask for it, and that is recorded.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from accounts.reportable import TARGETS, TargetType, fingerprint
from core import clock
from core.admin import ReadOnlyAdmin, chip
from core.api.errors import Refusal
from social import queue
from social.models import Appeal, Case, Decision
from social.models.moderation import SANCTIONS, TIMED, Action, Rule
from social.permissions import MODERATE
from social.services import appeals, decisions
from social.services.evidence import show_picture
from social.services.reporters import show_reporters
from social.services.reports import described
from uploads.views import file_response

LATE = timedelta(hours=24)
"""A case that waits longer is shown as late."""
LENGTHS = {
    1: gettext_lazy("1 day"),
    3: gettext_lazy("3 days"),
    7: gettext_lazy("1 week"),
    30: gettext_lazy("1 month"),
    90: gettext_lazy("3 months"),
    365: gettext_lazy("1 year"),
}
"""Days of a freeze or a suspension."""
MESSAGES = {
    Rule.SPAM: gettext_lazy("Please do not advertise here. Tell people about your own campaign on its page."),
    Rule.ABUSE: gettext_lazy("Please stay friendly. Disagree with what somebody says, and leave the person alone."),
    Rule.FRAUD: gettext_lazy("Please do not promise returns that nobody can promise."),
    Rule.PRIVACY: gettext_lazy("Please do not publish other people's addresses, numbers or messages."),
}
"""Ready-made words to the person."""
TONES = {
    Action.DISMISS: "",
    Action.NOTE: "info",
    Action.WARN: "warn",
    Action.HIDE: "warn",
    Action.FREEZE: "bad",
    Action.SUSPEND: "bad",
    Action.UNDO: "",
}
CHOICES = (
    (Action.DISMISS, "d", gettext_lazy("Dismiss"), gettext_lazy("Nothing is wrong with it; it is shown again")),
    (Action.WARN, "w", gettext_lazy("Warn"), gettext_lazy("The person is told which rule it breaks")),
    (Action.HIDE, "h", gettext_lazy("Hide"), gettext_lazy("Others do not see it, or not what it says")),
    (Action.FREEZE, "f", gettext_lazy("Freeze"), gettext_lazy("The person reads, and publishes nothing")),
    (Action.SUSPEND, "s", gettext_lazy("Suspend"), gettext_lazy("The person cannot sign in")),
    (Action.NOTE, "o", gettext_lazy("Note only"), gettext_lazy("For colleagues; the case stays open")),
)
"""Each decision with its key, its name and what it does."""


class DecisionForm(forms.Form):
    action = forms.ChoiceField(
        choices=[(action, "") for action, *_rest in CHOICES],
        error_messages={"required": gettext_lazy("Choose a decision.")},
    )
    rule = forms.ChoiceField(choices=Rule.choices, required=False)
    days = forms.TypedChoiceField(choices=[(str(days), "") for days in LENGTHS], coerce=int, required=False)
    hides = forms.BooleanField(required=False)
    words = forms.CharField(max_length=1000, required=False)
    note = forms.CharField(max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        action = data.get("action")
        if action in SANCTIONS and not data.get("rule") and "rule" not in self.errors:
            self.add_error("rule", _("Choose the rule that it breaks."))
        if action in TIMED and not data.get("days") and "days" not in self.errors:
            self.add_error("days", _("Choose for how long."))
        if action == Action.NOTE and not data.get("note") and "note" not in self.errors:
            self.add_error("note", _("Write the note."))
        return data

    def decision(self) -> dict[str, Any]:
        """The arguments of `decide`."""
        data = dict(self.cleaned_data)
        days = data.pop("days")
        if data["action"] not in SANCTIONS:
            data["rule"], data["words"] = "", ""
        return {**data, "length": timedelta(days=days) if days and data["action"] in TIMED else None}


class AppealForm(forms.Form):
    outcome = forms.ChoiceField(
        choices=[(Appeal.Status.UPHELD, ""), (Appeal.Status.OVERTURNED, "")],
        error_messages={"required": gettext_lazy("Choose: let it stand, or undo it.")},
    )
    answer = forms.CharField(
        max_length=1000, error_messages={"required": gettext_lazy("Write the person why you decided so.")}
    )


class Tabs(admin.SimpleListFilter):
    """The tabs above a queue. `conditions` has the rows of each, `counted` names those with a number."""

    title = gettext_lazy("queue")
    parameter_name = "queue"
    template = "admin/social/tabs.html"
    labels: dict[str, Any]
    counted: tuple[str, ...]

    def conditions(self, request: HttpRequest) -> dict[str, Q]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.labels.items())

    def value(self) -> str:
        return super().value() or next(iter(self.labels))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.conditions(request).get(self.value(), Q()))

    def choices(self, changelist: Any) -> Iterator[Any]:
        conditions = self.conditions(changelist.request)
        counts = changelist.root_queryset.aggregate(
            **{name: Count("pk", filter=conditions[name]) for name in self.counted}
        )
        for name, label in self.lookup_choices:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}, ["p"]),
                "display": label,
                "count": counts.get(name),
            }


class CaseTabs(Tabs):
    labels = {
        "waiting": gettext_lazy("Waiting"),
        "held": gettext_lazy("Held back"),
        "mine": gettext_lazy("Mine"),
        "decided": gettext_lazy("Decided"),
        "all": gettext_lazy("All"),
    }
    counted = ("waiting", "held", "mine")

    def conditions(self, request: HttpRequest) -> dict[str, Q]:
        is_open = Q(closed_at__isnull=True)
        return {
            "waiting": is_open,
            "held": is_open & Q(held_at__isnull=False),
            "mine": is_open & Q(claimed_by=request.user.pk, claimed_until__gt=clock.now()),
            "decided": ~is_open,
            "all": Q(),
        }


class AppealTabs(Tabs):
    labels = {
        "waiting": gettext_lazy("Waiting"),
        "judged": gettext_lazy("Judged"),
        "all": gettext_lazy("All"),
    }
    counted = ("waiting",)

    def conditions(self, request: HttpRequest) -> dict[str, Q]:
        waiting = Q(status=Appeal.Status.OPEN)
        return {"waiting": waiting, "judged": ~waiting, "all": Q()}


class QueueList(ChangeList):
    """A change list that keeps its request, for the counts on the tabs, and orders what waits as the queue is."""

    request: HttpRequest
    model_admin: "QueueAdmin"

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.request = request
        return super().get_queryset(request, exclude_parameters)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        return {name: value for name, value in super().get_filters_params(params).items() if name != "undo"}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        waits = request.GET.get("queue", "waiting") not in ("decided", "judged", "all")
        return list(self.model_admin.queue_order) if waits else ["-id"]


class QueueAdmin(ReadOnlyAdmin):
    """What a list of moderators and its pages have in common."""

    right = MODERATE
    change_list_template = "admin/social/queue.html"
    list_per_page = 50
    show_full_result_count = False
    queue_order: tuple[str, ...]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueList

    def found(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise Http404
        try:
            return self.get_queryset(request).get(pk=UUID(object_id))
        except (self.model.DoesNotExist, ValueError, ValidationError):
            raise Http404 from None

    def address(self, row: Any) -> str:
        return reverse(f"admin:social_{self.opts.model_name}_change", args=[row.pk])

    def list_address(self) -> str:
        return reverse(f"admin:social_{self.opts.model_name}_changelist")


@admin.register(Case)
class CaseAdmin(QueueAdmin):
    list_display = ("thing", "reported", "severity", "state", "waiting", "holder")
    list_filter = (CaseTabs, "target_type")
    search_fields = ("person__email", "person__first_name", "person__last_name", "=target_id")
    search_help_text = gettext_lazy("Name or e-mail address of whose it is, or an id")
    queue_order = queue.QUEUE_ORDER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        # Moderators never see what is about themselves.
        return queue.cases(request.user).prefetch_related("decisions")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.picture)
        return [path("<uuid:case_id>/picture/<uuid:file_id>", view, name="social_case_picture"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        more = {
            "title": _("Reports"),
            "undoable": _undoable(request),
            "following": queue.next_case(request.user, clock.now()),
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    # --- Columns ------------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("What"))
    def thing(self, case: Case) -> SafeString:
        owner = case.person.name if case.person else _("nobody")
        return format_html(
            '<b>{}</b><br><span class="quiet">{} · {}</span>',
            case.excerpt or _("No words"),
            case.get_target_type_display(),
            owner,
        )

    @admin.display(description=gettext_lazy("Reported"), ordering="report_count")
    def reported(self, case: Case) -> str:
        return _reported(case)

    @admin.display(description=gettext_lazy("State"))
    def state(self, case: Case) -> SafeString:
        if case.closed_at is None:
            return chip(_("held back"), "warn") if case.held_at else chip(_("waiting"), "info")
        taken = [decision for decision in case.decisions.all() if decision.action != Action.NOTE]
        last = max(taken, key=lambda decision: decision.pk, default=None)
        return chip(last.get_action_display(), TONES[Action(last.action)]) if last else chip(_("decided"))

    @admin.display(description=gettext_lazy("Waiting"), ordering="created_at")
    def waiting(self, case: Case) -> SafeString:
        if case.closed_at is not None:
            return format_html('<span class="quiet">{}</span>', f"{case.closed_at:%d %b %Y}")
        now = clock.now()
        late = "late" if now - case.created_at > LATE else ""
        return format_html('<span class="{}">{}</span>', late, timesince(case.created_at, now, depth=1))

    @admin.display(description=gettext_lazy("With"))
    def holder(self, case: Case) -> SafeString | str:
        holder = case.holder_at(clock.now())
        return holder.name if holder else format_html('<span class="quiet">{}</span>', _("Nobody"))

    # --- One case -----------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case = self.found(request, object_id)
        if request.method != "POST":
            return self._page(request, case)
        acts: dict[str, Callable[[HttpRequest, Case, datetime], HttpResponse]] = {
            "decide": self._decide,
            "take": self._take,
            "release": self._release,
            "undo": self._undo,
            "reporters": self._show_reporters,
        }
        act = acts.get(request.POST.get("do", ""))
        if act is None:
            raise Http404
        try:
            return act(request, case, clock.now())
        except Refusal as refusal:
            return self._page(request, case, refused=str(refusal.detail), status=refusal.status)

    def _decide(self, request: HttpRequest, case: Case, now: datetime) -> HttpResponse:
        form = DecisionForm(request.POST)
        if not form.is_valid():
            reasons = " ".join(str(reason) for refused in form.errors.values() for reason in refused)
            return self._page(request, case, refused=reasons, status=400)
        taken = decisions.decide(
            moderator=request.user,
            case_id=case.pk,
            seen=decisions.Seen.read(request.POST.get("seen", "")),
            now=now,
            **form.decision(),
        )
        if taken.action == Action.NOTE:
            return HttpResponseRedirect(self.address(case))
        following = queue.next_case(request.user, now, after=case.pk) if request.POST.get("next") else None
        target = self.address(following) if following else self.list_address()
        return HttpResponseRedirect(f"{target}?undo={taken.pk}")

    def _take(self, request: HttpRequest, case: Case, now: datetime) -> HttpResponse:
        decisions.open_case(moderator=request.user, case_id=case.pk, now=now, take_over=True)
        return HttpResponseRedirect(self.address(case))

    def _release(self, request: HttpRequest, case: Case, now: datetime) -> HttpResponse:
        decisions.put_back(moderator=request.user, case_id=case.pk)
        return HttpResponseRedirect(self.list_address())

    def _undo(self, request: HttpRequest, case: Case, now: datetime) -> HttpResponse:
        try:
            decision_id = UUID(request.POST.get("decision", ""))
        except ValueError:
            raise Http404 from None
        undone = decisions.undo(moderator=request.user, decision_id=decision_id, now=now)
        return HttpResponseRedirect(self.address(undone.case))

    def _show_reporters(self, request: HttpRequest, case: Case, now: datetime) -> HttpResponse:
        found = show_reporters(moderator=request.user, case_id=case.pk, now=now)
        return self._page(request, case, reporters=found)

    def _page(
        self,
        request: HttpRequest,
        case: Case,
        *,
        refused: str = "",
        status: int = 200,
        reporters: list[dict[str, Any]] | None = None,
    ) -> HttpResponse:
        """:param refused: why nothing was done; the form keeps its input"""
        now = clock.now()
        _opened, seen = decisions.open_case(moderator=request.user, case_id=case.pk, now=now)
        case = self.found(request, str(case.pk))
        holder, target = case.holder_at(now), TARGETS[case.target_type]
        is_mine = holder == request.user
        can_hide = target.can_be_hidden and queue.thing_of(case) is not None
        typed = request.POST if request.POST.get("do") == "decide" else {}
        context = {
            **self.admin_site.each_context(request),
            **case_context(case, request, now),
            "opts": self.opts,
            "title": f"{case.get_target_type_display()}: {case.excerpt}",
            "refused": refused,
            "typed": typed,
            "undoable": _undoable(request),
            "seen": seen,
            "holder": holder,
            "is_mine": is_mine,
            "decides": case.closed_at is None and is_mine,
            "choices": [
                {"value": action.value, "key": key, "name": name, "about": about, "tone": TONES[action] or "good"}
                for action, key, name, about in CHOICES
                if (action != Action.HIDE or can_hide) and (action not in SANCTIONS or case.person)
            ],
            "can_hide": can_hide,
            "rules": Rule.choices,
            "rule": typed.get("rule") or queue.rule_offered(case),
            "lengths": LENGTHS.items(),
            "days": typed.get("days") or "7",
            "presets": MESSAGES.values(),
            "reporters": reporters,
        }
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "admin/social/case/case.html", context, status=status, headers=headers)

    def picture(self, request: HttpRequest, case_id: UUID, file_id: UUID) -> HttpResponseBase:
        """A picture or video of a case, also of what its author has deleted. That somebody looked is recorded."""
        case = self.found(request, str(case_id))
        if file_id not in queue.pictures_of(case):
            raise Http404
        try:
            opened = show_picture(moderator=request.user, case=case, file_id=file_id, now=clock.now())
            return file_response(request, opened)
        except Refusal:
            raise Http404 from None


@admin.register(Appeal)
class AppealAdmin(QueueAdmin):
    list_display = ("against", "person", "state", "waiting")
    list_filter = (AppealTabs,)
    search_fields = ("decision__person__email", "decision__person__first_name", "decision__person__last_name")
    search_help_text = gettext_lazy("Name or e-mail address")
    queue_order = ("id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appeal]:
        # Nobody judges an appeal against what they decided, or about themselves.
        return queue.appeals(request.user)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Appeals"), **(extra_context or {})})

    @admin.display(description=gettext_lazy("Against"))
    def against(self, appeal: Appeal) -> SafeString:
        case = appeal.decision.case
        return format_html(
            '<b>{}</b><br><span class="quiet">{}</span>',
            appeal.decision.get_action_display(),
            case.excerpt or case.get_target_type_display(),
        )

    @admin.display(description=gettext_lazy("Person"))
    def person(self, appeal: Appeal) -> str:
        return appeal.decision.person.name if appeal.decision.person else ""

    @admin.display(description=gettext_lazy("State"))
    def state(self, appeal: Appeal) -> SafeString:
        tones = {Appeal.Status.OPEN: "info", Appeal.Status.UPHELD: "", Appeal.Status.OVERTURNED: "good"}
        return chip(appeal.get_status_display(), tones[Appeal.Status(appeal.status)])

    @admin.display(description=gettext_lazy("Since"), ordering="id")
    def waiting(self, appeal: Appeal) -> str:
        return timesince(appeal.created_at, clock.now(), depth=1)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        appeal = self.found(request, object_id)
        if request.method != "POST":
            return self._page(request, appeal)
        form = AppealForm(request.POST)
        if not form.is_valid():
            reasons = " ".join(str(reason) for refused in form.errors.values() for reason in refused)
            return self._page(request, appeal, refused=reasons, status=400)
        try:
            appeals.judge_appeal(
                moderator=request.user,
                appeal_id=appeal.pk,
                overturn=form.cleaned_data["outcome"] == Appeal.Status.OVERTURNED,
                answer=form.cleaned_data["answer"],
                now=clock.now(),
            )
        except Refusal as refusal:
            return self._page(
                request, self.found(request, object_id), refused=str(refusal.detail), status=refusal.status
            )
        return HttpResponseRedirect(self.list_address())

    def _page(self, request: HttpRequest, appeal: Appeal, *, refused: str = "", status: int = 200) -> HttpResponse:
        case = appeal.decision.case
        context = {
            **self.admin_site.each_context(request),
            **case_context(case, request, clock.now()),
            "opts": self.opts,
            "title": _("Appeal of %(name)s") % {"name": case.person.name if case.person else ""},
            "appeal": appeal,
            "decision": appeal.decision,
            "refused": refused,
            "typed": request.POST,
            "judges": appeal.status == Appeal.Status.OPEN,
        }
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "admin/social/appeal/appeal.html", context, status=status, headers=headers)


def case_context(case: Case, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What is known of a case, for its page and for the page of an appeal."""
    present = queue.present(case)
    versions = [version for version in case.versions if present is None or _is_other(version, present)]
    pictures = [
        {
            "address": reverse("admin:social_case_picture", args=[case.pk, file_id]),
            "alt": facts["alt"],
            "is_video": facts["type"].startswith("video/"),
        }
        for file_id, facts in queue.pictures_of(case, present).items()
    ]
    thing = queue.thing_of(case)
    return {
        "case": case,
        "excerpt": case.excerpt,
        "person": case.person,
        "present": present,
        "versions": [{**version, "at": datetime.fromisoformat(version["at"])} for version in versions],
        "pictures": pictures,
        "before": case.versions[0].get("before", []) if case.versions else [],
        "is_hidden": thing is not None and TARGETS[case.target_type].is_hidden(thing),
        "thing": thing,
        "admin_page": _admin_page(case) if thing is not None else "",
        "is_campaign": case.target_type == TargetType.CAMPAIGN,
        "around": queue.context_of(case),
        "reported": _reported(case),
        "reasons": queue.reasons(case),
        "details": queue.details(case),
        "record": queue.record_of(case.person),
        "history": [_line(decision) for decision in queue.decisions_on(case)],
        "elsewhere": [_line(decision) for decision in queue.decisions_about(case.person_id, case)],
        "is_late": case.closed_at is None and now - case.created_at > LATE,
        "now": now,
    }


PAGES = {TargetType.GROUP: "group", TargetType.CHANNEL: "channel", TargetType.STORY: "story", TargetType.AD: "ad"}
"""What has a page of its own in the admin for who moderates, beside people and campaigns."""


def _admin_page(case: Case) -> str:
    model = PAGES.get(TargetType(case.target_type))
    return reverse(f"admin:social_{model}_change", args=[case.target_id]) if model else ""


def _is_other(version: dict[str, Any], present: dict[str, Any]) -> bool:
    return fingerprint(described(version)) != fingerprint(present)


def _line(decision: Decision) -> dict[str, Any]:
    is_undone = hasattr(decision, "undone_by")
    undoable = not is_undone and decision.action in (*SANCTIONS, Action.DISMISS)
    return {"decision": decision, "tone": TONES[Action(decision.action)], "is_undone": is_undone, "undoable": undoable}


def _reported(case: Case) -> str:
    text = ngettext("by %(n)s person", "by %(n)s people", case.report_count) % {"n": case.report_count}
    return f"{text}, {_('%(n)s trusted') % {'n': case.trusted_count}}" if case.trusted_count else text


def _undoable(request: HttpRequest) -> Decision | None:
    """What the moderator decided a moment ago, to be undone by one key."""
    try:
        decision_id = UUID(request.GET.get("undo", ""))
    except ValueError:
        return None
    mine = Decision.objects.standing().filter(pk=decision_id, decided_by=request.user.pk).exclude(action=Action.UNDO)
    return mine.select_related("case").first()
