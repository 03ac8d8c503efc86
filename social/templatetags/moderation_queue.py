from typing import Any

from django import template

from social import queue
from social.models import Appeal

register = template.Library()


@register.simple_tag(takes_context=True)
def moderation_summary(context: Any) -> dict[str, Any]:
    """How many cases wait, how many of them hold something back, and how many appeals this moderator may judge."""
    moderator = context["request"].user
    waiting = queue.queue(moderator)
    return {
        "waiting": waiting.count(),
        "held": waiting.filter(held_at__isnull=False).count(),
        "appeals": queue.appeals(moderator).filter(status=Appeal.Status.OPEN).count(),
    }
