"""Development and the embedded form: what `make up` runs. Secrets made for this install lie in DATA_DIR."""

from .base import *  # noqa: F403
from .base import DATABASES, EMBEDDED, PORT, PUBLIC_URL, env

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default=EMBEDDED.get("SECRET_KEY", ""))
DOCUMENT_KEYS = env.list("DOCUMENT_KEYS", default=EMBEDDED.get("DOCUMENT_KEYS", []))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
WEBSOCKET_ORIGINS = [
    *env.list("WEBSOCKET_ORIGINS", default=[]),
    *env.list("CORS_ALLOWED_ORIGINS", default=[]),
    f"http://localhost:{PORT}",
    f"http://127.0.0.1:{PORT}",
]
MAILBOX_ENABLED = True
ADMIN_TWO_FACTOR_REQUIRED = env.bool("ADMIN_TWO_FACTOR_REQUIRED", default=False)
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # type: ignore[assignment]  # nothing is collected; files are found where they are
WHITENOISE_AUTOREFRESH = DEBUG
DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = 8

if not SECRET_KEY:
    from django.core.exceptions import ImproperlyConfigured

    raise ImproperlyConfigured("No SECRET_KEY. Run `make up` once (it makes one in var/), or set SECRET_KEY.")
