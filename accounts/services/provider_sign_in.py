"""
A browser's way to the provider and back, as allauth goes it. What allauth keeps in the session meanwhile travels in a
sealed cookie of the browser that began; nobody is logged in to a session, and no row of allauth's is written.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.errors import IdTokenInvalid, OAuthDenied, OAuthStateInvalid, RedirectNotAllowed
from accounts.openid import calls
from accounts.openid.calls import calling, moment
from accounts.openid.provider import OpenIDAdapter, OpenIDProvider, person_of
from accounts.providers import registration
from accounts.services import identities
from core.api.errors import Refusal
from core.crypto.sealing import CannotOpen, seal, unseal

FLOW_LIFETIME = timedelta(minutes=10)
"""Of the cookie; allauth's STATE_TTL, as long, is what holds."""
PURPOSE = "sign-in flow"


def begin(request: HttpRequest, *, platform: str, redirect: str, now: datetime) -> HttpResponse:
    """
    Send a browser to the provider.

    :param redirect: path of the front end (with a query, if it likes) where it all ends; empty: the first allowed one
    :raises ProviderNotConfigured, ProviderUnavailable:
    :raises RedirectNotAllowed: not one of OAUTH_RETURN_PATHS
    """
    there = registration(platform)
    nonce = secrets.token_urlsafe(32)
    request.session = FlowSession()
    request.session.update({"path": _return_path(redirect), "nonce": nonce})
    with calling(there, now):
        provider = get_adapter().get_provider(request, platform)
        answer = provider.redirect(request, process=AuthProcess.LOGIN, auth_params={"nonce": nonce})
    answer.set_cookie(
        _cookie_name(platform),
        request.session.session_key,
        max_age=FLOW_LIFETIME,
        path=_cookie_path(platform),
        secure=settings.PUBLIC_URL.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return _unseen(answer)


def finish(request: HttpRequest, *, platform: str, now: datetime) -> HttpResponse:
    """
    The browser is back: on to the front end's address with a one-time `code`, or with `error`.

    :raises ProviderNotConfigured:
    """
    there = registration(platform)
    request.session = FlowSession(request.COOKIES.get(_cookie_name(platform)))
    try:
        # RFC 9207: a provider that names itself in its answer has to be the one that was asked.
        if request.GET.get("iss", there.issuer) != there.issuer:
            raise OAuthStateInvalid()
        with calling(there, now):
            answer = _Callback.adapter_view(OpenIDAdapter(request, platform))(request)
    except Refusal as refusal:
        answer = _to_front_end(request, error=refusal.code)
    answer.delete_cookie(_cookie_name(platform), path=_cookie_path(platform), samesite="Lax")
    return _unseen(answer)


class FlowSession(SessionStore):
    """Django's session in a cookie, sealed instead of signed: nobody reads it, nobody changes it."""

    def load(self) -> dict[str, Any]:
        try:
            return dict(unseal(bytes.fromhex(self.session_key or ""), purpose=PURPOSE))
        except (CannotOpen, ValueError):
            return {}

    def _get_session_key(self) -> str:
        return seal(dict(self.items()), purpose=PURPOSE).hex()


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Where allauth asks the platform (SOCIALACCOUNT_ADAPTER)."""

    def get_provider(self, request: HttpRequest | None, provider: str, client_id: Any = None) -> OpenIDProvider:
        """:raises ProviderNotConfigured:"""
        return OpenIDProvider(request, app=registration(provider).app())

    def generate_state_param(self, state: dict[str, Any]) -> str:
        return secrets.token_urlsafe(32)

    def get_requests_session(self) -> calls.Calls:
        return calls.session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """
        Called when the provider has identified somebody. Replaces allauth's next step, which would log in a Django
        session.

        :raises ProviderEmailUnverified, AccountExists: as `identities.issue_sign_in_code`
        """
        platform = sociallogin.account.provider
        code = identities.issue_sign_in_code(person_of(sociallogin), platform=platform, now=moment())
        raise ImmediateHttpResponse(_to_front_end(request, code=code))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """
        An error of allauth as one of our refusals.

        :raises OAuthStateInvalid: it knows no such state of this browser
        :raises OAuthDenied: the provider sent no code
        :raises IdTokenInvalid: the answer to the code is none
        """
        if exception is not None:
            raise IdTokenInvalid(field="token") from exception
        denied = "error" in request.GET and "state" not in request.GET  # against RFC 6749 §4.1.2.1, but it happens
        if "state" in extra_context or denied:
            raise OAuthDenied()
        raise OAuthStateInvalid()


class _Callback(OAuth2CallbackView):
    def _redirect_strict_samesite(self, request: HttpRequest, provider: Any) -> None:
        """Nothing to try twice: it is the admin's session cookie that is `Strict`, a flow's is `Lax`."""


def _return_path(redirect: str) -> str:
    """:raises RedirectNotAllowed: anything but a path of the front end that is on the list"""
    if not redirect:
        return str(settings.OAUTH_RETURN_PATHS[0])
    plain = redirect.isascii() and redirect.isprintable() and not {"\\", " ", "#"} & set(redirect)
    if {"code", "error"} & set(parse_qs(urlsplit(redirect).query, keep_blank_values=True)):  # those are ours to add
        raise RedirectNotAllowed(field="redirect")
    if not plain or urlsplit(redirect)[:2] != ("", "") or urlsplit(redirect).path not in settings.OAUTH_RETURN_PATHS:
        raise RedirectNotAllowed(field="redirect")
    return redirect


def _to_front_end(request: HttpRequest, **facts: str) -> HttpResponse:
    path = request.session.get("path", settings.OAUTH_RETURN_PATHS[0])
    return HttpResponseRedirect(f"{settings.FRONTEND_URL}{path}{'&' if '?' in path else '?'}{urlencode(facts)}")


def _unseen(answer: HttpResponse) -> HttpResponse:
    """Headers so that the answer is not cached and its address not sent as a referrer."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _cookie_name(platform: str) -> str:
    return f"vg_{platform}"


def _cookie_path(platform: str) -> str:
    return f"/api/auth/{platform}"
