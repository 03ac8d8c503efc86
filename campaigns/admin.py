"""Campaign review in the admin: the queue and the page of one campaign. Decisions call the services."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import User
from campaigns import amendments_admin  # noqa: F401  (registers its pages)
from campaigns.fees import Fee, PaidBy, every_version, newest_version
from campaigns.models import (
    BEFORE_LIVE,
    CLOSED,
    Campaign,
    Category,
    ReviewPhrase,
    Status,
    Submission,
    Update,
    UpdateEdit,
)
from campaigns.permissions import ADD_CATEGORIES, MODERATE
from campaigns.selectors import proceeds_of
from campaigns.services.review import publish_campaign, reject_campaign
from campaigns.services.submissions import Changes, changes_since
from core import clock
from core.admin import (
    SECTION_ROWS,
    ReadOnlyAdmin,
    ReadOnlyRows,
    Section,
    StaffPage,
    add_section,
    anchor,
    chip,
    holds,
    links_of,
    moment_text,
    person_cell,
    yes_or_no,
)
from core.api.errors import Refusal
from core.money import Money
from uploads.admin_pictures import let_load, pictures_here

TONES: dict[str, str] = {
    Status.IN_REVIEW: "info",
    Status.REJECTED: "bad",
    Status.LIVE: "good",
    Status.FUNDED: "good",
    Status.FAILED: "warn",
    Status.CANCELLED: "warn",
}
LONGEST_REASON = 1000


class ReasonForm(forms.Form):
    """The moderator's reason, for the owner of a rejected campaign."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        error_messages={"required": gettext_lazy("Write to the owner what has to change.")},
    )


def _shown(fee: Fee, currencies: Sequence[str]) -> dict[str, Any]:
    """A fee for templates."""
    payers = {PaidBy.OWNER: _("Owner"), PaidBy.INVESTOR: _("Investor")}
    return {
        "about": fee.about,
        "payer": payers[fee.paid_by],
        "price": fee.price(currencies),
        "refunded_when": ", ".join(reason for reason, back in fee.refunded_when.items() if back),
    }


