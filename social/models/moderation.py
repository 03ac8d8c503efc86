"""Reports, the cases that gather them, what was decided about a case, and appeals."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.reportable import TargetType
from core.models import Entity

LEASE = timedelta(minutes=10)
"""How long a case is with a moderator who does nothing about it."""
APPEALABLE = timedelta(days=30)
"""How long somebody may appeal; from the end of a suspension, since a suspended person cannot sign in."""
LONGEST_EXCERPT = 80


class ReportReason(models.TextChoices):
    SPAM = "spam", _("Spam")
    ABUSE = "abuse", _("Abuse")
    FRAUD = "fraud", _("Fraud")
    OTHER = "other", _("Something else")


class Rule(models.TextChoices):
    """The rule that a decision applies, as the person reads it."""

    SPAM = "spam", _("Spam or advertising that nobody asked for")
    ABUSE = "abuse", _("Insults, threats or hatred")
    FRAUD = "fraud", _("Misleading claims about money")
    PRIVACY = "privacy", _("Other people's private data")
    ILLEGAL = "illegal", _("Content that the law forbids")
    IMPERSONATION = "impersonation", _("Pretending to be somebody else")
    OTHER = "other", _("Another rule of the community")


class Action(models.TextChoices):
    """What a moderator may decide, from the mildest on; `UNDO` takes one of the others back."""

    DISMISS = "dismiss", _("Dismissed")
    NOTE = "note", _("Note")
    WARN = "warn", _("Warned")
    HIDE = "hide", _("Hidden")
    FREEZE = "freeze", _("Frozen")
    SUSPEND = "suspend", _("Suspended")
    UNDO = "undo", _("Undone")


SANCTIONS = (Action.WARN, Action.HIDE, Action.FREEZE, Action.SUSPEND)
"""What the person is told and may appeal against."""
TIMED = (Action.FREEZE, Action.SUSPEND)


class Case(Entity):
    """What is reported about one thing, until a moderator decides. There is one open case for a thing at most."""

    lock_level: ClassVar = 72

    target_type = models.CharField(max_length=8, choices=TargetType)
    target_id = models.UUIDField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    """Whose thing it is."""
    versions = models.JSONField(default=list)
    """
    What the thing was whenever it was reported, oldest first: `{"at": ..., "before": Target.lines_before(...),
    **Target.describe(thing)}`. Its pictures are held in the store for the case.
    """
    report_count = models.PositiveIntegerField(default=0)
    trusted_count = models.PositiveIntegerField(default=0)
    """Trusted reporters; those who joined on the same day are one (`services/trust.py`)."""
    severity = models.PositiveIntegerField(default=0)
    """Orders the queue (`services/reports.py`)."""
    revision = models.PositiveIntegerField(default=0)
    """Grows with every report and decision, so that nobody decides on what they have not seen."""
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    """Since when the thing is hidden until a decision."""
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target_type", "target_id"], condition=Q(closed_at__isnull=True), name="thing_has_one_open_case"
            )
        ]
        indexes = [
            models.Index(
                fields=["-severity", "created_at", "id"], condition=Q(closed_at__isnull=True), name="case_queue"
            ),
            models.Index(fields=["target_id", "-id"], name="case_by_target"),
            models.Index(fields=["person", "-id"], name="case_by_person"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="case_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_target_type_display()} {self.target_id}"

    @property
    def excerpt(self) -> str:
        """The first words of the thing, so that its author knows which one it is about."""
        newest = self.versions[-1] if self.versions else {}
        text = " ".join((newest.get("title") or newest.get("words") or "").split())
        return text if len(text) <= LONGEST_EXCERPT else f"{text[: LONGEST_EXCERPT - 1].rstrip()}…"

    def holder_at(self, now: datetime) -> Any:
        """The moderator who has the case, if the lease is not over."""
        return self.claimed_by if self.claimed_until is not None and self.claimed_until > now else None


class Report(Entity):
    """Somebody says that something breaks a rule. Who did is shown to nobody but the moderators who ask for it."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld"
        DISMISSED = "dismissed"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reports", db_index=False)
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=5, choices=ReportReason)
    details = models.TextField(max_length=2000, default="", blank=True)
    is_trusted = models.BooleanField(default=False)
    """Whether the reporter was trusted when they reported."""
    outcome = models.CharField(max_length=9, choices=Outcome, default="", blank=True)
    """Empty until the case is decided."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "reporter"], name="person_reports_a_thing_once")]
        indexes = [models.Index(fields=["reporter", "-id"], name="report_by_reporter")]

    def __str__(self) -> str:
        return f"{self.reason} in {self.case_id}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def sanctions_of(self, person_id: Any) -> Self:
        """What was decided about a person and told to them."""
        return self.filter(person_id=person_id, action__in=SANCTIONS)

    def standing(self) -> Self:
        """Those that were not undone."""
        return self.filter(undone_by__isnull=True)


class Decision(Entity):
    """
    What a moderator did about a case: the record, which only grows (migrations/_rules_moderation.py). One is taken back
    by another that `undoes` it.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    """Whom it is about: the owner of the thing."""
    action = models.CharField(max_length=7, choices=Action)
    rule = models.CharField(max_length=13, choices=Rule, default="", blank=True)
    words = models.TextField(max_length=1000, default="", blank=True)
    """To the person."""
    note = models.TextField(max_length=2000, default="", blank=True)
    """For staff."""
    until = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    undoes = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="undone_by")

    objects: ClassVar[DecisionQuerySet] = DecisionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(action__in=Action.values), name="decision_action_is_known"),
            models.CheckConstraint(
                condition=Q(action__in=TIMED, until__isnull=False, until__gt=F("created_at"))
                | (~Q(action__in=TIMED) & Q(until__isnull=True)),
                name="decision_with_a_time_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(action=Action.UNDO, undoes__isnull=False)
                | (~Q(action=Action.UNDO) & Q(undoes__isnull=True)),
                name="decision_undoes_another",
            ),
            models.CheckConstraint(
                condition=~Q(action__in=SANCTIONS) | (Q(person__isnull=False) & ~Q(rule="")),
                name="sanction_names_a_person_and_a_rule",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "id"], name="decision_by_case"),
            models.Index(fields=["person", "-id"], name="decision_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"

    @property
    def appealable_until(self) -> datetime:
        ended = self.until if self.action == Action.SUSPEND and self.until else self.created_at
        return ended + APPEALABLE

    def is_over_at(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now


class Appeal(Entity):
    """Somebody asks for a decision about them to be looked at again, by another moderator."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting")
        UPHELD = "upheld", _("The decision stands")
        OVERTURNED = "overturned", _("The decision was undone")

    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="appeal")
    text = models.TextField(max_length=2000)
    """Empty once the person was erased."""
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    answer = models.TextField(max_length=1000, default="", blank=True)
    """To the person."""
    judged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    judged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="open", judged_at__isnull=True) | (~Q(status="open") & Q(judged_at__isnull=False)),
                name="appeal_is_judged_at_a_moment",
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(status="open"), name="appeal_queue")]

    def __str__(self) -> str:
        return f"{self.status} appeal {self.pk}"
