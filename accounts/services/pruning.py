"""Forgetting what nobody needs any more: ended sessions, old tokens, old lines of the login history."""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import LoginAttempt, LoginChallenge, MailedToken, PasskeyChallenge, Session, SignInCode
from accounts.services import history
from core.data.transactions import delete_in_batches

ENDED_SESSIONS_KEPT = timedelta(days=90)
"""For the admin to look at; their refresh tokens go with them."""
DEAD_TOKENS_KEPT = timedelta(days=1)


def prune(*, now: datetime) -> dict[str, int]:
    """
    Delete what is past its time, in short statements, so that it may run beside everything and twice.

    :returns: how many rows of each kind
    """
    ended, dead = now - ENDED_SESSIONS_KEPT, now - DEAD_TOKENS_KEPT
    return {
        "sessions": delete_in_batches(Session.objects.filter(Q(revoked_at__lt=ended) | Q(expires_at__lt=ended))),
        "login attempts": delete_in_batches(LoginAttempt.objects.filter(created_at__lt=now - history.KEPT)),
        "login challenges": delete_in_batches(LoginChallenge.objects.filter(expires_at__lt=dead)),
        "passkey challenges": delete_in_batches(PasskeyChallenge.objects.filter(expires_at__lt=dead)),
        "sign-in codes": delete_in_batches(SignInCode.objects.filter(expires_at__lt=dead)),
        "mailed tokens": delete_in_batches(MailedToken.objects.filter(expires_at__lt=dead)),
    }
