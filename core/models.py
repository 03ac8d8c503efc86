"""
The base model of every app, and the tables of core: idempotency keys, outbox events, failing items, business events.
"""

from django.db import models
from django.db.models import Q

from core import clock
from core.data.ids import uuid7


class Entity(models.Model):
    """A row with a UUIDv7 key and the moment it came to be (UTC; services pass their clock)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True


class IdempotencyKey(Entity):
    """
    One POST that asked to happen once. Holds hashes and a sealed reply only (docs/idempotency.md).

    `reply` is empty while the request runs; until `locked_until` a repeat is refused as in progress.
    """

    scope = models.BinaryField(max_length=32)
    """SHA-256 of person, method, path and key."""
    fingerprint = models.BinaryField(max_length=32)
    """HMAC of the body, keyed by the client's own key."""
    status = models.PositiveSmallIntegerField(null=True)
    reply = models.BinaryField(null=True)
    result_id = models.UUIDField(null=True)
    """What a flow of several commits made in its first one, so that a repeat finds it after a crash."""
    locked_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope"], name="idempotency_key_is_used_once"),
            models.CheckConstraint(
                condition=models.Q(status__isnull=True, reply__isnull=True)
                | models.Q(status__isnull=False, reply__isnull=False),
                name="idempotency_reply_has_a_status",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]


class OutboxEvent(Entity):
    """A message to a provider, a worker or a listener, written in the commit that caused it (docs/outbox.md)."""

    topic = models.CharField(max_length=100)
    facts = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, default="", blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)
    """When the relay may send it to Celery (again)."""
    held_until = models.DateTimeField(null=True, blank=True)
    """While an attempt runs: nobody else may start one before this moment."""
    delivered_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(default="", blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(delivered_at__isnull=True, parked_at__isnull=True),
                name="outbox_waiting",
            ),
            models.Index(fields=["created_at"], name="outbox_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class FailingItem(Entity):
    """One item of a job that raised: when it is tried again, or that it was given up (docs/jobs.md)."""

    job = models.CharField(max_length=100)
    item = models.CharField(max_length=200)
    """Its id, or its name."""
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    parked_at = models.DateTimeField(null=True, blank=True)
    """Set after ten tries: nobody tries again before a person says so."""
    last_error = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "item"], name="an_item_fails_in_one_row")]

    def __str__(self) -> str:
        return f"{self.job} {self.item}"


class Event(Entity):
    """
    A business fact: what happened to what, by whom and when, under which request. It is the line of the audit log and
    of its subject's timeline (docs/events.md). Append-only: the database refuses changes, and deletes nothing before
    `expires_at`.
    """

    kind = models.CharField(max_length=100)
    """`noun.past_tense`, declared in the `events.py` of the app that records it."""
    subject_type = models.CharField(max_length=100, default="", blank=True)
    """The model of what it happened to, such as `campaigns.campaign`."""
    subject_id = models.UUIDField(null=True, blank=True)
    actor_id = models.UUIDField(null=True, blank=True)
    """The person who did it; null for the system itself. No foreign key: events outlive people."""
    actor_label = models.CharField(max_length=120, default="", blank=True)
    """The person's role at that moment; `system` without one."""
    facts = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, default="", blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    """When it may be deleted (`Kind.keep`), and not before; null: it is kept for ever."""

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "id"], name="event_by_subject"),
            models.Index(fields=["actor_id", "id"], name="event_by_actor"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="event_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id or ''}".strip()
