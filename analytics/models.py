"""What happened on pages and in the platform, kept raw for a while, and what is counted from it (docs/analytics.md)."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.data.ids import uuid7
from core.models import Entity


class Audience(models.TextChoices):
    """Whom an event comes from. Only people and visitors are counted in figures."""

    PERSON = "person"
    """Somebody who is signed in."""
    VISITOR = "visitor"
    """Somebody on a public page."""
    TEAM = "team"
    """The platform's own staff."""
    BOT = "bot"


COUNTED = (Audience.PERSON, Audience.VISITOR)


class RawEvent(models.Model):
    """
    One event, as it came. The table is partitioned by the UTC day of `occurred_at` (migrations/_rules.py), has no
    foreign keys, so that writing it reads nothing, and no unique key: `ReceivedId` keeps repeats out.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    audience = models.CharField(max_length=7, choices=Audience)
    is_known = models.BooleanField(default=True)
    """Whether its name was registered when it came; others are kept aside and counted nowhere."""
    user_id = models.UUIDField(null=True, blank=True)
    visitor_id = models.UUIDField(null=True, blank=True)
    """An anonymous visitor of one day (docs/analytics.md)."""
    campaign_id = models.UUIDField(null=True, blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    """What it is about when that is no campaign: a person, a post, a group."""
    page = models.CharField(max_length=500, default="", blank=True)
    source = models.CharField(max_length=100, default="", blank=True)
    """Where the visit came from: a host, a UTM source, `invite`, `share`; empty inside a visit."""
    medium = models.CharField(max_length=50, default="", blank=True)
    label = models.CharField(max_length=100, default="", blank=True)
    """The name of the advertising campaign (`utm_campaign`)."""
    properties = models.JSONField(default=dict)

    objects: ClassVar[models.Manager["RawEvent"]] = models.Manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["occurred_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("events are appended by analytics.stores")


class ReceivedId(models.Model):
    """The key of an event that came with an id of its own, so that a repeat changes nothing (`stores.postgres`)."""

    id = models.UUIDField(primary_key=True, editable=False)
    received_at = models.DateTimeField(db_index=True)


class ErasedPerson(models.Model):
    """Somebody who was erased, until their raw events are removed everywhere (`services.erasures`)."""

    person_id = models.UUIDField(primary_key=True, editable=False)
    erased_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    """When the job removed them for the first time."""


class EventName(models.Model):
    """A name that clients send and no code declares: how often, and whether an operator has registered it."""

    name = models.CharField(max_length=60, primary_key=True)
    count = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    registered_at = models.DateTimeField(null=True, blank=True)
    """From then on its events are counted in figures."""

    def __str__(self) -> str:
        return self.name


class DailySalt(models.Model):
    """The key by which visitors of one UTC day are recognised; deleted when the day is over."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)


PLATFORM = UUID(int=0)
"""What a count is about when it is about no campaign and no person."""


class HourCount(models.Model):
    """How many events of a name came in an hour (UTC), about a campaign, a subject or the whole platform."""

    pk = models.CompositePrimaryKey("hour", "name", "about_id", "audience")
    hour = models.DateTimeField()
    name = models.CharField(max_length=60)
    about_id = models.UUIDField()
    audience = models.CharField(max_length=7, choices=Audience)
    events = models.PositiveIntegerField()


class DayCount(models.Model):
    """
    How many events of a name there were on a day (UTC), and from how many people and visitors; bots and the team are
    not counted. With a `source`: those of a campaign's visits that began with it.
    """

    pk = models.CompositePrimaryKey("about_id", "day", "name", "source", "medium")
    day = models.DateField()
    name = models.CharField(max_length=60)
    about_id = models.UUIDField()
    source = models.CharField(max_length=100, default="", blank=True)
    medium = models.CharField(max_length=50, default="", blank=True)
    events = models.PositiveIntegerField()
    people = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["day"], name="day_count_by_day")]


class Visit(Entity):
    """
    A session of somebody on one day (UTC): events with less than half an hour between them, with the first and the last
    source. Those of visitors name nobody.
    """

    day = models.DateField()
    user_id = models.UUIDField(null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    events = models.PositiveIntegerField()
    first_source = models.CharField(max_length=100, default="", blank=True)
    first_medium = models.CharField(max_length=50, default="", blank=True)
    last_source = models.CharField(max_length=100, default="", blank=True)
    last_medium = models.CharField(max_length=50, default="", blank=True)
    label = models.CharField(max_length=100, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["day"], name="visit_by_day"),
            models.Index(fields=["user_id", "started_at"], condition=Q(user_id__isnull=False), name="visit_by_person"),
        ]


class ActiveDay(models.Model):
    """Somebody was active on a day (UTC): the base of daily, weekly and monthly figures and of retention."""

    pk = models.CompositePrimaryKey("user_id", "day")
    user_id = models.UUIDField()
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["day"], name="active_day_by_day")]


class Activity(models.Model):
    """
    How many people were active on a day (UTC), and in the 7 and 30 days that end with it, and what they wrote on that
    day. It stays when people leave.
    """

    day = models.DateField(primary_key=True)
    daily = models.PositiveIntegerField()
    weekly = models.PositiveIntegerField()
    monthly = models.PositiveIntegerField()
    posts = models.PositiveIntegerField()
    messages = models.PositiveIntegerField()
    answers = ArrayField(models.PositiveIntegerField(), default=list)
    """Answers in direct conversations by how long they took (`analytics.response_times`); empty if not counted."""


class Attribution(models.Model):
    """Where the investor of an investment came from, as it was known when they invested."""

    investment_id = models.UUIDField(primary_key=True, editable=False)
    campaign_id = models.UUIDField(db_index=True)
    first_source = models.CharField(max_length=100, default="", blank=True)
    first_medium = models.CharField(max_length=50, default="", blank=True)
    last_source = models.CharField(max_length=100, default="", blank=True)
    last_medium = models.CharField(max_length=50, default="", blank=True)
    label = models.CharField(max_length=100, default="", blank=True)
    placed_at = models.DateTimeField()


class Progress(models.Model):
    """Up to when a job has read (the clock of arrival, UTC)."""

    name = models.CharField(max_length=30, primary_key=True)
    at = models.DateTimeField()
