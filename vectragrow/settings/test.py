"""Tests: real PostgreSQL and real Redis, cheap password hashes, everything else as in production."""

import base64

from .base import *  # noqa: F403
from .base import DATABASES, REST_FRAMEWORK, env

SECRET_KEY = "test-only-key-" + "x" * 50
DOCUMENT_KEYS = [base64.b64encode(b"k" * 32).decode()]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
WEBSOCKET_ORIGINS = ["http://testserver", "http://localhost", "http://127.0.0.1"]
CORS_ALLOWED_ORIGINS = ["https://app.example"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MAILBOX_ENABLED = True
ADMIN_TWO_FACTOR_REQUIRED = False
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = (
    True  # looks a file up when it is asked for, instead of listing all of them for each test client
)
STATIC_ROOT = None  # type: ignore[assignment]  # nothing is collected; files are found where they are
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.InMemoryStorage",
        "OPTIONS": {"base_url": "http://testserver/media/"},
    },
    "private": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATABASES["default"]["OPTIONS"].pop("pool")
DATABASES["default"]["OPTIONS"]["connect_timeout"] = 60  # fifty requests connect at once
if env.str("PYTEST_XDIST_WORKER", default=""):
    # /conftest.py has made it. A worker's own gets its name as suffix.
    DATABASES["default"]["TEST"] = {"TEMPLATE": f"test_{DATABASES['default']['NAME']}"}
# A loaded machine is neither a stalled database nor a slow Redis; tests of those say how long they wait.
DATABASE_WAIT = 60.0
REDIS_WAIT = 10.0
REST_FRAMEWORK = {**REST_FRAMEWORK}
REDIS_PREFIX = "vgtest" + env.str("PYTEST_XDIST_WORKER", default="")
PROVIDER_CALLS_AT_ONCE = 1  # threads do not see the rows of a test's transaction
