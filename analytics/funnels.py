"""Funnels: how many people take some steps one after the other."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from analytics.business import COUNTED
from analytics.errors import EventNameUnknown, EventsUnavailable, StepsInvalid
from analytics.outputs import FunnelFigures, FunnelStep
from analytics.selectors import Days
from analytics.services.event_names import registered
from analytics.stores import Funnel, Order, store
from analytics.stores.base import StoreUnavailable

logger = logging.getLogger(__name__)
MAX_STEPS = 8
MAX_DAYS = 92
"""Funnels read raw events, so their period is shorter than that of figures."""
_BUSINESS = frozenset(each.kind for each in COUNTED)


def steps_of(text: str) -> list[str]:
    """
    The names in `page_view,campaign_view`.

    :raises StepsInvalid: too few, too many, or one comes twice
    :raises EventNameUnknown: a name whose events are not counted
    """
    names = [name.strip() for name in text.split(",")]
    if not 2 <= len(names) <= MAX_STEPS or len(set(names)) < len(names):
        raise StepsInvalid(field="steps", most=MAX_STEPS)
    for name in names:
        if name not in _BUSINESS and registered(name) is None:
            raise EventNameUnknown(field="steps", name=name)
    return names


def funnel_figures(
    days: Days, *, steps: str, window_seconds: int, order: Order, campaign_id: UUID | None = None
) -> FunnelFigures:
    """
    How many people reached each step; :raises: as `steps_of`

    :raises EventsUnavailable: the store does not answer, or not in time
    """
    bounds: dict[str, Any] = days.bounds
    asked = Funnel(
        steps=steps_of(steps), window=timedelta(seconds=window_seconds), order=order, campaign_id=campaign_id, **bounds
    )
    try:
        people = store().funnel(asked)
    except StoreUnavailable as error:
        logger.warning("a funnel failed", extra={"reason": str(error)})
        raise EventsUnavailable() from error
    return FunnelFigures(
        period=days.output,
        order=order,
        window_seconds=window_seconds,
        steps=[
            FunnelStep(name=name, people=number, share=round(number / people[0], 4) if people[0] else 0.0)
            for name, number in zip(asked.steps, people, strict=True)
        ],
    )
