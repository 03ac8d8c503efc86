"""Asking somebody to join: a mail with a token that their registration may carry."""

import re
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts import tokens
from accounts.errors import InvitationInvalid
from accounts.models import Invitation, User, normalise_email
from core import events
from core.api import limits
from core.api.limits import Limit, RateLimited
from core.data.locks import lock
from core.data.transactions import retrying

LIFETIME = timedelta(days=30)
PER_PERSON = Limit("invitation:person", 20, timedelta(days=1))
PER_ADDRESS = Limit("invitation:address", 3, timedelta(days=1))
"""Per invited address, so that nobody's mailbox is flooded. Beyond it no mail is sent and the answer is the same."""

_LOOKS_LIKE_A_LINK = re.compile(r"[:/@\\]|\.\S")


@retrying
def invite(*, inviter: User, email: str, now: datetime, into: str = "") -> Invitation:
    """
    Invite an address. One that has an account gets no mail, and the answer does not show it (SECURITY-GOALS 23).

    :param into: the name of what they are invited into, such as a group; empty for the platform alone
    """
    address, token = normalise_email(email), tokens.new_token()
    invitation = Invitation.objects.create(
        inviter=inviter, email=address, digest=tokens.digest(token), created_at=now, expires_at=now + LIFETIME
    )
    mailed = {}
    if not User.objects.filter(email=address).exists() and _may_be_written_to(address):
        mailed = {"email": address, "inviter": _display_name(inviter), "token": token, "into": _shown(into)}
    events.record("invitation.sent", invitation, actor=inviter, now=now, inviter_id=inviter.pk, **mailed)
    return invitation


def accept(*, token: str, user: User, now: datetime) -> User:
    """
    Use an invitation up for a new account, in the caller's transaction. Returns who invited.

    :raises InvitationInvalid: used, expired or not ours
    """
    found = lock(Invitation.objects).select_related("inviter")
    invitation = found.filter(digest=tokens.digest(token)).first()
    if invitation is None or invitation.accepted_at or invitation.expires_at <= now or not invitation.inviter.is_active:
        raise InvitationInvalid(field="inviteToken")
    invitation.accepted_by, invitation.accepted_at = user, now
    invitation.save(update_fields=["accepted_by", "accepted_at"])
    events.record("invitation.accepted", invitation, actor=user, now=now)
    return invitation.inviter


def _may_be_written_to(address: str) -> bool:
    try:
        limits.hit(PER_ADDRESS, address)
    except RateLimited:
        return False
    return True


def _display_name(inviter: User) -> str:
    return _shown(inviter.name) or _("A member")


def _shown(name: str) -> str:
    """A name in a mail to strangers; empty for one that a mail program would make a link of."""
    return "" if _LOOKS_LIKE_A_LINK.search(name) else name
