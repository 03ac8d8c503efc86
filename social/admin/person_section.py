"""What the admin's page of a person shows of moderation."""

from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.admin import SECTION_ROWS, Section, add_section, anchor, chip, moment_text
from social import queue
from social.models import Decision
from social.permissions import MODERATE


def _moderation(request: HttpRequest, person: User) -> Section | None:
    """Cases about what they published, and how many sanctions there were. Nobody sees what is about themselves."""
    if request.user.pk == person.pk:
        return None
    cases = queue.cases(request.user).filter(person=person)
    return Section(
        title=_("Reports about what they published"),
        facts=((_("Decisions"), Decision.objects.filter(person=person).count()),),
        head=(_("Reported"), _("What"), _("Reports"), _("State")),
        rows=[
            (
                anchor(moment_text(case.created_at), "admin:social_case_change", case.pk),
                case.get_target_type_display(),
                case.report_count,
                chip(_("decided"), "good") if case.closed_at else chip(_("waiting"), "info"),
            )
            for case in cases.order_by("-pk")[:SECTION_ROWS]
        ],
        address=f"{reverse('admin:social_case_changelist')}?q={quote(person.email)}",
        count=cases.count(),
    )


add_section(User, MODERATE, _moderation, place=60)
