"""
What is the same everywhere. `dev`, `test` and `prod` start from here.

Every name that an operator may set is described in docs/configuration.md; this file is the only reader.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

from core.data.postgres import PREPARE_ON_REQUEST, PooledConnection
from vectragrow.embedded import discovery
from vectragrow.settings.analytics import clickhouse
from vectragrow.settings.storage import storages

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).expanduser().absolute()
EMBEDDED = discovery.read(DATA_DIR)
"""What a running (or earlier) `make up` has recorded about its own servers: addresses and generated secrets, or {}."""

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=EMBEDDED.get("PORT", 8000))
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://localhost:{PORT}").rstrip("/")
FRONTEND_URL = env.str("FRONTEND_URL", default="").rstrip("/") or PUBLIC_URL
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key", "if-match", "x-request-id"]
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
"""Networks (CIDR) whose X-Forwarded-For is believed; empty: the peer's address is the client's."""

CONNECTIONS_PER_ADDRESS = env.int("CONNECTIONS_PER_ADDRESS", default=256)
"""How many connections one address may hold in a process of `vectragrow.server`; trusted proxies are not counted."""

INSTALLED_APPS = [
    "core",
    "ledger",
    "uploads",
    "notifications",
    "accounts",
    "kyc",
    "campaigns",
    "investments",
    "social",
    "chat",
    "analytics",
    "vectragrow",
    "vectragrow.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth.account",
    "allauth.socialaccount",
    "channels",
    "corsheaders",
    "csp",
    "django_celery_beat",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "core.api.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "core.api.middleware.StaticFiles",
    "corsheaders.middleware.CorsMiddleware",
    "core.api.middleware.ContentPolicy",
    "django.middleware.common.CommonMiddleware",
    "core.api.middleware.Sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.api.middleware.StaffAuthentication",
    "core.api.middleware.Messages",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
"""Those of `core.api.middleware` are Django's own for pages and the admin; API calls, without cookies, pass them by."""

ROOT_URLCONF = "vectragrow.urls"
WSGI_APPLICATION = "vectragrow.wsgi.application"
ASGI_APPLICATION = "vectragrow.asgi.application"
APPEND_SLASH = False
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Data -----------------------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default=EMBEDDED.get("DATABASE_URL", ""))
REDIS_URL = env.str("REDIS_URL", default=EMBEDDED.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
DATABASE_PREPARED_STATEMENTS = env.bool("DATABASE_PREPARED_STATEMENTS", default=True)
"""Off behind a PgBouncer older than 1.21, which gives each transaction another connection without its statements."""
DATABASES = {
    "default": {
        **environ.Env.db_url_config(DATABASE_URL or "postgres://vectragrow@127.0.0.1:5432/vectragrow"),
        "ENGINE": "core.data.postgres",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "pool": {
                "connection_class": PooledConnection,
                "min_size": 1,
                "max_size": env.int("DATABASE_POOL_SIZE", default=12),
                "timeout": 4,
                "reconnect_timeout": 4,  # then it gives up, and whoever needs a connection next makes it try again
            },
            "prepare_threshold": PREPARE_ON_REQUEST if DATABASE_PREPARED_STATEMENTS else None,
            "connect_timeout": 4,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "application_name": "vectragrow",
        },
    }
}
DATABASE_WAIT = env.float("DATABASE_WAIT", default=3.4)
"""Seconds that a request or a frame may wait for the database in all; more than a lock is waited for (3 s)."""
DATABASE_STATEMENT_WAIT = env.float("DATABASE_STATEMENT_WAIT", default=300)
"""Seconds that any other statement may take: of jobs and commands. Changes of tables take what they take."""
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 0.5},
    }
}
REDIS_WAIT = env.float("REDIS_WAIT", default=0.1)
"""Seconds that a call to Redis may take; a slower one counts as unavailable."""
REDIS_PREFIX = env.str("REDIS_PREFIX", default="vg")

