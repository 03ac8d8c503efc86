"""Payment providers by name. `PAYMENTS_PROVIDER` says which one takes new payments."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from investments.providers.base import Gateway
from investments.providers.sandbox import SandboxGateway

PROVIDERS: dict[str, type[Gateway]] = {"sandbox": SandboxGateway}


def gateway(name: str = "") -> Gateway:
    """
    The provider called `name`: payments are finished and refunded where they began. Default: the one for new payments.

    :raises KeyError: there is none
    """
    return PROVIDERS[name or settings.PAYMENTS_PROVIDER]()


def check_settings() -> None:
    """:raises ImproperlyConfigured: PAYMENTS_PROVIDER names a provider that this release does not have"""
    if settings.PAYMENTS_PROVIDER not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise ImproperlyConfigured(
            f"PAYMENTS_PROVIDER={settings.PAYMENTS_PROVIDER} is not a payment provider of this release ({known})."
        )
