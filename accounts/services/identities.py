"""
Signing in with identities at Google or LinkedIn, and linking them (SECURITY-GOALS 31; docs/sign-in-with-providers.md).
ID tokens are verified by `accounts.openid`.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework.serializers import ValidationError

from accounts import tokens
from accounts.access import lock_person
from accounts.errors import (
    AccountExists,
    IdentityTaken,
    OAuthCodeInvalid,
    OnlyWayIn,
    PlatformLinked,
    ProviderEmailUnverified,
)
from accounts.inputs.fields import AddressField
from accounts.models import (
    CREDENTIALS,
    ExternalIdentity,
    LoginChallenge,
    Platform,
    ProfilePicture,
    SignInCode,
    User,
    normalise_email,
)
from accounts.openid.provider import Person, person_in_token
from accounts.selectors import sign_in_method_count
from accounts.services import login, profiles, sessions
from accounts.services.contacts import keep_contact
from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying

STARTS_PER_ADDRESS = Limit("oauth:address", 30, timedelta(minutes=1))
RETURNS_PER_ADDRESS = Limit("oauth:return", 30, timedelta(minutes=1))
CODE_LIFETIME = timedelta(seconds=60)


def issue_sign_in_code(person: Person, *, platform: str, now: datetime) -> str:
    """
    A one-time code that the front end exchanges for a login of the person whom the provider identified.

    :raises ProviderEmailUnverified, AccountExists: as `_account_of`
    """
    try:
        return _code_for(person, platform, now)
    except IntegrityError:  # the same person in two windows: the other one was first
        return _code_for(person, platform, now)


@retrying
def _code_for(person: Person, platform: str, now: datetime) -> str:
    user = _account_of(person, platform, now)
    token = tokens.new_token()
    SignInCode.objects.create(
        user=user, digest=tokens.digest(token), method=platform, created_at=now, expires_at=now + CODE_LIFETIME
    )
    return token


def _account_of(person: Person, platform: str, now: datetime) -> User:
    """
    The account of an identity, by issuer and subject. An address alone never signs in to an account that was verified.

    :raises ProviderEmailUnverified: unknown, and the provider has not verified the address
    :raises AccountExists: unknown, and the address belongs to an account that its owner has verified
    """
    known = ExternalIdentity.objects.filter(issuer=person.issuer, subject=person.subject).first()
    if known is not None:
        user = lock_person(known.user_id)
        if ExternalIdentity.objects.filter(pk=known.pk, user=user).exists():  # else unlinked a moment ago
            return user
    email = _verified_address(person)
    holder = User.objects.filter(email=email).values_list("pk", flat=True).first()
    if holder is None:
        user = _new_account(person, email, now)
    else:
        user = lock_person(holder)
        if user.email_verified or user.email != email:
            raise AccountExists()
        _transfer_account(user, person, now)
    _link(user, person, platform, now, at_sign_in=True)
    return user


def _verified_address(person: Person) -> str:
    """By the rules of a registration."""
    try:
        email = normalise_email(AddressField().run_validation(person.email))
    except ValidationError:
        raise ProviderEmailUnverified() from None
    if not person.email_verified:
        raise ProviderEmailUnverified()
    return email


def _names(person: Person) -> dict[str, str]:
    """What others see. Never a part of the address, which is not for them; a missing name can be set in the profile."""
    if person.first_name:
        return {"first_name": person.first_name, "last_name": person.last_name}
    return {"first_name": person.last_name or _("Member"), "last_name": ""}


def _new_account(person: Person, email: str, now: datetime) -> User:
    user = User(email=email, **_names(person), email_verified_at=now, created_at=now)
    user.set_unusable_password()
    user.save(force_insert=True)
    keep_contact(user)
    events.record("account.registered", user, actor=user, now=now)
    return user


def _transfer_account(user: User, person: Person, now: datetime) -> None:
    """
    Give an account to the proven owner of its address, where somebody else made it and never verified it. All earlier
    credentials are deleted, and so are the profile's words and pictures.
    """
    for kind in ProfilePicture.Kind.values:
        profiles.remove_picture(person=user, kind=kind, now=now)
    user.set_unusable_password()
    user.email_verified_at = now
    user.two_factor_enabled_at = user.phone_verified_at = None
    user.phone_number = user.bio = user.location = user.website = user.profile_photo = user.cover_photo = ""
    for name, value in _names(person).items():
        setattr(user, name, value)
    user.save()
    for model in CREDENTIALS:
        model._default_manager.filter(user=user).delete()
    sessions.close_sessions(user=user, because="owner_arrived", now=now)
    keep_contact(user)
    events.record("account.taken_over_by_owner", user, actor=user, now=now, issuer=person.issuer)


def _link(user: User, person: Person, platform: str, now: datetime, *, at_sign_in: bool) -> ExternalIdentity:
    identity = ExternalIdentity.objects.create(
        user=user,
        platform=platform,
        issuer=person.issuer,
        subject=person.subject,
        email=person.email[:254],
        created_at=now,
    )
    events.record("account.identity_linked", identity, actor=user, now=now, **_about(identity), at_sign_in=at_sign_in)
    return identity


def _about(identity: ExternalIdentity) -> dict[str, Any]:
    """What is recorded of an identity."""
    platform = Platform(identity.platform)
    return {"user_id": identity.user_id, "provider": platform.value, "platform": str(platform.label)}


@retrying
def exchange(*, code: str, device: str, now: datetime) -> sessions.Tokens | login.Challenge:
    """
    Exchange the code of a provider's sign-in for the first step of a login, equal to a correct password.

    :raises OAuthCodeInvalid: used, older than 60 seconds, or never ours
    :raises AccountSuspended: the person may not sign in
    """
    digest = tokens.digest(code)
    holder = SignInCode.objects.filter(digest=digest).values_list("user_id", flat=True).first()
    if holder is None:
        raise OAuthCodeInvalid()
    user = lock_person(holder)
    row = SignInCode.objects.filter(digest=digest, used_at__isnull=True, expires_at__gt=now).first()
    if row is None:
        raise OAuthCodeInvalid()
    row.used_at = now
    row.save(update_fields=["used_at"])
    return login.complete_first_step(user=user, method=row.method, device=device, now=now)


def link(*, user: User, platform: str, token: str, nonce: str = "", now: datetime) -> ExternalIdentity:
    """
    Let a person sign in with the identity of an ID token that their client got from the provider.

    :raises IdTokenInvalid: not a fresh token of this provider for us
    :raises IdentityTaken: it signs in to another account
    :raises PlatformLinked: another identity of this provider is linked already
    :raises ProviderNotConfigured, ProviderUnavailable:
    """
    person = person_in_token(platform, token=token, nonce=nonce, now=now)
    return _link_once(user, person, platform, now)


@retrying
def _link_once(user: User, person: Person, platform: str, now: datetime) -> ExternalIdentity:
    present = lock_person(user.pk)
    known = ExternalIdentity.objects.filter(issuer=person.issuer, subject=person.subject).first()
    if known is not None and known.user_id == present.pk:
        return known
    if known is not None:
        raise IdentityTaken()
    if ExternalIdentity.objects.filter(user=present, platform=platform).exists():
        raise PlatformLinked()
    try:
        with transaction.atomic():
            identity = _link(present, person, platform, now, at_sign_in=False)
    except IntegrityError:  # somebody else linked it at this very moment
        raise IdentityTaken() from None
    return identity


@retrying
def unlink(*, user: User, platform: str, now: datetime) -> None:
    """
    Unlink a provider.

    :raises NotFound: none of this provider is linked
    :raises OnlyWayIn: there is neither a password, a passkey nor another identity
    """
    if platform not in Platform.values:
        raise NotFound()
    present = lock_person(user.pk)
    linked = ExternalIdentity.objects.filter(user=present)
    identity = linked.filter(platform=platform).first()
    if identity is None:
        raise NotFound()
    if sign_in_method_count(present) == 1:
        raise OnlyWayIn()
    events.record("account.identity_unlinked", identity, actor=present, now=now, **_about(identity))
    identity.delete()
    SignInCode.objects.filter(user=present, method=platform).delete()
    LoginChallenge.objects.filter(user=present, method=platform).delete()