# --- Accounts and sessions -------------------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "accounts.passwords.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "accounts.passwords.CommonValidator"},
    {"NAME": "accounts.passwords.ContextValidator"},
]
ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=30)
"""How long a device stays signed in by refreshing; absolute (SECURITY-GOALS 27)."""
EMAIL_TOKEN_LIFETIME = timedelta(hours=24)
RESET_TOKEN_LIFETIME = timedelta(minutes=30)
REAUTHENTICATION_WINDOW = timedelta(minutes=5)
PASSKEY_RP_ID = env.str("PASSKEY_RP_ID", default="") or urlsplit(FRONTEND_URL).hostname or ""
"""The domain that passkeys are made for (WebAuthn's RP ID). Changing it makes every passkey useless."""
PASSKEY_ORIGINS = env.list("PASSKEY_ORIGINS", default=[]) or list(
    dict.fromkeys(f"{u.scheme}://{u.netloc}" for u in (urlsplit(FRONTEND_URL), urlsplit(PUBLIC_URL)))
)
"""Where passkeys may be used: exact origins of pages, or of apps (`android:apk-key-hash:…`)."""
TOKEN_ISSUER = "vectragrow"
TOKEN_AUDIENCE = "vectragrow-api"

SESSION_COOKIE_NAME = "vg_admin"
SESSION_COOKIE_PATH = "/admin"
SESSION_COOKIE_AGE = 15 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "core.api.problems.csrf_failed"
ADMIN_TWO_FACTOR_REQUIRED = env.bool("ADMIN_TWO_FACTOR_REQUIRED", default=True)

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.Nobody"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsing.JSONParser", "core.api.parsing.MultiPartParser"],
    "DEFAULT_SCHEMA_CLASS": "core.api.openapi.Schema",
    "EXCEPTION_HANDLER": "core.api.problems.handle",
    "UNAUTHENTICATED_USER": "core.api.principals.Anonymous",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_DESCRIPTION = """\
The backend of an investment-crowdfunding community.

- **Signing in**: `POST /api/auth/login` gives an access token, sent as `Authorization: Bearer <token>`, and a refresh
  token for `POST /api/auth/refresh`.
- **JSON** has camelCase names. `null` for an optional member, and a blank query parameter, mean absent.
- **Money** is sent and answered in major units, exactly, as text with the currency's decimals: `"1000.50"` beside
  `"currency": "USD"`.
- **Times** are RFC 3339; answers have UTC with `Z`.
- **Lists** answer `{items, page, limit, hasMore, nextCursor}`. Ask by `page` or, to miss and repeat nothing while rows
  come and go, by `cursor`.
- **Refusals** are `application/problem+json`; switch on `code`. /api/docs/errors lists all codes.
- **Repeating**: a POST with an `Idempotency-Key` is done once, however often it is sent within 24 hours. Send one with
  every call about money.
- **Changing**: `If-Match` with the `ETag` that was read keeps one change from overwriting another.
"""
API_TAGS = {
    "Auth": "Registering, signing in, sessions, the second factor of a login.",
    "Profile": "The person who is signed in: profile, settings, security, own things.",
    "KYC": "Proving an identity, and reviewing the proofs.",
    "Campaigns": "Campaigns from draft to settlement, and investing in them.",
    "Investments": "Own investments, withdrawals and payment methods.",
    "Social": "People, posts, groups, channels, the feed, stories, ads, search, reports.",
    "Chat": "Conversations and their messages; live ones come over the socket (/api/asyncapi).",
    "Analytics": "What happens on pages, and the figures that come of it.",
    "Notifications": "The inbox, and links to unsubscribe.",
    "Files": "Private files by signed link.",
    "Sandbox": "What only happens where the sandbox provider takes payments.",
    "Platform": "Whether the platform works, and its documents.",
}
"""In the order that a newcomer needs."""
SPECTACULAR_SETTINGS = {
    "TITLE": "VECTRAGrow API",
    "DESCRIPTION": API_DESCRIPTION,
    "TAGS": [{"name": name, "description": text} for name, text in API_TAGS.items()],
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "The host that serves this document."}],
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/[a-z]+",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": False,
    "CAMELIZE_NAMES": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["core.api.openapi.finish", "vectragrow.pages.describe_platform"],
    "PREPROCESSING_HOOKS": [],
    "DISABLE_ERRORS_AND_WARNINGS": False,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
