"""allauth's OpenID Connect provider and adapter, as we use them."""

import hashlib
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from allauth.core import context
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

from accounts.errors import IdTokenInvalid, ProviderUnavailable
from accounts.models import LONGEST_NAME
from accounts.openid import calls, id_tokens
from accounts.openid.calls import calling, moment
from accounts.openid.id_tokens import SKEW, verified_claims
from accounts.providers import Registration, registration
from core.texts import clean_line

logger = logging.getLogger("vectragrow.openid")

TOKEN_MAX_AGE = timedelta(minutes=10)
"""How old an ID token may be that a client presents: it is sent right after the person agreed."""
KEPT = 3600.0
"""Seconds for which a provider's discovery document is kept."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Person:
    """A person as a verified ID token names them. Identity is issuer and subject; the address is only a claim."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    first_name: str
    last_name: str
    """By our rules for names: what they refuse was taken out. Each may be empty."""


@dataclass
class _Known:
    """A provider's discovery document, as this process has cached it."""

    document: dict[str, Any] = field(default_factory=dict)
    until: float = 0.0


class OpenIDAdapter(OpenIDConnectOAuth2Adapter):
    """Reads a provider's endpoints and their answers."""

    @property
    def registration(self) -> Registration:
        return registration(self.provider_id)

    @property
    def openid_config(self) -> dict[str, Any]:
        """
        The discovery document (OpenID Connect Discovery §4).

        :raises ProviderUnavailable: there is none, or it is another issuer's, or lacks what everything needs
        """
        known = _known(self.registration)
        if time.monotonic() > known.until:
            document = super().openid_config
            if document.get("issuer") != self.registration.issuer:
                logger.error("discovery document of another issuer", extra={"provider": self.provider_id})
                raise ProviderUnavailable()
            if not all(isinstance(document.get(name), str) for name in ENDPOINTS):
                raise ProviderUnavailable()
            known.document, known.until = document, time.monotonic() + KEPT
        return known.document

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """From our settings, whatever host the request named."""
        return self.registration.redirect_uri

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """The access token alone: it is used at most once, right now, and kept nowhere."""
        if not isinstance(data["access_token"], str):
            raise IdTokenInvalid(field="token")
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """
        Whom the ID token names; what it leaves out is asked from the userinfo endpoint.

        :raises IdTokenInvalid, ProviderUnavailable:
        """
        nonce, required = request.session["nonce"], self.registration.returns_nonce
        claims = self.claims_in(kwargs["response"].get("id_token"), nonce=nonce, nonce_required=required)
        if not claims.get("email") and isinstance(self.openid_config.get("userinfo_endpoint"), str):
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:  # OpenID Connect Core §5.3.2
                raise IdTokenInvalid(field="token")
            claims = {**more, **claims}
        return self.get_provider().sociallogin_from_response(request, claims)

    def claims_in(self, id_token: Any, *, nonce: str, nonce_required: bool) -> dict[str, Any]:
        """:raises IdTokenInvalid, ProviderUnavailable:"""
        return verified_claims(
            id_token,
            registration=self.registration,
            fetch_keys=self._fetch_keys,
            nonce=nonce,
            nonce_required=nonce_required,
            now=moment(),
        )

    def _fetch_keys(self) -> Any:
        with get_adapter().get_requests_session() as http:
            return http.get(self.openid_config["jwks_uri"]).json().get("keys")


class OpenIDProvider(OpenIDConnectProvider):
    """What is known of a person; allauth's `response` and `data` are always the claims of a verified ID token."""

    oauth2_adapter_class = OpenIDAdapter

    def verify_token(self, request: HttpRequest | None, token: dict[str, str]) -> SocialLogin:
        """
        :param token: `id_token`, and the `nonce` that the client had put into its request, where it did
        :raises IdTokenInvalid: not a fresh token of this provider for us
        :raises ProviderUnavailable: its keys cannot be fetched
        """
        nonce = token.get("nonce", "")
        adapter = self.get_oauth2_adapter(request)
        claims = adapter.claims_in(token["id_token"], nonce=nonce, nonce_required=bool(nonce))
        if claims["iat"] < (moment() - TOKEN_MAX_AGE).timestamp() - SKEW:
            raise IdTokenInvalid(field="token")
        return self.sociallogin_from_response(request, claims)

    def extract_uid(self, data: dict[str, Any]) -> str:
        """A stand-in: allauth takes up to 191 characters, a subject has up to 255, and its table stays empty."""
        return hashlib.sha256(data["sub"].encode()).hexdigest()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"sub": data["sub"]}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        verified = data.get("email_verified")
        first, last, whole = (_name(data.get(claim)) for claim in ("given_name", "family_name", "name"))
        return {
            "email": _text(data.get("email")),
            "email_verified": verified is True or verified == "true",  # LinkedIn documents it as text
            "first_name": first,
            "last_name": last,
            "name": "" if first or last else whole,  # else allauth splits it for a person of one name
        }

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """None but the one of `extract_common_fields`."""
        return []


def person_in_token(platform: str, *, token: str, nonce: str = "", now: datetime) -> Person:
    """
    Whom an ID token names that a client got by itself.

    :raises IdTokenInvalid, ProviderUnavailable: as `OpenIDProvider.verify_token`
    :raises ProviderNotConfigured:
    """
    with calling(registration(platform), now):
        provider = get_adapter().get_provider(context.request, platform)
        return person_of(provider.verify_token(context.request, {"id_token": token, "nonce": nonce}))


def person_of(login: SocialLogin) -> Person:
    """What allauth made of a verified ID token."""
    address = login.email_addresses[0] if login.email_addresses else None
    return Person(
        issuer=login.provider.app.settings["server_url"],
        subject=login.account.extra_data["sub"],
        email=address.email if address else "",
        email_verified=bool(address and address.verified),
        first_name=login.user.first_name,
        last_name=login.user.last_name,
    )


def forget() -> None:
    """Forget every provider's document, keys and faults."""
    _known.cache_clear()
    id_tokens.forget()
    calls.forget()


@cache
def _known(there: Registration) -> _Known:
    return _Known()


def _name(value: Any) -> str:
    return clean_line(value, LONGEST_NAME) if isinstance(value, str) else ""


def _text(value: Any) -> str:
    """What PostgreSQL keeps of it: JSON may hold NULs and half characters."""
    whole = value.encode(errors="ignore").decode() if isinstance(value, str) else ""
    return " ".join(whole.replace("\0", "").split())
