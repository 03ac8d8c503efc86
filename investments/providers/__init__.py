"""Payment providers by name. `PAYMENTS_PROVIDER` says which one takes new payments."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.jobs.circuit_breaker import Breaker
from core.jobs.outbox import NotYet
from investments.providers.base import Gateway, LeftAlone, OutcomeUnknown, StillProcessing
from investments.providers.sandbox import SandboxGateway
from investments.providers.stripe import StripeGateway

PROVIDERS: dict[str, type[Gateway]] = {"sandbox": SandboxGateway, "stripe": StripeGateway}


def gateway(name: str = "") -> Gateway:
    """
    The provider called `name`: payments are finished and refunded where they began. Default: the one for new payments.

    :raises KeyError: there is none
    """
    return PROVIDERS[name or settings.PAYMENTS_PROVIDER]()


def _is_silence(error: Exception) -> bool:
    return isinstance(error, OutcomeUnknown) and not isinstance(error, StillProcessing)


breakers = {name: Breaker(name, is_fault=_is_silence) for name in PROVIDERS}


@contextmanager
def asking(name: str) -> Iterator[Gateway]:
    """
    The provider called `name`, for one call. One that was silent five times in a row is left alone for half a minute.

    :raises LeftAlone: nothing was asked
    """
    try:
        with breakers[name].guard():
            yield gateway(name)
    except NotYet as pause:
        raise LeftAlone(str(pause)) from pause


def check_settings() -> None:
    """:raises ImproperlyConfigured: PAYMENTS_PROVIDER names a provider that is not there, or that lacks a setting"""
    if settings.PAYMENTS_PROVIDER not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise ImproperlyConfigured(
            f"PAYMENTS_PROVIDER={settings.PAYMENTS_PROVIDER} is not a payment provider of this release ({known})."
        )
    needed = {"STRIPE_API_KEY": settings.STRIPE_API_KEY, "STRIPE_WEBHOOK_SECRET": settings.STRIPE_WEBHOOK_SECRET}
    missing = [name for name, value in needed.items() if not value]
    if settings.PAYMENTS_PROVIDER == "stripe" and missing:
        raise ImproperlyConfigured(f"PAYMENTS_PROVIDER=stripe needs {' and '.join(missing)}, which is not set.")
