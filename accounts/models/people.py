"""People: their address, name, role, status and what was verified of them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower

from accounts import passwords
from accounts.permissions import USE_ADMIN
from core import rights
from core.models import Entity


class Role(models.TextChoices):
    USER = "user"
    REVIEWER = "reviewer"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Status(models.TextChoices):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


LONGEST_NAME = 80


class Users(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


def normalise_email(email: str) -> str:
    """How an address is kept and compared: trimmed and in lower case."""
    return email.strip().lower()


class User(Entity, AbstractBaseUser):
    """A person. Status, role, verification and identity are written only by their own workflows (SECURITY-GOALS 38)."""

    lock_level: ClassVar = 10

    email = models.EmailField(max_length=254, unique=True)
    first_name = models.CharField(max_length=LONGEST_NAME)
    last_name = models.CharField(max_length=LONGEST_NAME, default="", blank=True)
    """Empty for a person of one name."""
    phone_number = models.CharField(max_length=16, default="", blank=True)
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    """When a code sent to this very number came back; a new number starts unconfirmed."""
    bio = models.TextField(max_length=2000, default="", blank=True)
    location = models.CharField(max_length=120, default="", blank=True)
    website = models.URLField(max_length=300, default="", blank=True)
    profile_photo = models.CharField(max_length=300, default="", blank=True)
    """The public address of the photo, made by `uploads`; empty when there is none."""
    cover_photo = models.CharField(max_length=300, default="", blank=True)
    badges = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.USER)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    identity_verified_at = models.DateTimeField(null=True, blank=True)
    two_factor_enabled_at = models.DateTimeField(null=True, blank=True)
    suspended_because = models.CharField(max_length=300, default="", db_default="", blank=True)
    """For staff; the person sees only that the account is suspended."""
    suspended_until = models.DateTimeField(null=True, blank=True)
    """When a suspension ends by itself, at the next sign-in or by a job; null: when somebody reinstates the person."""
    frozen_until = models.DateTimeField(null=True, blank=True)
    """Until then the person reads and publishes nothing (`accounts.permissions.MayPublish`); the clock ends it."""
    deletion_due_at = models.DateTimeField(null=True, blank=True)
    """When the account is erased, since its person asked for it; signing in cancels the deletion."""
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Users] = Users()

    scopes: ClassVar[frozenset[str] | None] = None
    """What an API key that acts for the person narrows their rights to; None in a session (core.rights)."""

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="account_address_is_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="account_role_is_known"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="account_status_is_known"),
        ]
        indexes = [
            models.Index(
                fields=["deletion_due_at"], condition=models.Q(deletion_due_at__isnull=False), name="account_leaving"
            ),
            models.Index(fields=["role"], condition=~models.Q(role="user"), name="account_of_staff"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.first_name

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(None if raw_password is None else passwords.normalise(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        return super().check_password(None if raw_password is None else passwords.normalise(raw_password))

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == Status.ACTIVE

    @property
    def is_staff(self) -> bool:
        return USE_ADMIN.held_by(self)

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def phone_verified(self) -> bool:
        return self.phone_verified_at is not None

    @property
    def kyc_verified(self) -> bool:
        return self.identity_verified_at is not None

    @property
    def two_factor_enabled(self) -> bool:
        return self.two_factor_enabled_at is not None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether this person holds the right of this name: `{% if perms.kyc.review %}` in the admin's templates."""
        return self.is_active and rights.is_held(perm, self)

    def has_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        """Django's question about a whole app: our pages name a right each (core.admin.StaffPage)."""
        return False


class PersonIndex(models.Model):
    """What a person is found by (`core.search`): their names. A trigger writes it (migrations/_rules_index.py)."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="index")
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "person indexes"
        indexes = [GinIndex(fields=["words"], name="person_words", fastupdate=False)]

    def __str__(self) -> str:
        return str(self.person_id)
