"""What the views of this app read from a request, and how they answer a sign-in."""

from typing import Any

from django.utils import timezone

from accounts.services import login, sessions
from core import context
from core.api.requests import Request
from core.devices import sent_by


def device_of(request: Request) -> str:
    return sent_by(request.headers)


def caller_of(request: Request) -> dict[str, Any]:
    """Where a proof of identity comes from, and when."""
    return {"address": context.client_address.get(), "device": device_of(request), "now": timezone.now()}


def login_answer(outcome: sessions.Tokens | login.Challenge) -> dict[str, object]:
    if isinstance(outcome, sessions.Tokens):
        return tokens_answer(outcome)
    return {
        "twoFactorRequired": True,
        "twoFactorToken": outcome.token,
        "methods": outcome.methods,
        "expiresIn": outcome.expires_in,
    }


def tokens_answer(tokens: sessions.Tokens) -> dict[str, object]:
    user = tokens.session.user
    return {
        **refresh_answer(tokens),
        "user": {"id": user.pk, "email": user.email, "firstName": user.first_name, "lastName": user.last_name},
    }


def refresh_answer(tokens: sessions.Tokens) -> dict[str, object]:
    return {"token": tokens.token, "refreshToken": tokens.refresh_token, "expiresIn": tokens.expires_in}
