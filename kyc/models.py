"""A person's identity cases, the papers in them, everything that happened to a case, and the badges that came of it."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.models import Entity
from uploads.models import StoredFile


class Status(models.TextChoices):
    PENDING_DOCUMENTS = "pending_documents", _("Waiting for documents")
    IN_REVIEW = "in_review", _("In review")
    AWAITING_SECOND_REVIEW = "awaiting_second_review", _("Second review")
    RESUBMIT = "resubmit", _("Asked to resubmit")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")


NOT_STARTED = "not_started"
"""What a person's status is called before there is a case."""
OPEN = (Status.PENDING_DOCUMENTS, Status.IN_REVIEW, Status.AWAITING_SECOND_REVIEW, Status.RESUBMIT)
QUEUED = (Status.IN_REVIEW, Status.AWAITING_SECOND_REVIEW)

DECISIONS: dict[str, frozenset[str]] = {
    Status.PENDING_DOCUMENTS: frozenset({Status.REJECTED}),
    Status.IN_REVIEW: frozenset({Status.VERIFIED, Status.REJECTED, Status.RESUBMIT}),
    Status.AWAITING_SECOND_REVIEW: frozenset({Status.VERIFIED, Status.REJECTED, Status.RESUBMIT}),
    Status.RESUBMIT: frozenset({Status.REJECTED}),
    Status.VERIFIED: frozenset({Status.RESUBMIT}),
    Status.REJECTED: frozenset({Status.RESUBMIT}),
    Status.EXPIRED: frozenset(),
}
"""The decisions that a reviewer may take in each status of a case. A closed case is reopened first (`resubmit`)."""


class DocumentType(models.TextChoices):
    PASSPORT = "passport", _("Passport")
    NATIONAL_ID = "national_id", _("National identity card")
    DRIVING_LICENSE = "driving_license", _("Driving licence")
    RESIDENCE_PERMIT = "residence_permit", _("Residence permit")


class Kind(models.TextChoices):
    FRONT = "front", _("Front")
    BACK = "back", _("Back")
    SELFIE = "selfie", _("Selfie")
    PROOF_OF_ADDRESS = "proof_of_address", _("Proof of address")


REQUIRED: dict[str, tuple[str, ...]] = {
    DocumentType.PASSPORT: (Kind.FRONT, Kind.SELFIE),
    DocumentType.NATIONAL_ID: (Kind.FRONT, Kind.BACK, Kind.SELFIE),
    DocumentType.DRIVING_LICENSE: (Kind.FRONT, Kind.BACK, Kind.SELFIE),
    DocumentType.RESIDENCE_PERMIT: (Kind.FRONT, Kind.BACK, Kind.SELFIE),
}
"""A passport has everything on one page; cards have two sides. The selfie ties the paper to the person who sends it."""


class Risk(models.IntegerChoices):
    LOW = 0, _("Low")
    MEDIUM = 1, _("Medium")
    HIGH = 2, _("High")


class VerificationQuerySet(models.QuerySet["Verification"]):
    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def queued(self) -> Self:
        return self.filter(status__in=QUEUED)

    def reviewable_by(self, reviewer: User) -> Self:
        """Nobody reviews himself (SECURITY-GOALS 38)."""
        return self.exclude(user_id=reviewer.pk)


