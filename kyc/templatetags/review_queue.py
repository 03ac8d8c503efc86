from datetime import datetime, timedelta

from django import template
from django.utils.translation import gettext as _

from core import clock
from kyc.timeline import age_text

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """`just now`, `5 min ago`, `3 days ago`."""
    age = clock.now() - moment
    return _("just now") if age < timedelta(minutes=1) else _("%(age)s ago") % {"age": age_text(age)}
