"""What this app knows of a person, and how an account ends (core.privacy.people)."""

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db.models import Model, Q

from accounts.models import (
    WAYS_IN,
    AuthenticatorApp,
    DataExport,
    ExternalIdentity,
    Invitation,
    LoginAttempt,
    LoginChallenge,
    MailedToken,
    Passkey,
    PasskeyChallenge,
    PhoneCode,
    Profile,
    ProfilePicture,
    RecoveryCode,
    RecoverySheet,
    RefreshToken,
    Session,
    SignInCode,
    Status,
    User,
)
from accounts.services.sharing import drop_preview
from core.privacy import people
from uploads.services import delete_file

people.tells(
    User,
    by="pk",
    fields=(
        "id",
        "email",
        "first_name",
        "last_name",
        "phone_number",
        "bio",
        "location",
        "website",
        "profile_photo",
        "cover_photo",
        "badges",
        "role",
        "status",
        "email_verified_at",
        "phone_verified_at",
        "identity_verified_at",
        "two_factor_enabled_at",
        "created_at",
        "updated_at",
    ),
)
people.tells(Profile, fields=("followers_count", "following_count", "posts_count", "campaigns_count", "share_token"))
people.tells(ProfilePicture, fields=("kind", "size", "file_id", "created_at"))
people.tells(
    Session, fields=("device", "address", "method", "created_at", "last_seen_at", "revoked_at", "revoked_because")
)
people.keeps_silent(RefreshToken, because="a secret of a session, of which the sessions tell")
people.tells(LoginAttempt, fields=("address", "device", "method", "success", "reason", "created_at"))
people.tells(Invitation, by="inviter_id", fields=("email", "created_at", "expires_at", "accepted_at"))
people.tells(DataExport, fields=("id", "status", "created_at", "expires_at"))
people.keeps_silent(MailedToken, because="what it proves is told with the account; the rest is a secret")
people.keeps_silent(PhoneCode, because="a secret of ten minutes")
people.keeps_silent(LoginChallenge, because="a secret of five minutes")
people.tells(ExternalIdentity, fields=("platform", "issuer", "subject", "email", "created_at"))
people.keeps_silent(SignInCode, because="a secret of a minute")
people.tells(Passkey, fields=("name", "backed_up", "transports", "created_at", "last_used_at"))
people.keeps_silent(PasskeyChallenge, because="a secret of five minutes")
people.keeps_silent(RecoverySheet, because="a secret; its codes are hashes")
people.keeps_silent(RecoveryCode, because="a secret")
people.keeps_silent(AuthenticatorApp, because="a secret; that there is one is told with the account")
for allauths in (EmailAddress, SocialAccount):
    people.keeps_silent(allauths, because="nothing is ever written to it (docs/adr/0008-allauth-for-openid-connect.md)")


@people.forgets
def forget(*, person_id: UUID, now: datetime) -> None:
    """The row stays, since money and conversations point to it, and nobody can tell whose it was."""
    user = User.objects.get(pk=person_id)
    gone_address = f"erased-{user.pk.hex}@erased.invalid"
    for export in DataExport.objects.filter(user=user).select_related("file"):
        if export.file is not None:
            delete_file(export.file, now=now)
    for picture in ProfilePicture.objects.filter(user=user).select_related("file"):
        delete_file(picture.file, now=now)
    profile = Profile.objects.filter(user=user).first()
    if profile is not None:
        drop_preview(profile, now)
    gone: tuple[type[Model], ...] = (DataExport, ProfilePicture, Profile, Session, LoginAttempt, *WAYS_IN)
    for model in gone:
        model._default_manager.filter(user=user).delete()
    Invitation.objects.filter(inviter=user).delete()
    Invitation.objects.filter(Q(email=user.email) | Q(accepted_by=user)).update(email=gone_address)
    user.email = gone_address
    user.first_name, user.last_name = "Deleted", "account"
    for column in ("phone_number", "bio", "location", "website", "profile_photo", "cover_photo", "suspended_because"):
        setattr(user, column, "")
    for column in ("email_verified_at", "phone_verified_at", "identity_verified_at", "two_factor_enabled_at"):
        setattr(user, column, None)
    user.badges, user.status, user.deletion_due_at = [], Status.DELETED, None
    user.set_unusable_password()
    user.save()
