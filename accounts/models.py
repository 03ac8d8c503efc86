"""People and their profiles, sessions on devices, how they sign in, and the tokens that go out by mail."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from accounts import passwords
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


STAFF_ROLES = (Role.REVIEWER, Role.MODERATOR, Role.ADMIN)

STAFF_RIGHTS: dict[str, dict[str, set[str]]] = {
    Role.REVIEWER: {"kyc": {"view", "change"}, "accounts": {"view"}},
    Role.MODERATOR: {"campaigns": {"view", "change"}, "accounts": {"view"}, "chat": {"view"}},
}
"""What each staff role may do in the admin, by app; an admin may do all that the pages offer (SECURITY-GOALS 67)."""


LONGEST_NAME = 80


class Users(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


def normalise_email(email: str) -> str:
    """How an address is kept and compared: trimmed and in lower case."""
    return email.strip().lower()


class User(Entity, AbstractBaseUser):
    """A person. Status, role, verification and identity are written only by their own workflows (SECURITY-GOALS 38)."""

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
    deletion_due_at = models.DateTimeField(null=True, blank=True)
    """When the account is erased, since its person asked for it; signing in takes the wish back."""
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Users] = Users()

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
            )
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
        return self.role in STAFF_ROLES

    @property
    def is_superuser(self) -> bool:
        return self.role == Role.ADMIN

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
        """Django admin's question: `app.action_model`."""
        if not self.is_active:
            return False
        if self.role == Role.ADMIN:
            return True
        app, _, codename = perm.partition(".")
        return codename.partition("_")[0] in STAFF_RIGHTS.get(self.role, {}).get(app, set())

    def has_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and (self.role == Role.ADMIN or app_label in STAFF_RIGHTS.get(self.role, {}))


class Profile(models.Model):
    """
    What belongs to a person's page and is not asked for with every request, one row each.

    The counts are kept by the apps above through `services.counts`, since nothing down here can look up there. They
    stand here and not on the account, whose row is locked where money moves.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    version = models.PositiveIntegerField(default=1)
    """Counts the person's own edits; it is the ETag."""
    followers_count = models.PositiveIntegerField(default=0)
    following_count = models.PositiveIntegerField(default=0)
    posts_count = models.PositiveIntegerField(default=0)
    campaigns_count = models.PositiveIntegerField(default=0)
    """The person's own campaigns, drafts included: as many as `/api/profile/campaigns` lists."""
    share_token = models.CharField(max_length=22, unique=True, null=True)
    """What the public page is found by, once the person asked for a link. It is there to be passed on."""
    preview = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    """The picture that a chat shows for the link, and a hash of what it was drawn from."""
    preview_drawn_from = models.CharField(max_length=64, default="", blank=True)

    def __str__(self) -> str:
        return str(self.user_id)

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class ProfilePicture(Entity):
    """One size of a person's photo or cover; `User.profile_photo` and `cover_photo` repeat the address of one."""

    class Kind(models.TextChoices):
        PHOTO = "photo"
        COVER = "cover"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind)
    size = models.CharField(max_length=6)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "size"], name="picture_has_each_size_once"),
            models.CheckConstraint(condition=models.Q(kind__in=["photo", "cover"]), name="picture_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.size} of {self.user_id}"


class Invitation(Entity):
    """Somebody asked somebody to join. Its token went out by mail, kept as SHA-256, and is used by one registration."""

    inviter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    accepted_by = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, related_name="invited_through")
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="invitation_token_is_unique")]

    def __str__(self) -> str:
        return f"by {self.inviter_id}"


