"""`{% load figures %}`: the dashboard on the admin's home."""

from typing import Any

from django import template

from analytics.dashboard import dashboard
from core import clock

register = template.Library()


@register.inclusion_tag("admin/analytics/_dashboard.html", takes_context=True)
def show_dashboard(context: Any) -> dict[str, Any]:
    return {"dashboard": dashboard(context["request"].user, now=clock.now())}