class QueueFilter(admin.SimpleListFilter):
    title = gettext_lazy("queue")
    parameter_name = "queue"
    template = "admin/campaigns/campaign/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", _("Waiting for review")),
            ("live", _("Live")),
            ("unsettled", _("Decided, money on its way")),
            ("all", _("All")),
        ]

    def value(self) -> str:
        return super().value() or "waiting"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        statuses = {"waiting": [Status.IN_REVIEW], "live": [Status.LIVE], "unsettled": CLOSED}.get(self.value())
        return queryset.filter(status__in=statuses) if statuses else queryset

    def choices(self, changelist: Any) -> Any:
        for name, label in self.lookup_choices:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}, ["p"]),
                "display": label,
            }


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    right = MODERATE
    list_display = ("title", "asked_by", "category", "asked_for", "progress", "status_chip", "deadline")
    list_filter = (QueueFilter,)
    change_list_template = "admin/campaigns/campaign/queue.html"
    search_fields = ("title", "owner__email", "owner__last_name")
    search_help_text = gettext_lazy("Title, owner's name or e-mail address")
    list_select_related = ("owner", "category")
    ordering = ("-updated_at", "-id")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """A draft is its owner's alone."""
        return super().get_queryset(request).exclude(status=Status.DRAFT)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Campaigns"), **(extra_context or {})})

    @admin.display(description=gettext_lazy("Owner"), ordering="owner__last_name")
    def asked_by(self, campaign: Campaign) -> SafeString:
        return person_cell(campaign.owner.name, campaign.owner.email)

    @admin.display(description=gettext_lazy("Goal"), ordering="goal_minor")
    def asked_for(self, campaign: Campaign) -> str:
        return str(campaign.goal)

    @admin.display(description=gettext_lazy("Raised"), ordering="raised_minor")
    def progress(self, campaign: Campaign) -> str:
        return f"{campaign.raised} ({campaign.progress_percent:g} %)" if campaign.raised_minor else ""

    @admin.display(description=gettext_lazy("Status"), ordering="status")
    def status_chip(self, campaign: Campaign) -> SafeString:
        return chip(campaign.get_status_display(), TONES.get(campaign.status, ""))

    @admin.display(description=gettext_lazy("Ends"), ordering="ends_at")
    def deadline(self, campaign: Campaign) -> SafeString:
        moment = campaign.ends_at
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), f"{moment:%d %b %Y}")

    # --- The review page --------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        campaign = self._campaign(request, object_id)
        if request.method != "POST":
            return self._page(request, campaign)
        if not self._may_decide(request):
            raise PermissionDenied
        decide = {"publish": self._publish, "reject": self._send_back}.get(request.POST.get("decision", ""))
        if decide is None:
            raise Http404
        try:
            refused = decide(request, campaign)
        except Refusal as refusal:
            return self._page(
                request, self._campaign(request, object_id), refused=refusal.detail, status=refusal.status
            )
        if refused:
            return self._page(request, campaign, refused=refused, status=400)
        following = self._following(request, campaign)
        if following is None:
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_changelist"))
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[following.pk]))

    def _campaign(self, request: HttpRequest, object_id: str) -> Campaign:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return self.get_queryset(request).select_related("owner", "category").get(pk=UUID(object_id))
        except (Campaign.DoesNotExist, ValueError, ValidationError):
            raise Http404 from None

    def _following(self, request: HttpRequest, campaign: Campaign) -> Campaign | None:
        """The campaign that this person may decide on next, after the last one the first again."""
        others = self._waiting(request).exclude(pk=campaign.pk).order_by("pk")
        return others.filter(pk__gt=campaign.pk).first() or others.first()

    def _waiting(self, request: HttpRequest) -> QuerySet[Campaign]:
        return self.get_queryset(request).filter(status=Status.IN_REVIEW).exclude(owner_id=request.user.pk)

    def _may_decide(self, request: HttpRequest) -> bool:
        return holds(request, MODERATE)

    def _publish(self, request: HttpRequest, campaign: Campaign) -> str:
        seen = request.POST.get("seen", "")
        publish_campaign(
            moderator=request.user,
            campaign_id=campaign.pk,
            now=clock.now(),
            seen=int(seen) if seen.isascii() and seen.isdigit() else None,
        )
        self.message_user(request, _("%(title)s is live.") % {"title": campaign.title})
        return ""

    def _send_back(self, request: HttpRequest, campaign: Campaign) -> str:
        """Returns what is wrong with the words to the owner, if something is."""
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return " ".join(map(str, form.errors["reason"]))
        reject_campaign(
            moderator=request.user, campaign_id=campaign.pk, reason=form.cleaned_data["reason"], now=clock.now()
        )
        self.message_user(request, _("%(title)s went back to its owner.") % {"title": campaign.title})
        return ""

    def _page(self, request: HttpRequest, campaign: Campaign, *, refused: str = "", status: int = 200) -> HttpResponse:
        """:param refused: why the action was refused; the form keeps its input"""

        def money(minor: int | None) -> str:
            return str(Money(minor, campaign.currency)) if minor is not None else ""

        files = [media.file for media in campaign.media.with_files().order_by("position")]
        pictures = pictures_here(files, clock.now())
        is_waiting = campaign.status == Status.IN_REVIEW
        newest, earlier = self._changes(campaign) if is_waiting else (None, None)
        rules = campaign.rule_set
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": campaign.title,
            "campaign": campaign,
            "links": links_of(request, campaign),
            "tone": TONES.get(campaign.status, ""),
            "goal": campaign.goal,
            "raised": campaign.raised,
            "cap": money(campaign.max_minor),
            "minimum": money(campaign.min_investment_minor),
            "pictures": pictures,
            "history": campaign.status_changes.select_related("actor").order_by("-id"),
            "others": self.get_queryset(request).filter(owner=campaign.owner).exclude(pk=campaign.pk)[:10],
            "is_waiting": is_waiting,
            "changes": newest,
            "earlier_changes": earlier,
            "new_pictures": newest.new_pictures if newest else (),
            "rule_set": rules,
            "fee_schedule": campaign.fees,
            "fees": [_shown(fee, [campaign.currency]) for fee in campaign.fees.fees],
            "net": campaign.fees.net_of(proceeds_of(campaign)),
            "phrases": ReviewPhrase.objects.order_by("position", "id"),
            "following": self._following(request, campaign),
            "waiting_count": self._waiting(request).exclude(pk=campaign.pk).count(),
            "is_own": campaign.owner_id == request.user.pk,
            "is_late": campaign.ends_at <= clock.now(),
            "may_decide": self._may_decide(request),
            "longest_reason": LONGEST_REASON,
            "refused": refused,
            "typed": request.POST.get("reason", ""),
        }
        answer = TemplateResponse(request, "admin/campaigns/campaign/review.html", context, status=status)
        let_load(answer, pictures)
        return answer

    # --- What there is of fee schedules -----------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        fees = path("fees", self.admin_site.admin_view(self.fee_schedules), name="campaigns_campaign_fees")
        return [fees, *super().get_urls()]

    def fee_schedules(self, request: HttpRequest) -> HttpResponse:
        """Every version of every schedule, and which one new campaigns get."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        published = Campaign.objects.exclude(status__in=BEFORE_LIVE)
        counts = published.values_list("fee_schedule", "fee_schedule_version").annotate(Count("pk")).order_by()
        campaigns = {(name, version): count for name, version, count in counts}
        in_force = newest_version(settings.FEE_SCHEDULE)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Fee schedules"),
            "schedules": [
                {
                    "schedule": one,
                    "is_in_force": one == in_force,
                    "campaign_count": campaigns.get(named, 0),
                    "fees": [_shown(fee, settings.CURRENCIES) for fee in one.fees],
                }
                for named, one in sorted(every_version().items())
            ],
        }
        return TemplateResponse(request, "admin/campaigns/campaign/fees.html", context)

    def _changes(self, campaign: Campaign) -> tuple[Changes | None, Changes | None]:
        """What its owner changed since it was submitted, and since the time before, if it was sent back then."""
        submissions = list(Submission.objects.filter(campaign=campaign).order_by("-id")[:2])
        since = [changes_since(submission, campaign) for submission in submissions]
        return (*since, None, None)[0], (*since, None, None)[1]


class UpdateEditRows(ReadOnlyRows):
    model = UpdateEdit
    fields = ("replaced_at", "audience", "title", "content")


@admin.register(Update)
class UpdateAdmin(ReadOnlyAdmin):
    """What owners told, with what they deleted and what it said before."""

    right = MODERATE
    list_display = ("__str__", "campaign", "kind", "audience", "publish_at", "deleted_at")
    list_filter = ("kind", "audience", ("deleted_at", yes_or_no(gettext_lazy("deleted"))))
    list_select_related = ("campaign",)
    search_fields = ("title", "=id", "=campaign__id", "campaign__title")
    search_help_text = gettext_lazy("Title, id, campaign's title or id")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        "campaign",
        "kind",
        "audience",
        "author_role",
        "title",
        "content",
        "publish_at",
        "announced_at",
        "created_at",
        "edited_at",
        "deleted_at",
    )
    inlines = (UpdateEditRows,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields


@admin.register(ReviewPhrase)
class ReviewPhraseAdmin(StaffPage):
    right = MODERATE
    list_display = ("text", "position")
    list_editable = ("position",)
    fields = ("text", "position")
    ordering = ("position", "id")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """The list's inputs have no labels of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[arg-type]
        if field is not None:
            field.widget.attrs.setdefault("aria-label", str(field.label))
        return field

    def has_add_permission(self, request: HttpRequest) -> bool:
        return holds(request, MODERATE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, MODERATE)


