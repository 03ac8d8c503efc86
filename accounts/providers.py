"""The companies whose word about a person we take: Google and LinkedIn, as OpenID Connect providers."""

from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

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


@dataclass(frozen=True)
class Provider:
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


def provider(platform: str) -> Provider:
    """:raises ProviderNotConfigured: this installation has no client of it"""
    values = settings.OPENID_PROVIDERS[Platform(platform)]
    if not (values["issuer"] and values["client_id"] and values["client_secret"]):
        raise ProviderNotConfigured()
    return _provider(platform, **values)


@cache
def _provider(platform: str, issuer: str, client_id: str, client_secret: str, pkce: bool) -> Provider:
    return Provider(platform, issuer.rstrip("/"), client_id, client_secret, pkce)
