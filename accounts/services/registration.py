"""Signing up."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.errors import EmailTaken
from accounts.models import User, normalise_email
from accounts.services import invitations, sessions, verification
from accounts.services.contacts import keep_contact
from core import events
from core.api.limits import Limit
from core.api.problems import InvalidInput
from core.data.transactions import retrying

PER_ADDRESS = Limit("registration:address", 20, timedelta(hours=1))


def register(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str = "",
    phone_number: str = "",
    invite_token: str = "",
    device: str,
    now: datetime,
) -> sessions.Tokens:
    """
    Make an account, sign its device in and mail the verification link.

    :param invite_token: what the mail of an invitation carried; it need not have gone to this address
    :raises InvitationInvalid: used, expired or not ours
    :raises EmailTaken: the address has an account, whose owner is notified by mail (SECURITY-GOALS 23)
    :raises InvalidInput: the password is too weak
    """
    address = normalise_email(email)
    user = User(email=address, first_name=first_name, last_name=last_name, phone_number=phone_number, created_at=now)
    check_new_password(password, user)
    user.set_password(password)
    return _open_account(user, invite_token, device, now)


@retrying
def _open_account(user: User, invite_token: str, device: str, now: datetime) -> sessions.Tokens:
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        _notify_owner(user.email, now)
        raise EmailTaken() from None
    invited_by = invitations.accept(token=invite_token, user=user, now=now) if invite_token else None
    keep_contact(user)
    verification.mail_link(user=user, now=now)
    events.record("account.registered", user, actor=user, now=now, invited_by=invited_by.pk if invited_by else None)
    return sessions.open_session(user=user, device=device, method="registration", now=now)


def check_new_password(password: str, user: User, field: str = "password") -> None:
    """:raises InvalidInput: with every reason why this password will not do"""
    try:
        validate_password(password, user)
    except ValidationError as error:
        rows: list[dict[str, Any]] = [
            {"field": field, "code": f"password_{str(row.code).removeprefix('password_')}", "detail": row.messages[0]}
            for row in error.error_list
        ]
        raise InvalidInput(rows) from None


def _notify_owner(address: str, now: datetime) -> None:
    owner = User.objects.filter(email=address).first()
    if owner is not None:
        events.record("account.registration_repeated", owner, actor=None, now=now)
