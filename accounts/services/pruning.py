"""Forgetting what nobody needs any more: ended sessions, old tokens, old lines of the login history."""

from datetime import datetime, timedelta

from django.db.models import Model, Q, QuerySet

from accounts.models import LoginAttempt, LoginChallenge, MailedToken, PasskeyChallenge, Session, SignInCode
from accounts.services import history

ENDED_SESSIONS_KEPT = timedelta(days=90)
"""For the admin to look at; their refresh tokens go with them."""
DEAD_TOKENS_KEPT = timedelta(days=1)
BATCH = 200


def prune(*, now: datetime) -> dict[str, int]:
    """
    Delete what is past its time, in short statements, so that it may run beside everything and twice.

    :returns: how many rows of each kind
    """
    ended, dead = now - ENDED_SESSIONS_KEPT, now - DEAD_TOKENS_KEPT
    return {
        "sessions": _delete(Session.objects.filter(Q(revoked_at__lt=ended) | Q(expires_at__lt=ended))),
        "login attempts": _delete(LoginAttempt.objects.filter(created_at__lt=now - history.KEPT)),
        "login challenges": _delete(LoginChallenge.objects.filter(expires_at__lt=dead)),
        "passkey challenges": _delete(PasskeyChallenge.objects.filter(expires_at__lt=dead)),
        "sign-in codes": _delete(SignInCode.objects.filter(expires_at__lt=dead)),
        "mailed tokens": _delete(MailedToken.objects.filter(expires_at__lt=dead)),
    }


def _delete(rows: QuerySet[Model]) -> int:
    total = 0
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        total += len(ids)
    return total
