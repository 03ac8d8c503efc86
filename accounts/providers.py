"""The trusted OpenID Connect providers: Google and LinkedIn."""

from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp
from django.conf import settings

from accounts.errors import ProviderNotConfigured
from accounts.models import Platform

HOSTS = {
    "https://accounts.google.com": {"oauth2.googleapis.com", "www.googleapis.com", "openidconnect.googleapis.com"},
    "https://www.linkedin.com/oauth": {"api.linkedin.com"},
}
"""Where a provider answers beside the host of its issuer; nothing else is called (SECURITY-GOALS 42)."""
LACKS_NONCE = {"https://www.linkedin.com/oauth"}
"""
Issuers that leave the nonce out of their ID tokens, against OpenID Connect Core §2: a missing one is taken there, since
state, PKCE and the client secret bind the code as well. A wrong one is refused everywhere.
"""
SCOPE = "openid email profile"


@dataclass(frozen=True)
class Registration:
    """Our client at a provider."""

    platform: str
    issuer: str
    client_id: str
    client_secret: str
    pkce: bool = True

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(self.issuer).netloc, *HOSTS.get(self.issuer, ())}

    @property
    def returns_nonce(self) -> bool:
        return self.issuer not in LACKS_NONCE

    @property
    def redirect_uri(self) -> str:
        """The exact address that is registered with the provider."""
        return f"{settings.PUBLIC_URL}/api/auth/{self.platform}/callback"

    def app(self) -> SocialApp:
        """The same as allauth knows it, never saved."""
        return SocialApp(
            provider="openid_connect",
            provider_id=self.platform,
            name=self.platform,
            client_id=self.client_id,
            secret=self.client_secret,
            settings={
                "server_url": self.issuer,
                "oauth_pkce_enabled": self.pkce,
                "token_auth_method": "client_secret_post",
                "scope": [SCOPE],
            },
        )


def registration(platform: str) -> Registration:
    """:raises ProviderNotConfigured: this installation has no client of it"""
    values = settings.OPENID_PROVIDERS[Platform(platform)]
    if not (values["issuer"] and values["client_id"] and values["client_secret"]):
        raise ProviderNotConfigured()
    return _registration(platform, **values)


@cache
def _registration(platform: str, issuer: str, client_id: str, client_secret: str, pkce: bool) -> Registration:
    return Registration(platform, issuer.rstrip("/"), client_id, client_secret, pkce)