class Verification(Entity):
    """One attempt to prove an identity. Its status is written by `services.decisions` and `services.evidence` only."""

    lock_level: ClassVar = 20

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="verifications")
    status = models.CharField(max_length=30, choices=Status, default=Status.PENDING_DOCUMENTS)
    document_type = models.CharField(max_length=20, choices=DocumentType)
    sealed_number = models.BinaryField()
    """The document number, encrypted; opened on the review screen only (`number`)."""
    number_last4 = models.CharField("number ends with", max_length=4)
    number_fingerprint = models.BinaryField(max_length=32)
    country = models.CharField(max_length=2, default="", blank=True)
    """ISO 3166-1 alpha-2 of the country that issued the document."""
    date_of_birth = models.DateField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField()
    """Counts a person's cases from 1."""
    revision = models.PositiveIntegerField(default=0)
    """Grows with every change of the evidence: a paper sent, a paper judged."""
    risk = models.PositiveSmallIntegerField(choices=Risk, default=Risk.LOW)
    risk_flags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    """What a reviewer should look at twice; see `services.risk.FLAGS`."""
    submitted_at = models.DateTimeField(null=True, blank=True)
    """When it last became complete and went to the reviewers."""
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_cases")
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_revision = models.PositiveIntegerField(null=True, blank=True)
    """The evidence that the first reviewer saw when proposing *verified*."""
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(max_length=2000, default="", blank=True)
    """The last decision's private notes."""
    message = models.TextField(max_length=1000, default="", blank=True)
    """The last decision's words to the person."""

    objects = VerificationQuerySet.as_manager()

    class Meta:
        db_table = "kyc_verification"
        verbose_name = "identity case"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="verification_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status__in=[Status.VERIFIED, Status.REJECTED]) | Q(decided_at__isnull=False),
                name="a_closed_case_was_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.AWAITING_SECOND_REVIEW)
                | Q(proposed_by__isnull=False, proposed_at__isnull=False, proposed_revision__isnull=False),
                name="a_second_review_has_a_first",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("user")), name="nobody_decides_on_himself"
            ),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True) | ~Q(proposed_by=F("user")), name="nobody_proposes_himself"
            ),
            models.UniqueConstraint(fields=["user"], condition=Q(status__in=OPEN), name="one_open_case_per_person"),
        ]
        indexes = [
            models.Index(
                fields=["-risk", "submitted_at", "id"], condition=Q(status__in=QUEUED), name="verification_queue"
            ),
            models.Index(fields=["user", "-created_at"], name="verification_of_user"),
            models.Index(fields=["number_fingerprint"], name="verification_by_number"),
        ]

    def __str__(self) -> str:
        return f"{self.get_document_type_display()} …{self.number_last4}"

    @property
    def required(self) -> tuple[str, ...]:
        return REQUIRED[self.document_type]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_queued(self) -> bool:
        return self.status in QUEUED

    @property
    def sealed_as(self) -> str:
        return f"document number:{self.pk}"

    def age_at(self, now: datetime) -> timedelta:
        """How long it has been waiting."""
        return now - (self.submitted_at or self.created_at)


class DocumentStatus(models.TextChoices):
    PENDING = "pending", _("Not judged yet")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")


class DocumentQuerySet(models.QuerySet["Document"]):
    def current(self) -> Self:
        return self.filter(replaced_at__isnull=True)


class Document(Entity):
    """One paper of a case: a sealed file and what was found about it. A newer one of its kind replaces it."""

    verification = models.ForeignKey(Verification, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=10, choices=DocumentStatus, default=DocumentStatus.PENDING)
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    checks = models.JSONField(default=dict)
    """Results of automatic checks: `{name: "passed" | "failed"}`, see `services.checks`."""
    reason = models.CharField(max_length=60, default="", blank=True)
    notes = models.TextField(max_length=2000, default="", blank=True)
    message = models.TextField(max_length=1000, default="", blank=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        db_table = "kyc_document"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DocumentStatus.values), name="document_status_is_known"),
            models.CheckConstraint(
                condition=Q(status=DocumentStatus.PENDING) | Q(reviewed_by__isnull=False, reviewed_at__isnull=False),
                name="a_judged_document_has_its_reviewer",
            ),
            models.UniqueConstraint(
                fields=["verification", "kind"],
                condition=Q(replaced_at__isnull=True),
                name="one_current_document_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class CaseEvent(Entity):
    """
    What people wrote about an event of a case (`core.models.Event` of the same id), views of its papers included.
    Append-only: the database refuses changes, except that `words` may be blanked when a person is erased.
    """

    verification = models.ForeignKey(Verification, on_delete=models.PROTECT, related_name="events")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    """Null: the clock."""
    words = models.JSONField(default=dict, blank=True)
    """What people wrote: `why`, `reason`, `notes`, `message`."""

    class Meta:
        db_table = "kyc_event"
        indexes = [models.Index(fields=["verification", "created_at"], name="kyc_event_of_case")]

    def __str__(self) -> str:
        return self.action


class Badge(models.TextChoices):
    IDENTITY = "identity", _("Identity")
    ADDRESS = "address", _("Address")
    ACCREDITED_INVESTOR = "accredited_investor", _("Accredited investor")
    COMPANY = "company", _("Company")
    FOUNDER = "founder", _("Founder")


class Source(models.TextChoices):
    VERIFICATION = "verification", _("Identity review")
    STAFF = "staff", _("Staff")


class GrantedBadgeQuerySet(models.QuerySet["GrantedBadge"]):
    def valid_at(self, now: datetime) -> Self:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)


class GrantedBadge(Entity):
    """A badge and where it came from. `accounts.User.badges` repeats the valid ones for cards."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="granted_badges")
    badge = models.CharField(max_length=30, choices=Badge)
    source = models.CharField(max_length=20, choices=Source)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = GrantedBadgeQuerySet.as_manager()

    class Meta:
        db_table = "kyc_badge"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "badge"], condition=Q(revoked_at__isnull=True), name="a_badge_is_held_once"
            ),
            models.CheckConstraint(
                condition=Q(issued_by__isnull=True) | ~Q(issued_by=F("user")), name="nobody_badges_himself"
            ),
        ]

    def __str__(self) -> str:
        return self.get_badge_display()