class PhoneCode(Entity):
    """The code that went to a person's number last, kept as a keyed fingerprint; for ten minutes and five tries."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="phone_code")
    fingerprint = models.BinaryField(max_length=32)
    """Of person, number and code together, so that a code proves the number it went to and no other."""
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)


class DataExport(Entity):
    """Everything about a person in one archive: asked for, made by the worker, gone after a week."""

    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        EXPIRED = "expired"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    status = models.CharField(max_length=7, choices=Status, default=Status.PENDING)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "ready", "expired"]), name="export_status_is_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="ready") | models.Q(file__isnull=False, expires_at__isnull=False),
                name="export_that_is_ready_has_its_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"

    def status_at(self, now: datetime) -> str:
        """By the clock: no job has to run for an archive to end."""
        is_over = self.expires_at is not None and self.expires_at <= now
        return self.Status.EXPIRED if is_over else self.status


class SessionQuerySet(models.QuerySet["Session"]):
    def live_at(self, now: Any) -> Self:
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class Session(Entity):
    """One signed-in device. Access tokens name it, every request looks it up, revoking it ends everything at once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=200, default="", blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    method = models.CharField(max_length=40, default="password")
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    authenticated_at = models.DateTimeField()
    """When the person last proved who they are on this device; what step-up asks for."""
    second_factor_at = models.DateTimeField(null=True, blank=True)
    """When they last proved it with their second factor; what step-up asks for once one is on."""
    unused_successor_id = models.UUIDField(null=True, blank=True, editable=False)
    """The newest refresh token, while neither it nor an access token issued with it has been used: its answer may have
    been lost, and the token before it gives it again. No foreign key, since every request reads and few write it."""
    successor_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When an access token issued with the newest refresh token was used first."""
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=40, default="", blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "revoked_at"], name="session_by_user")]

    def is_recent_at(self, now: datetime) -> bool:
        """
        Whether the person proved who they are within REAUTHENTICATION_WINDOW before `now`.

        Once a second factor is on, only its code proves it: whoever got hold of a session and of the password must not
        be able to move money, or to switch the factor off (ASVS 7.5.3).
        """
        proven_at = self.second_factor_at if self.user.two_factor_enabled else self.authenticated_at
        return proven_at is not None and now - proven_at <= settings.REAUTHENTICATION_WINDOW


class RefreshToken(Entity):
    """
    A link of a session's chain. Kept as SHA-256; the newest link is the one without `used_at`.

    `successor` is the next token, sealed with a key made from this one: only someone who holds this token can open it,
    so that a repeat after a lost answer gets the same next token and the chain stays one line.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)
    successor = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="refresh_token_is_unique"),
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(used_at__isnull=True), name="session_has_one_current_token"
            ),
        ]


class MailedToken(Entity):
    """A single-use token that went out by mail, kept as SHA-256; a newer one of the same purpose replaces it."""

    class Purpose(models.TextChoices):
        VERIFY_EMAIL = "verify_email"
        RESET_PASSWORD = "reset_password"
        STAFF_FACTOR = "staff_factor"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mailed_tokens")
    purpose = models.CharField(max_length=20, choices=Purpose)
    email = models.EmailField(max_length=254)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="mailed_token_is_unique"),
            models.UniqueConstraint(
                fields=["user", "purpose"],
                condition=models.Q(used_at__isnull=True),
                name="only_the_newest_mailed_token_works",
            ),
        ]


class AuthenticatorApp(Entity):
    """
    A person's TOTP secret (RFC 6238), sealed. It counts from `confirmed_at` on, when a first code was right.

    `last_step` makes a code work once across all processes; five failures lock the factor for a while.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")
    secret = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=-1)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)


class RecoverySheet(Entity):
    """The paper with a person's ten recovery codes, and the salt that they are all hashed under."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="recovery_sheet")
    salt = models.BinaryField(max_length=16)


class RecoveryCode(Entity):
    """One of ten codes that stand in for every other second factor, each once; kept as Argon2id."""

    sheet = models.ForeignKey(RecoverySheet, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "digest"], name="recovery_code_is_unique")]