@admin.register(Category)
class CategoryAdmin(StaffPage):
    right = MODERATE
    list_display = ("name", "slug", "position")
    list_editable = ("position",)
    fields = ("name", "slug", "position")
    ordering = ("position", "name")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Categories"), **(extra_context or {})})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """The list's inputs have no labels of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[arg-type]
        if field is not None:
            field.widget.attrs.setdefault("aria-label", str(field.label))
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Clients name a category by its slug, so that stays."""
        return ("slug",) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return holds(request, ADD_CATEGORIES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _campaigns_of(request: HttpRequest, person: User) -> Section:
    own = Campaign.objects.filter(owner=person)
    return Section(
        title=_("Campaigns"),
        head=(_("Title"), _("State"), _("Raised"), _("Goal"), _("Made")),
        rows=[
            (
                anchor(campaign.title, "admin:campaigns_campaign_change", campaign.pk),
                chip(campaign.get_status_display(), TONES.get(campaign.status, "")),
                str(campaign.raised),
                str(campaign.goal),
                moment_text(campaign.created_at),
            )
            for campaign in own.order_by("-created_at", "-id")[:SECTION_ROWS]
        ],
        address=f"{reverse('admin:campaigns_campaign_changelist')}?q={quote(person.email)}",
        count=own.count(),
    )


add_section(User, MODERATE, _campaigns_of, place=40)
