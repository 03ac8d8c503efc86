"""Identity review in the admin: the queue and the case page. Every change calls the services that the API calls."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from accounts.models import User
from core import clock
from core.admin import (
    SECTION_ROWS,
    ReadOnlyAdmin,
    Section,
    add_section,
    anchor,
    chip,
    moment_text,
    person_cell,
    yes_or_no,
)
from core.api.errors import Refusal
from kyc import selectors
from kyc.models import (
    DECISIONS,
    Document,
    DocumentStatus,
    GrantedBadge,
    Kind,
    Risk,
    Status,
    Verification,
)
from kyc.permissions import REVIEW
from kyc.services import decisions, papers
from kyc.services.numbers import full_number
from kyc.services.risk import FLAGS
from kyc.timeline import age_text, timeline
from uploads.services import open_link
from uploads.views import file_response

TONES = {
    Status.PENDING_DOCUMENTS: "",
    Status.IN_REVIEW: "info",
    Status.AWAITING_SECOND_REVIEW: "info",
    Status.RESUBMIT: "warn",
    Status.VERIFIED: "good",
    Status.REJECTED: "bad",
    Status.EXPIRED: "",
}
RISK_TONES = {Risk.LOW: "", Risk.MEDIUM: "warn", Risk.HIGH: "bad"}
LATE = timedelta(hours=24)
"""A case that waits longer is shown as late; review within a working day is promised."""
SIDE_BY_SIDE = (Kind.FRONT, Kind.SELFIE, Kind.BACK, Kind.PROOF_OF_ADDRESS)
CHECKS = {
    "resolution": (gettext_lazy("Large enough"), gettext_lazy("Small picture")),
    "sharpness": (gettext_lazy("Sharp"), gettext_lazy("Blurred?")),
}
REASONS = {
    "blurred": gettext_lazy("Blurred or unreadable"),
    "cropped": gettext_lazy("Part of it is cut off or covered"),
    "glare": gettext_lazy("Glare or too dark"),
    "wrong_document": gettext_lazy("Not the document that was asked for"),
    "document_expired": gettext_lazy("The document has expired"),
    "data_mismatch": gettext_lazy("Differs from what was declared"),
    "face_mismatch": gettext_lazy("Face does not match the document"),
    "suspected_forgery": gettext_lazy("Suspected forgery"),
    "other": gettext_lazy("Something else, see notes"),
}
MESSAGES = [
    gettext_lazy("The picture is too blurred to read. Please lay the document on a table, in daylight, and try again."),
    gettext_lazy("Part of the document is cut off. Please send the whole page, with all four corners."),
    gettext_lazy("Your document has expired. Please send one that is still valid."),
    gettext_lazy("The selfie does not show your face clearly. Please take it again in good light, without sunglasses."),
]


class PaperForm(forms.Form):
    """A verdict on one paper."""

    status = forms.ChoiceField(choices=[(DocumentStatus.VERIFIED, ""), (DocumentStatus.REJECTED, "")])
    reason = forms.ChoiceField(choices=list(REASONS.items()), required=False)
    notes = forms.CharField(max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("status") == DocumentStatus.VERIFIED:
            data["reason"] = ""
        elif not data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", _("Choose a reason for rejecting a paper."))
        return data


class DecisionForm(forms.Form):
    """A decision on the case."""

    status = forms.ChoiceField(
        choices=[(status, "") for status in (Status.VERIFIED, Status.REJECTED, Status.RESUBMIT)],
        error_messages={"required": gettext_lazy("Choose a decision.")},
    )
    message = forms.CharField(max_length=1000, required=False)
    notes = forms.CharField(max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        needs_message = data.get("status") in (Status.REJECTED, Status.RESUBMIT) and "message" not in self.errors
        if needs_message and not data["message"]:
            self.add_error("message", _("Write the person a message: what was wrong, what to do now."))
        return data


class QueueFilter(admin.SimpleListFilter):
    """The tabs above the queue."""

    title = gettext_lazy("queue")
    parameter_name = "queue"
    template = "admin/kyc/verification/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", _("Waiting")),
            ("mine", _("Mine")),
            ("second", _("Second review")),
            ("with_person", _("With the person")),
            ("decided", _("Decided")),
            ("all", _("All")),
        ]

    def value(self) -> str:
        return super().value() or "waiting"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Verification]) -> QuerySet[Verification]:
        return queryset.filter(self.conditions(request).get(self.value(), Q()))

    def conditions(self, request: HttpRequest) -> dict[str, Q]:
        queued = Q(status__in=(Status.IN_REVIEW, Status.AWAITING_SECOND_REVIEW))
        return {
            "waiting": queued,
            "mine": queued & Q(assignee=request.user.pk),
            "second": Q(status=Status.AWAITING_SECOND_REVIEW) & ~Q(proposed_by=request.user.pk),
            "with_person": Q(status__in=(Status.PENDING_DOCUMENTS, Status.RESUBMIT)),
            "decided": Q(status__in=(Status.VERIFIED, Status.REJECTED, Status.EXPIRED)),
            "all": Q(),
        }

    def choices(self, changelist: Any) -> Iterator[Any]:
        conditions = self.conditions(changelist.request)
        counted = ("waiting", "mine", "second")
        counts = changelist.root_queryset.aggregate(**{name: Count("pk", filter=conditions[name]) for name in counted})
        for name, label in self.lookup_choices:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}, ["p"]),
                "display": label,
                "count": counts.get(name),
            }


class CaseList(ChangeList):
    """A change list that keeps its request, for the counts on the tabs."""

    request: HttpRequest

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Verification]:
        self.request = request
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Verification]) -> list[Any]:
        if request.GET.get("o"):
            return super().get_ordering(request, queryset)
        is_queue = request.GET.get("queue", "waiting") in ("waiting", "mine", "second")
        return list(selectors.QUEUE_ORDER) if is_queue else ["-created_at", "-id"]


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    right = REVIEW
    list_display = ("person", "document", "risk_chip", "status_chip", "waiting", "assigned")
    list_filter = (QueueFilter,)
    search_fields = ("user__email", "user__first_name", "user__last_name")
    search_help_text = gettext_lazy("Name or e-mail address")
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/kyc/verification/queue.html"
    case_template = "admin/kyc/verification/case.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CaseList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verification]:
        # Reviewers never see their own case here.
        return selectors.cases().reviewable_by(request.user)  # type: ignore[arg-type]

    def get_urls(self) -> list[URLPattern]:
        opening = path("paper/<str:token>", self.admin_site.admin_view(self.paper), name="kyc_verification_paper")
        return [opening, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Identity review"), **(extra_context or {})})

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("Person"), ordering="user__last_name")
    def person(self, case: Verification) -> SafeString:
        return person_cell(case.user.name, case.user.email)

    @admin.display(description=gettext_lazy("Document"), ordering="document_type")
    def document(self, case: Verification) -> SafeString:
        attempt = chip(_("attempt %(n)s") % {"n": case.attempt}) if case.attempt > 1 else ""
        country = f"{case.country} · " if case.country else ""
        sent = len(case.papers)  # type: ignore[attr-defined]
        count = ngettext("%(n)s paper", "%(n)s papers", sent) % {"n": sent}
        return format_html(
            '{} {}<br><span class="quiet">{}{}</span>', case.get_document_type_display(), attempt, country, count
        )

    @admin.display(description=gettext_lazy("Risk"), ordering="risk")
    def risk_chip(self, case: Verification) -> SafeString:
        flags = [str(FLAGS[name][1]) for name in case.risk_flags if name in FLAGS]
        level = Risk(case.risk)
        shown = format_html('<span title="{}">{}</span>', "; ".join(flags), chip(level.label, RISK_TONES[level]))
        if not flags:
            return shown
        more = f" +{len(flags) - 1}" if len(flags) > 1 else ""
        return format_html('{}<br><span class="quiet">{}{}</span>', shown, flags[0], more)

    @admin.display(description=gettext_lazy("Status"), ordering="status")
    def status_chip(self, case: Verification) -> SafeString:
        shown = chip(case.get_status_display(), TONES[Status(case.status)])
        if case.status == Status.AWAITING_SECOND_REVIEW and case.proposed_by:
            by = _("proposed by %(name)s") % {"name": case.proposed_by.name}
            return format_html('{}<br><span class="quiet">{}</span>', shown, by)
        return shown

    @admin.display(description=gettext_lazy("Waiting"), ordering="submitted_at")
    def waiting(self, case: Verification) -> SafeString | str:
        if not case.is_queued:
            moment = case.decided_at or case.created_at
            return format_html('<time class="quiet" datetime="{}">{}</time>', moment.isoformat(), f"{moment:%d %b %Y}")
        age = case.age_at(clock.now())
        return format_html(
            '<span class="{}" title="{}">{}</span>',
            "late" if age > LATE else "",
            f"{case.submitted_at:%d %b %Y %H:%M} UTC",
            age_text(age),
        )

    @admin.display(description=gettext_lazy("Assigned to"), ordering="assignee__last_name")
    def assigned(self, case: Verification) -> SafeString | str:
        return case.assignee.name if case.assignee else format_html('<span class="quiet">{}</span>', _("Nobody"))

    # --- The case screen --------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case = self._case(request, object_id)
        if request.method != "POST":
            return self._screen(request, case, look=self._is_free(request, case))
        action = request.POST.get("action", "")
        if action == "look":
            return self._screen(request, case, look=True, why=request.POST.get("why", "").strip()[:200])
        acts: dict[str, Callable[[HttpRequest, Verification, datetime], str | None]] = {
            "take": self._take,
            "release": self._release,
        }
        if action == "paper":
            return self._judge(request, case, clock.now())
        if action == "decide":
            return self._decide(request, case, clock.now())
        if action not in acts:
            raise Http404
        try:
            target = acts[action](request, case, clock.now())
        except Refusal as refusal:
            return self._refuse(request, case, refusal.detail, refusal.status)
        return HttpResponseRedirect(target or self._address(case.pk))

    def _case(self, request: HttpRequest, object_id: str) -> Verification:
        if not self.has_view_permission(request):
            raise Http404
        try:
            return self.get_queryset(request).get(pk=UUID(object_id))
        except (Verification.DoesNotExist, ValueError, ValidationError):
            raise Http404 from None

    def _is_free(self, request: HttpRequest, case: Verification) -> bool:
        """Opening a waiting case takes it and shows its papers, unless someone else is at it."""
        return case.is_queued and case.assignee_id in (None, request.user.pk)

    def _take(self, request: HttpRequest, case: Verification, now: datetime) -> None:
        decisions.take_case(reviewer=request.user, verification_id=case.pk, now=now)  # type: ignore[arg-type]

    def _release(self, request: HttpRequest, case: Verification, now: datetime) -> str:
        decisions.release_case(reviewer=request.user, verification_id=case.pk, now=now)  # type: ignore[arg-type]
        self.message_user(request, _("The case is back in the queue."))
        return reverse("admin:kyc_verification_changelist")

    def _judge(self, request: HttpRequest, case: Verification, now: datetime) -> HttpResponse:
        paper, form = self._paper_of(request, case), PaperForm(request.POST)
        if not form.is_valid():
            return self._again(request, case, form, 400, paper=paper)
        try:
            decisions.judge_document(
                reviewer=request.user,  # type: ignore[arg-type]
                document_id=paper.pk,
                now=now,
                **form.cleaned_data,
            )
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
            return self._again(request, case, form, refusal.status, paper=paper)
        undecided = [p for p in case.papers if p.status == DocumentStatus.PENDING and p.pk != paper.pk]  # type: ignore[attr-defined]
        place = f"paper-{undecided[0].pk}" if undecided else "decision"
        return HttpResponseRedirect(f"{self._address(case.pk)}#{place}")

    def _paper_of(self, request: HttpRequest, case: Verification) -> Document:
        """A paper of this case; one that was replaced while it was looked at, too, whose judging is refused."""
        try:
            return case.documents.get(pk=UUID(request.POST.get("document", "")))
        except (Document.DoesNotExist, ValueError):
            raise Http404 from None

    def _decide(self, request: HttpRequest, case: Verification, now: datetime) -> HttpResponse:
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self._again(request, case, form, 400)
        try:
            decided = decisions.decide(
                reviewer=request.user,  # type: ignore[arg-type]
                verification_id=case.pk,
                now=now,
                **form.cleaned_data,
            )
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
            return self._again(request, case, form, refusal.status)
        outcome = {"name": case.user.name, "status": decided.get_status_display().lower()}
        self.message_user(request, _("%(name)s: %(status)s.") % outcome)
        following = selectors.next_case(request.user, after=case.pk)  # type: ignore[arg-type]
        if following and request.POST.get("next"):
            return HttpResponseRedirect(f"{self._address(following.pk)}#header")
        return HttpResponseRedirect(reverse("admin:kyc_verification_changelist"))

    def _again(
        self, request: HttpRequest, case: Verification, form: forms.Form, status: int, paper: Document | None = None
    ) -> HttpResponse:
        """The page with the submitted input and the reason of the refusal."""
        reasons = " ".join(str(reason) for refused in form.errors.values() for reason in refused)
        return self._refuse(request, case, reasons, status, form=form, paper=paper)

    def _refuse(
        self,
        request: HttpRequest,
        case: Verification,
        refused: str,
        status: int,
        *,
        form: forms.Form | None = None,
        paper: Document | None = None,
    ) -> HttpResponse:
        present = self._case(request, str(case.pk))
        why = request.POST.get("why", "").strip()[:200]
        look = self._is_free(request, present) or (bool(why) and not present.is_queued)
        answer = self._screen(
            request, present, look=look, why=why, refusal={"text": refused, "form": form, "paper": paper and paper.pk}
        )
        answer.status_code = status
        return answer

    def _address(self, verification_id: UUID) -> str:
        return reverse("admin:kyc_verification_change", args=[verification_id])

    def _screen(
        self,
        request: HttpRequest,
        case: Verification,
        *,
        look: bool,
        why: str = "",
        refusal: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """
        :param why: the reason that was given for looking at papers where nothing waits for a decision
        :param refusal: `text`, the `form` it is about and its `paper`; shown there, or above where the form has gone
        """
        now = clock.now()
        links = {}
        # The selfie stands beside the picture it is compared with.
        shown = sorted(case.papers, key=lambda paper: SIDE_BY_SIDE.index(paper.kind))  # type: ignore[attr-defined]
        if look:
            links = papers.open_case(reviewer=request.user, case=case, papers=shown, why=why, now=now)  # type: ignore[arg-type]
            case = self._case(request, str(case.pk))
        addresses = {pk: reverse("admin:kyc_verification_paper", args=[link.token]) for pk, link in links.items()}
        undecided = [paper for paper in shown if paper.status != DocumentStatus.VERIFIED]
        absent = [kind for kind in case.required if kind not in {paper.kind for paper in shown}]
        judges = look and case.is_open
        decides = bool(DECISIONS[case.status]) and (look or not case.is_queued)
        about = (refusal or {}).get("paper")
        is_in_place = judges and about in {paper.pk for paper in shown} if about else decides
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": case.user.name,
            "why": why,
            "refusal": refusal,
            "is_in_place": is_in_place and bool(refusal and refusal["form"]),
            "judges": judges,
            "decides": decides,
            "case": case,
            "number": full_number(case) if look else f"•••••{case.number_last4}",
            "age": age_text(case.age_at(now)),
            "is_late": case.is_queued and case.age_at(now) > LATE,
            "years": _years(case, now),
            "tone": TONES[Status(case.status)],
            "risk": Risk(case.risk).label,
            "risk_tone": RISK_TONES[Risk(case.risk)],
            "flags": [FLAGS[name][1] for name in case.risk_flags if name in FLAGS],
            "papers": [
                {**_paper(paper, addresses.get(paper.pk)), "refusal": refusal if paper.pk == about else None}
                for paper in shown
            ],
            "decision": refusal["form"] if refusal and not about else None,
            "absent": [label for kind, label in Document._meta.get_field("kind").flatchoices if kind in absent],
            "replaced": selectors.replaced_papers(case),
            "others": selectors.same_number(case) if look else [],
            "earlier": selectors.earlier_cases(case),
            "history": timeline(selectors.history(case)),
            "is_shown": look,
            "is_mine": case.assignee_id == request.user.pk,
            "is_stale": case.proposed_by_id is not None and case.proposed_revision != case.revision,
            "is_own_proposal": case.proposed_by_id == request.user.pk,
            "four_eyes": settings.KYC_FOUR_EYES,
            "may_verify": case.status in (Status.IN_REVIEW, Status.AWAITING_SECOND_REVIEW)
            and not undecided
            and not absent
            and not (case.proposed_by_id == request.user.pk and case.proposed_revision == case.revision),
            "possible": DECISIONS[case.status],
            "open_papers": len(undecided) + len(absent),
            "reasons": REASONS,
            "reason_names": {name: str(label) for name, label in REASONS.items()},
            "presets": MESSAGES,
        }
        return TemplateResponse(request, self.case_template, context, headers={"Cache-Control": "no-store"})

    def paper(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """The bytes behind a link made by `_screen`, for the browser session of the same reviewer."""
        try:
            return file_response(request, open_link(token, viewer_id=request.user.pk, now=clock.now()))
        except Refusal:
            raise Http404 from None


def _years(case: Verification, now: datetime) -> int | None:
    born = case.date_of_birth
    if born is None:
        return None
    today = now.date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _paper(paper: Document, address: str | None) -> dict[str, Any]:
    tone = {DocumentStatus.VERIFIED: "good", DocumentStatus.REJECTED: "bad"}.get(DocumentStatus(paper.status), "")
    return {
        "row": paper,
        "address": address,
        "is_image": paper.file.is_image,
        "tone": tone,
        "reason": REASONS.get(paper.reason, paper.reason),
        "checks": [
            {"label": CHECKS[name][verdict != "passed"], "tone": "good" if verdict == "passed" else "warn"}
            for name, verdict in paper.checks.items()
            if name in CHECKS
        ],
    }


@admin.register(GrantedBadge)
class GrantedBadgeAdmin(ReadOnlyAdmin):
    right = REVIEW
    list_display = ("user", "badge", "source", "issued_at", "expires_at", "revoked_at", "issued_by")
    list_filter = ("badge", "source", ("revoked_at", yes_or_no(gettext_lazy("revoked"))))
    search_help_text = gettext_lazy("Name or e-mail address")
    list_select_related = ("user", "issued_by")
    search_fields = ("user__email", "user__first_name", "user__last_name")
    ordering = ("-issued_at",)
    show_full_result_count = False


def _cases_of(request: HttpRequest, person: User) -> Section | None:
    """Nobody sees what is about themselves."""
    if request.user.pk == person.pk:
        return None
    cases = Verification.objects.filter(user=person)
    return Section(
        title=_("Identity cases"),
        head=(_("Begun"), _("Document"), _("State"), _("Handed in")),
        rows=[
            (
                anchor(moment_text(case.created_at), "admin:kyc_verification_change", case.pk),
                case.get_document_type_display(),
                case.get_status_display(),
                moment_text(case.submitted_at),
            )
            for case in cases.order_by("-pk")[:SECTION_ROWS]
        ],
        count=cases.count(),
    )


add_section(User, REVIEW, _cases_of, place=50)
