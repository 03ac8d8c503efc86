"""Personal data of accounts (core.privacy), and what is left of an account that was erased."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from accounts.models import (
    AuthenticatorApp,
    Block,
    DataExport,
    ExternalIdentity,
    Invitation,
    LoginAttempt,
    LoginChallenge,
    MailedToken,
    Mute,
    Passkey,
    PasskeyChallenge,
    PersonIndex,
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
from accounts.services import history
from accounts.services.sharing import drop_preview
from core.privacy import Cascade, Delete, DeleteAfter, Kept, Withheld, declare
from uploads.services import delete_file

AS_LONG_AS_THE_ACCOUNT = Kept("as long as the account")
SOON_AFTER_ITS_END = DeleteAfter(timedelta(days=1), since="expires_at")
"""Of what is single-use and short-lived."""
ENDED_SESSIONS_KEPT = timedelta(days=90)
"""For the admin to look at; their refresh tokens go with them."""
UNUSED_INVITATIONS_KEPT = timedelta(days=90)
"""After they expired: they hold the address of somebody who has no account."""


def blank_account(*, person_id: UUID, now: datetime) -> None:
    """The row is kept, since money and conversations point to it, without anything that says whose it was."""
    user = User.objects.get(pk=person_id)
    user.email = _erased_address(user)
    user.first_name, user.last_name = "Deleted", "account"
    for column in ("phone_number", "bio", "location", "website", "profile_photo", "cover_photo", "suspended_because"):
        setattr(user, column, "")
    for column in (
        "email_verified_at",
        "phone_verified_at",
        "identity_verified_at",
        "two_factor_enabled_at",
        "suspended_until",
        "frozen_until",
    ):
        setattr(user, column, None)
    user.badges, user.status, user.deletion_due_at = [], Status.DELETED, None
    user.set_unusable_password()
    user.save()


def delete_profile(*, person_id: UUID, now: datetime) -> None:
    profile = Profile.objects.filter(user_id=person_id).first()
    if profile is not None:
        drop_preview(profile, now)
        profile.delete()


def delete_pictures(*, person_id: UUID, now: datetime) -> None:
    pictures = ProfilePicture.objects.filter(user_id=person_id)
    for picture in pictures.select_related("file"):
        delete_file(picture.file, now=now)
    pictures.delete()


def delete_exports(*, person_id: UUID, now: datetime) -> None:
    archives = DataExport.objects.filter(user_id=person_id)
    for export in archives.select_related("file"):
        if export.file is not None:
            delete_file(export.file, now=now)
    archives.delete()


def delete_invitations(*, person_id: UUID, now: datetime) -> None:
    """Those that the person sent go; those that others sent to them lose the address."""
    user = User.objects.get(pk=person_id)
    Invitation.objects.filter(inviter=user).delete()
    Invitation.objects.filter(Q(email=user.email) | Q(accepted_by=user)).update(email=_erased_address(user))


def delete_blocks(*, person_id: UUID, now: datetime) -> None:
    """In both directions: whoever blocked the person keeps no name of them either."""
    Block.objects.filter(Q(blocker=person_id) | Q(blocked=person_id)).delete()


def delete_mutes(*, person_id: UUID, now: datetime) -> None:
    Mute.objects.filter(Q(muter=person_id) | Q(muted=person_id)).delete()


def _erased_address(user: User) -> str:
    return f"erased-{user.pk.hex}@erased.invalid"


declare(
    User,
    person="pk",
    export=(
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
        "suspended_until",
        "frozen_until",
        "created_at",
        "updated_at",
    ),
    erase=blank_account,
    retention=Kept("until the person leaves; erased accounts stay without a name, since money points to them"),
)
declare(
    Profile,
    person="user_id",
    export=(
        "followers_count",
        "following_count",
        "posts_count",
        "campaigns_count",
        "shows_backed_campaigns",
        "share_token",
    ),
    erase=delete_profile,
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    ProfilePicture,
    person="user_id",
    export=("kind", "size", "file_id", "created_at"),
    erase=delete_pictures,
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    DataExport,
    person="user_id",
    export=("id", "status", "created_at", "expires_at"),
    erase=delete_exports,
    retention=Kept("an archive for a week (`accounts.delete_archives`), its row as long as the account"),
)
declare(
    Invitation,
    person="inviter_id",
    export=("email", "created_at", "expires_at", "accepted_at"),
    erase=delete_invitations,
    retention=[
        AS_LONG_AS_THE_ACCOUNT,
        DeleteAfter(UNUSED_INVITATIONS_KEPT, since="expires_at", where=Q(accepted_at__isnull=True)),
    ],
)
declare(
    Session,
    person="user_id",
    export=("device", "address", "method", "created_at", "last_seen_at", "revoked_at", "revoked_because"),
    erase=Delete(),
    retention=[
        DeleteAfter(ENDED_SESSIONS_KEPT, since="revoked_at"),
        DeleteAfter(ENDED_SESSIONS_KEPT, since="expires_at"),
    ],
)
declare(
    RefreshToken,
    export=Withheld("a secret of a session, and sessions are exported"),
    erase=Cascade("session"),
    retention=Cascade("session"),
)
declare(
    LoginAttempt,
    person="user_id",
    export=("address", "device", "method", "success", "reason", "created_at"),
    erase=Delete(),
    retention=DeleteAfter(history.KEPT),
)
declare(
    ExternalIdentity,
    person="user_id",
    export=("platform", "issuer", "subject", "email", "created_at"),
    erase=Delete(),
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    Passkey,
    person="user_id",
    export=("name", "backed_up", "transports", "created_at", "last_used_at"),
    erase=Delete(),
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    Block,
    person="blocker_id",  # not also the one who is blocked: they are not told
    export=("blocked_id", "created_at"),
    erase=delete_blocks,
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    Mute,
    person="muter_id",
    export=("muted_id", "until", "created_at"),
    erase=delete_mutes,
    retention=[AS_LONG_AS_THE_ACCOUNT, DeleteAfter(timedelta(0), since="until")],
)
for secret in (AuthenticatorApp, RecoverySheet):
    declare(
        secret,
        person="user_id",
        export=Withheld("a secret; that there is one is exported with the account"),
        erase=Delete(),
        retention=AS_LONG_AS_THE_ACCOUNT,
    )
declare(
    RecoveryCode,
    export=Withheld("a hash of a secret"),
    erase=Cascade("sheet"),
    retention=Cascade("sheet"),
)
for token in (MailedToken, PhoneCode, LoginChallenge, PasskeyChallenge, SignInCode):
    declare(
        token,
        person="user_id",
        export=Withheld("a short-lived secret"),
        erase=Delete(),
        retention=SOON_AFTER_ITS_END,
    )
declare(
    PersonIndex,
    person="person_id",
    export=Withheld("made of the person's own name"),
    erase=Delete(),
    retention=AS_LONG_AS_THE_ACCOUNT,
)