"""A JSON body's limit in bytes (SECURITY-GOALS 40); files are counted by `core.api.parsing.MultiPartParser`."""
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
UPLOAD_MAX_BODY_SIZE = 60 * 1024 * 1024
"""A form's limit in bytes where files are taken; everywhere else DATA_UPLOAD_MAX_MEMORY_SIZE (`core.api.bodies`)."""
UPLOAD_MAX_VIDEO_BODY_SIZE = 101 * 1024 * 1024
"""The same where a video is taken (`@operation(takes_video=True)`): one of 100 MB, and what is said of it."""

STORAGE_QUOTA = env.int("STORAGE_QUOTA_MB", default=2048) * 1024 * 1024
"""Bytes of files that a person may keep, identity papers not counted (`uploads.services.quota`)."""

# --- Tasks ----------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "max_retries": 0,  # for whoever sends; a worker's own connection is retried for ever, see below
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 240
CELERY_TASK_SOFT_TIME_LIMIT = 200
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONSUMER = "vectragrow.worker:Consumer"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "relay-outbox": {"task": "core.relay_outbox", "schedule": 5.0, "options": {"expires": 5}},
    "retention": {"task": "core.run_retention", "schedule": crontab(minute=17)},
    "delete-orphans": {"task": "uploads.delete_orphans", "schedule": crontab(minute=37)},
    "delete-archives": {"task": "accounts.delete_archives", "schedule": crontab(minute=42)},
    "erase-people": {"task": "accounts.erase_people", "schedule": crontab(minute=47)},
    "end-suspensions": {"task": "accounts.end_suspensions", "schedule": 60.0, "options": {"expires": 60}},
    "expire-cases": {"task": "kyc.expire_cases", "schedule": crontab(minute=7)},
    "end-badges": {"task": "kyc.end_badges", "schedule": crontab(minute=12)},
    "close-campaigns": {"task": "investments.close_campaigns", "schedule": 30.0, "options": {"expires": 30}},
    "reconcile": {"task": "investments.reconcile", "schedule": 3600.0, "options": {"expires": 3600}},
    "seal-days": {"task": "ledger.seal_days", "schedule": 3600.0, "options": {"expires": 3600}},
    "announce-updates": {"task": "campaigns.announce_updates", "schedule": 60.0, "options": {"expires": 60}},
    "remind-of-reports": {"task": "campaigns.remind_of_reports", "schedule": 600.0, "options": {"expires": 600}},
    "announce-deadlines": {"task": "campaigns.announce_deadlines", "schedule": 600.0, "options": {"expires": 600}},
    "trim-feeds": {"task": "social.trim_feeds", "schedule": crontab(minute=27)},
    "delete-stories": {"task": "social.delete_stories", "schedule": 600.0, "options": {"expires": 600}},
    "make-partitions": {"task": "analytics.make_partitions", "schedule": crontab(minute=3, hour="*/6")},
    "copy-events": {"task": "analytics.copy_events", "schedule": 60.0, "options": {"expires": 60}},
    "ship-events": {"task": "analytics.ship_events", "schedule": 60.0, "options": {"expires": 60}},
    "finish-erasures": {"task": "analytics.finish_erasures", "schedule": 300.0, "options": {"expires": 300}},
    "roll-up": {"task": "analytics.roll_up", "schedule": 300.0, "options": {"expires": 300}},
    "attribute": {"task": "analytics.attribute", "schedule": 300.0, "options": {"expires": 300}},
    "drop-partitions": {"task": "analytics.drop_partitions", "schedule": crontab(minute=33, hour=2)},
    "learn-words": {"task": "social.learn_words", "schedule": crontab(minute=52)},
    "finish-payments": {"task": "investments.finish_payments", "schedule": 60.0, "options": {"expires": 60}},
    "refund-unconfirmed": {"task": "investments.refund_unconfirmed", "schedule": 60.0, "options": {"expires": 60}},
    "move-waiting-lists": {"task": "investments.move_waiting_lists", "schedule": 60.0, "options": {"expires": 60}},
    "finish-refunds": {"task": "investments.finish_refunds", "schedule": 60.0, "options": {"expires": 60}},
    "distribute-returns": {"task": "investments.distribute_returns", "schedule": 30.0, "options": {"expires": 30}},
    "finish-distributions": {"task": "investments.finish_distributions", "schedule": 60.0, "options": {"expires": 60}},
    "finish-distribution-refunds": {
        "task": "investments.finish_distribution_refunds",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "settle-campaigns": {"task": "investments.settle_campaigns", "schedule": 30.0, "options": {"expires": 30}},
    "finish-settlements": {"task": "investments.finish_settlements", "schedule": 60.0, "options": {"expires": 60}},
    "verify-targets": {"task": "investments.verify_targets", "schedule": 300.0, "options": {"expires": 300}},
    "finish-payouts": {"task": "investments.finish_payouts", "schedule": 60.0, "options": {"expires": 60}},
    "finish-events": {"task": "investments.finish_events", "schedule": 60.0, "options": {"expires": 60}},
}