class Passkey(Entity):
    """
    A public key of a person, whose private half an authenticator keeps for this site alone (WebAuthn Level 3): a second
    factor, and a sign-in of its own.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(max_length=1023)
    public_key = models.BinaryField(max_length=2048)
    """COSE_Key, CBOR."""
    sign_count = models.BigIntegerField(default=0)
    """Counts its uses, where the authenticator counts; going back would mean that there is a copy (§6.1.1)."""
    transports = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    """How a browser may reach it; a hint that is passed on as the browser gave it."""
    backed_up = models.BooleanField(default=False)
    """Whether its owner's password manager carries it to their other devices."""
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential_id"], name="passkey_is_registered_once")]

    def __str__(self) -> str:
        return self.name


class PasskeyChallenge(Entity):
    """
    Random bytes that one answer of a passkey has to sign, kept as SHA-256: once, within five minutes, for one purpose,
    by one person unless it is for signing in, where nobody is known yet.
    """

    class Purpose(models.TextChoices):
        REGISTER = "register"
        SIGN_IN = "sign_in"
        SECOND_STEP = "second_step"
        STEP_UP = "step_up"

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="passkey_challenges")
    purpose = models.CharField(max_length=11, choices=Purpose)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="passkey_challenge_is_unique"),
            models.CheckConstraint(
                condition=models.Q(purpose="sign_in", user__isnull=True)
                | ~models.Q(purpose="sign_in") & models.Q(user__isnull=False),
                name="only_a_sign_in_is_by_nobody_yet",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="passkey_challenge_age")]


class LoginChallenge(Entity):
    """
    A login between its two steps: the first was right, the code is due. Its token is kept as SHA-256, good for nothing
    else, and gone once used or once the password or the second factor changes.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_challenges")
    digest = models.BinaryField(max_length=32)
    method = models.CharField(max_length=20)
    """How the first step was taken."""
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="login_challenge_is_unique")]


class Platform(models.TextChoices):
    GOOGLE = "google", "Google"
    LINKEDIN = "linkedin", "LinkedIn"


class ExternalIdentity(Entity):
    """
    A person as a provider knows them: issuer and subject of its ID tokens, which neither changes nor passes on to
    somebody else (OpenID Connect Core §5.7). The address is the one the provider told when it was linked, for display.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="external_identities")
    platform = models.CharField(max_length=20, choices=Platform)
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    email = models.CharField(max_length=254, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="external_identity_has_one_account"),
            models.UniqueConstraint(fields=["user", "platform"], name="one_identity_per_platform"),
        ]


class SignInCode(Entity):
    """What the front end exchanges after a provider's sign-in: 256 bits kept as SHA-256, once, within 60 seconds."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_codes")
    digest = models.BinaryField(max_length=32)
    method = models.CharField(max_length=20)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="sign_in_code_is_unique")]


class LoginAttempt(Entity):
    """A line of a person's login history: a sign-in, or somebody's failure to sign in as this person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_attempts")
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=200, default="")
    """The `User-Agent` header as it was sent; shown by `core.devices.device_name`."""
    fingerprint = models.CharField(max_length=120)
    """Kind of device and network, coarse: what makes a sign-in familiar (`services.history`)."""
    method = models.CharField(max_length=40)
    success = models.BooleanField()
    reason = models.CharField(max_length=40, default="")
    """The code of the refusal; empty for a sign-in."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(success=True, reason="") | models.Q(success=False) & ~models.Q(reason=""),
                name="only_a_failed_login_has_a_reason",
            )
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="login_history"),
            models.Index(fields=["user", "fingerprint"], condition=models.Q(success=True), name="login_is_familiar"),
            models.Index(fields=["created_at"], name="login_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method}, {self.created_at:%Y-%m-%d %H:%M}"


WAYS_IN: tuple[type[models.Model], ...] = (
    AuthenticatorApp,
    RecoverySheet,
    Passkey,
    PasskeyChallenge,
    LoginChallenge,
    MailedToken,
    PhoneCode,
    SignInCode,
    ExternalIdentity,
)
"""What lets its `user` in beside the password, or is about to: gone when an account is handed over or erased."""
