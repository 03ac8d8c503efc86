"""Who is active, how much is written, and who comes back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from analytics.models import ActiveDay, Activity
from analytics.outputs import Cohort, Engagement, EngagementDay
from analytics.permissions import READ_FIGURES
from analytics.response_times import NO_ANSWERS, count_answers, response_times
from analytics.retention import cohorts
from analytics.selectors import Days, if_enough, made_by_day
from analytics.services.rollups import MONTH, WEEK
from analytics.units import Unit
from chat.models import Message
from social.models import Follow, Post

MAX_COHORTS = 12


def engagement(person: Any, days: Days, *, now: datetime) -> Engagement:
    """Of the platform for those who may see its figures, otherwise of the people who follow this one."""
    return _of_platform(days, now) if READ_FIGURES.held_by(person) else _of_audience(person, days, now)


def _of_platform(days: Days, now: datetime) -> Engagement:
    figures = {each.day: each for each in Activity.objects.filter(day__range=(days.since, days.until))}
    last = figures.get(days.until)
    answers = [each.answers for each in figures.values() if each.answers]
    series = [
        EngagementDay(
            date=day,
            daily_active=figures[day].daily if day in figures else 0,
            posts=figures[day].posts if day in figures else 0,
            messages=figures[day].messages if day in figures else 0,
        )
        for day in days
    ]
    return Engagement(
        scope="platform",
        period=days.output,
        daily_active=last.daily if last else 0,
        weekly_active=last.weekly if last else 0,
        monthly_active=last.monthly if last else 0,
        posts_per_day=_average([each.posts for each in series]),
        messages_per_day=_average([each.messages for each in series]),
        response_times=response_times([sum(those) for those in zip(*answers, strict=True)] or NO_ANSWERS),
        retention=_cohorts(days, now),
        series=series,
    )


def _of_audience(person: Any, days: Days, now: datetime) -> Engagement:
    followers = Follow.objects.filter(followed=person.pk).values("follower_id")
    active = ActiveDay.objects.filter(user_id__in=followers)
    by_day = dict(
        active.filter(day__range=(days.since, days.until))
        .order_by()
        .values("day")
        .annotate(number=Count("user_id"))
        .values_list("day", "number")
    )
    posts = made_by_day(Post.objects.filter(author=person.pk, deleted_at__isnull=True), days)
    messages = made_by_day(Message.objects.filter(sender=person.pk, deleted_at__isnull=True), days)

    def since(first: date) -> int | None:
        return _shown(active.filter(day__range=(first, days.until)).order_by().values("user_id").distinct().count())

    series = [
        EngagementDay(
            date=day, daily_active=_shown(by_day.get(day, 0)), posts=posts.get(day, 0), messages=messages.get(day, 0)
        )
        for day in days
    ]
    return Engagement(
        scope="audience",
        period=days.output,
        daily_active=_shown(by_day.get(days.until, 0)),
        weekly_active=since(days.until - WEEK),
        monthly_active=since(days.until - MONTH),
        posts_per_day=_average([each.posts for each in series]),
        messages_per_day=_average([each.messages for each in series]),
        response_times=response_times(count_answers(**days.bounds, person_id=person.pk)),
        retention=_cohorts(days, now, followed=person.pk),
        series=series,
    )


def _cohorts(days: Days, now: datetime, *, followed: UUID | None = None) -> list[Cohort]:
    """The newest weeks of the period, each with who was active in it and in every week after it."""

    def shown(active: int) -> int | None:
        return active if followed is None else _shown(active)

    return [
        Cohort(
            week=each.start,
            people=each.people,
            active=[shown(cell.active) for cell in each.cells],
            is_complete=each.cells[-1].is_complete,
        )
        for each in cohorts(days, Unit.WEEK, now=now, followed=followed)[-MAX_COHORTS:]
    ]


def _average(numbers: list[int]) -> float:
    return round(sum(numbers) / len(numbers), 2)


def _shown(people: int) -> int | None:
    return if_enough(people, people)
