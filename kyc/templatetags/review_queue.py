from datetime import datetime, timedelta
from typing import Any

from django import template
from django.db.models import Min
from django.utils.translation import gettext as _

from core import clock
from kyc import selectors
from kyc.timeline import age_text

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """`just now`, `5 min ago`, `3 days ago`."""
    age = clock.now() - moment
    return _("just now") if age < timedelta(minutes=1) else _("%(age)s ago") % {"age": age_text(age)}


@register.simple_tag(takes_context=True)
def queue_summary(context: Any) -> dict[str, Any]:
    """How many cases wait for this reviewer, how many are already theirs, and how long the oldest has waited."""
    reviewer = context["request"].user
    waiting = selectors.queue(reviewer)
    oldest = waiting.aggregate(oldest=Min("submitted_at"))["oldest"]
    return {
        "waiting": waiting.count(),
        "mine": waiting.filter(assignee=reviewer).count(),
        "oldest": age_text(clock.now() - oldest) if oldest else "",
    }