# --- Outside services -----------------------------------------------------------------------------------------------

EMAIL_URL = env.str("EMAIL_URL", default="")
"""`smtp://user:password@host:port` (`smtp+tls://`, `smtp+ssl://`); empty: the development mailbox."""
EMAIL_BACKEND = "notifications.senders.mail.Backend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="VECTRAGrow <hello@vectragrow.example>")
TWILIO_API_BASE = env.str("TWILIO_API_BASE", default="https://api.twilio.com")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_FROM = env.str("TWILIO_FROM", default="")
SMS_COUNTRIES = env.list("SMS_COUNTRIES", default=[])
"""ISO 3166 codes of the countries that SMS go to; empty: everywhere."""
OPENID_PROVIDERS = {
    "google": {
        "issuer": env.str("GOOGLE_ISSUER", default="https://accounts.google.com"),
        "client_id": env.str("GOOGLE_CLIENT_ID", default=""),
        "client_secret": env.str("GOOGLE_CLIENT_SECRET", default=""),
        "pkce": True,
    },
    "linkedin": {
        "issuer": env.str("LINKEDIN_ISSUER", default="https://www.linkedin.com/oauth"),
        "client_id": env.str("LINKEDIN_CLIENT_ID", default=""),
        "client_secret": env.str("LINKEDIN_CLIENT_SECRET", default=""),
        "pkce": env.bool("LINKEDIN_PKCE", default=True),
    },
}
"""Who signs people in beside us; one without a client is not offered."""
SOCIALACCOUNT_ADAPTER = "accounts.services.provider_sign_in.SocialAccountAdapter"
OAUTH_RETURN_PATHS = env.list("OAUTH_RETURN_PATHS", default=["/signed-in"])
"""Paths of the front end that a sign-in with a provider may end at; the first one by default."""
PAYMENTS_PROVIDER = env.str("PAYMENTS_PROVIDER", default="sandbox")
SANDBOX_WEBHOOK_SECRET = env.str("SANDBOX_WEBHOOK_SECRET", default="")
"""Signs the sandbox provider's events; empty: made from SECRET_KEY."""
PROVIDER_CALLS_AT_ONCE = env.int("PROVIDER_CALLS_AT_ONCE", default=6)
"""How many refunds of ended campaigns one worker process sends at the same time."""
SANDBOX_DELAY_MS = env.int("SANDBOX_DELAY_MS", default=0)
"""How long the sandbox provider takes for an answer, in milliseconds; for measurements and demonstrations."""
VELOCITY_RULES_FILE = env.str("VELOCITY_RULES_FILE", default="")
"""A file of rules in place of those of this release (docs/velocity.md)."""
STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com").rstrip("/")
STRIPE_WEBHOOK_SECRET = env.list("STRIPE_WEBHOOK_SECRET", default=[])
"""Each of them signs events that we accept: two while one takes the other's place."""
STRIPE_WAIT = env.float("STRIPE_WAIT", default=10)
"""Seconds to wait for a connection to Stripe, and for each part of its answer."""
STORAGE_URL = env.str("STORAGE_URL", default="")
"""`file:/path`, `s3://key:secret@host/bucket?region=…`, `cloudinary://key:secret@cloud`; empty: DATA_DIR/media."""
STORAGES = storages(STORAGE_URL, DATA_DIR, PUBLIC_URL)
ANALYTICS_URL = env.str("ANALYTICS_URL", default="")
"""`clickhouse://user:password@host:8123/database` (`clickhouses://` with TLS); empty: raw events stay in PostgreSQL."""
ANALYTICS_WAIT = env.int("ANALYTICS_WAIT", default=60)
"""Seconds that a statement in ClickHouse may take."""
ANALYTICS_CLICKHOUSE = clickhouse(ANALYTICS_URL, ANALYTICS_WAIT)
DOCUMENT_KEYS = env.list("DOCUMENT_KEYS", default=[])
"""Base64 keys of 32 bytes that wrap the keys of identity papers; the first wraps new ones, all unwrap."""
MAILBOX_ENABLED = False
"""The page with every mail and SMS sent. Never in production: it shows people's tokens."""

