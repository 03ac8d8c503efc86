"""Review of ads in the admin: the queue and the page of one ad. Decisions call the services."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from core import clock
from core.admin import DecisionAdmin, chip, person_cell
from social.models import Ad
from social.permissions import MODERATE
from social.selectors.ads import with_pictures
from social.services.ads import approve_ad, reject_ad
from uploads.admin_pictures import let_load, pictures_here

TONES: dict[str, str] = {
    Ad.Status.PENDING_REVIEW: "info",
    Ad.Status.APPROVED: "good",
    Ad.Status.REJECTED: "bad",
    Ad.Status.PAUSED: "warn",
}
LONGEST_WORDS = 400
REASONS = [
    gettext_lazy("It promises a return or says that an investment is safe."),
    gettext_lazy("The words or the picture mislead about what is offered."),
    gettext_lazy("The address does not lead to what the ad is about."),
    gettext_lazy("The picture is unreadable, shocking, or belongs to somebody else."),
    gettext_lazy("We do not show ads for this."),
]


class RejectionForm(forms.Form):
    """Ready-made reasons, words of one's own, or both."""

    presets = forms.MultipleChoiceField(choices=[(str(n), text) for n, text in enumerate(REASONS)], required=False)
    words = forms.CharField(max_length=LONGEST_WORDS, required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        chosen = [str(REASONS[int(number)]) for number in data.get("presets", [])]
        data["reason"] = "\n".join([*chosen, *filter(None, [data.get("words", "")])])
        if not self.errors and not data["reason"]:
            raise ValidationError(_("Choose a reason, or write to the advertiser what has to change."))
        return data


class QueueFilter(admin.SimpleListFilter):
    title = gettext_lazy("queue")
    parameter_name = "queue"
    template = "admin/social/ad/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting for review")), ("approved", _("Approved")), ("all", _("All"))]

    def value(self) -> str:
        return super().value() or "waiting"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ad]) -> QuerySet[Ad]:
        status = {"waiting": Ad.Status.PENDING_REVIEW, "approved": Ad.Status.APPROVED}.get(self.value())
        return queryset.filter(status=status) if status else queryset

    def choices(self, changelist: Any) -> Any:
        for name, label in self.lookup_choices:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}, ["p"]),
                "display": label,
            }


@admin.register(Ad)
class AdAdmin(DecisionAdmin):
    right = MODERATE
    list_display = ("title", "asked_by", "status_chip", "starts", "ends")
    list_filter = (QueueFilter,)
    change_list_template = "admin/social/ad/queue.html"
    search_fields = ("title", "=id", "advertiser__last_name", "=advertiser__email")
    search_help_text = gettext_lazy("Title, id, advertiser's name or mail")
    list_select_related = ("advertiser",)
    ordering = ("id",)
    show_full_result_count = False

    @admin.display(description=gettext_lazy("Advertiser"), ordering="advertiser__last_name")
    def asked_by(self, ad: Ad) -> SafeString:
        return person_cell(ad.advertiser.name, ad.advertiser.email)

    @admin.display(description=gettext_lazy("Status"), ordering="status")
    def status_chip(self, ad: Ad) -> SafeString:
        status = ad.status_at(clock.now())
        return chip(_("hidden"), "bad") if ad.hidden_at else chip(status.label, TONES.get(status, ""))

    @admin.display(description=gettext_lazy("Starts"), ordering="starts_at")
    def starts(self, ad: Ad) -> SafeString:
        return format_html('<time datetime="{}">{}</time>', ad.starts_at.isoformat(), f"{ad.starts_at:%d %b %Y}")

    @admin.display(description=gettext_lazy("Ends"), ordering="ends_at")
    def ends(self, ad: Ad) -> SafeString:
        return format_html('<time datetime="{}">{}</time>', ad.ends_at.isoformat(), f"{ad.ends_at:%d %b %Y}")

    # --- The review page --------------------------------------------------------------------------------------------

    decision_template = "admin/social/ad/review.html"
    decisions = {"approve": "approve", "reject": "reject"}

    def rows(self, request: HttpRequest) -> QuerySet[Ad]:
        return with_pictures(self.get_queryset(request).select_related("advertiser", "reviewer"))

    def approve(self, request: HttpRequest, ad: Ad) -> str:
        approve_ad(reviewer=request.user, ad_id=ad.pk, revision=_revision(request), now=clock.now())
        self.message_user(request, _("%(title)s is approved.") % {"title": ad.title})
        return ""

    def reject(self, request: HttpRequest, ad: Ad) -> str:
        """Returns what is wrong with the reason, if something is."""
        form = RejectionForm(request.POST)
        if not form.is_valid():
            return " ".join(str(text) for texts in form.errors.values() for text in texts)
        reason = form.cleaned_data["reason"]
        reject_ad(reviewer=request.user, ad_id=ad.pk, revision=_revision(request), reason=reason, now=clock.now())
        self.message_user(request, _("%(title)s went back to its advertiser.") % {"title": ad.title})
        return ""

    def page(self, request: HttpRequest, ad: Ad) -> dict[str, Any]:
        now = clock.now()
        (picture,) = pictures_here([ad.file], now)
        return {
            "title": ad.title,
            "picture": picture,
            "ad": ad,
            "status": ad.status_at(now),
            "tone": TONES.get(ad.status_at(now), ""),
            "is_waiting": ad.status == Ad.Status.PENDING_REVIEW,
            "is_own": ad.advertiser_id == request.user.pk,
            "others": Ad.objects.filter(advertiser=ad.advertiser_id).exclude(pk=ad.pk).order_by("-id")[:10],
            "days": ad.days.order_by("-day")[:14],
            "presets": REASONS,
            "chosen": [int(n) for n in request.POST.getlist("presets") if n.isascii() and n.isdigit()],
            "longest_words": LONGEST_WORDS,
            "typed": request.POST.get("words", ""),
        }

    def _show(self, request: HttpRequest, row: Ad, refused: str = "", status: int = 200) -> HttpResponse:
        answer = super()._show(request, row, refused, status)
        let_load(answer, [answer.context_data["picture"]])  # type: ignore[attr-defined]
        return answer


def _revision(request: HttpRequest) -> int:
    """The one that the page has shown."""
    revision = request.POST.get("revision", "")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise Http404
    return int(revision)
