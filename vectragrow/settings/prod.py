"""Production. Declines to start without its secrets and names each one that is missing."""

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import (
    ALLOWED_HOSTS,
    DATABASE_URL,
    DOCUMENT_KEYS,
    EMAIL_URL,
    PAYMENTS_PROVIDER,
    PUBLIC_URL,
    SECRET_KEY,
    STORAGES,
    TWILIO_ACCOUNT_SID,
    TWILIO_AUTH_TOKEN,
    TWILIO_FROM,
    env,
)

_required = {
    "SECRET_KEY": SECRET_KEY,
    "ALLOWED_HOSTS": ALLOWED_HOSTS,
    "DATABASE_URL": DATABASE_URL,
    "REDIS_URL": env.str("REDIS_URL", default=""),
    "PUBLIC_URL": env.str("PUBLIC_URL", default=""),
    "EMAIL_URL": EMAIL_URL,
    "DOCUMENT_KEYS": DOCUMENT_KEYS,
    "STORAGE_URL": env.str("STORAGE_URL", default=""),
}
_twilio = {
    "TWILIO_ACCOUNT_SID": TWILIO_ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": TWILIO_AUTH_TOKEN,
    "TWILIO_FROM": TWILIO_FROM,
}
if any(_twilio.values()):  # without any of them SMS are off
    _required |= _twilio
_missing = [name for name, value in _required.items() if not value]
if _missing:
    raise ImproperlyConfigured(
        "Production needs these environment variables, which are not set: " + ", ".join(_missing)
    )
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters in production.")
if PAYMENTS_PROVIDER == "sandbox" and not env.bool("ALLOW_SANDBOX_PAYMENTS", default=False):
    raise ImproperlyConfigured(
        "PAYMENTS_PROVIDER=sandbox moves no real money. Set a real provider, or ALLOW_SANDBOX_PAYMENTS=1 for staging."
    )

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