# --- Business rules that a jurisdiction may change ------------------------------------------------------------------

CURRENCIES = env.list("CURRENCIES", default=["USD", "EUR", "GBP", "CHF", "JPY", "KWD"])
FEE_SCHEDULE = env.str("FEE_SCHEDULE", default="none")
"""What investors and owners pay (`campaigns/fees/data`); a campaign keeps the schedule it was published with."""
PUBLIC_CAMPAIGNS = env.bool("PUBLIC_CAMPAIGNS", default=False)
"""Whether campaigns that went live, and their public updates, are read without an account."""
CANCEL_WINDOW = timedelta(hours=env.int("CANCEL_WINDOW_HOURS", default=48))
"""The last hours of a live campaign, in which a commitment can no longer be taken back."""
PAYMENT_WINDOW = timedelta(minutes=env.int("PAYMENT_WINDOW_MINUTES", default=15))
"""How long a payment may wait for its investor (3-D Secure) before its reserved amount is released."""
TWO_PERSON_ABOVE = env.dict("TWO_PERSON_ABOVE", default={"*": "10000"})
"""Settlements and payouts above this take two people: amounts in major units by currency, `*` for the others."""
TWO_PERSON_REFUND_ABOVE = env.dict("TWO_PERSON_REFUND_ABOVE", default={"*": "100000"})
"""The same for refunds."""
KYC_FOUR_EYES = env.bool("KYC_FOUR_EYES", default=True)
KYC_KEPT_DAYS = env.int("KYC_KEPT_DAYS", default=1826)
"""How long papers that proved an identity are kept after the account was erased; five years."""
MODERATION_HOLD_AFTER = env.int("MODERATION_HOLD_AFTER", default=3)
"""After so many reports by trusted people something is hidden until a moderator has decided; 0: never."""

# --- Rest -----------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = ["vectragrow.formats"]
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = False
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
SOCKET_THREADS = env.int("SOCKET_THREADS", default=4)
"""How many frames of all sockets a process handles at once; each holds one database connection while it does."""
WEBSOCKET_ORIGINS = env.list("WEBSOCKET_ORIGINS", default=[]) or [
    *CORS_ALLOWED_ORIGINS,
    *{f"{u.scheme}://{u.netloc}" for u in (urlsplit(PUBLIC_URL), urlsplit(FRONTEND_URL))},
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "core.logs.JSONFormatter"}, "terminal": {"()": "core.logs.TerminalFormatter"}},
    "filters": {"request_id": {"()": "core.logs.RequestId"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request_id"]},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # They write the address of a socket with its query string, and at DEBUG the whole handshake with its token.
        "uvicorn.error": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
        # At DEBUG these write what is in people's files: EXIF, bodies of requests.
        "PIL": {"level": "INFO"},
        "botocore": {"level": "INFO"},
        "urllib3": {"level": "INFO"},
    },
}
