"""Django's settings: one file for development, tests and production.

Whatever differs between machines comes from the environment (`pulsequill/env.py`); nothing here asks "which
environment is this?". Secure values are the defaults; only an `http://` PUBLIC_URL relaxes the cookie flags that a
browser would otherwise refuse to send back.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from pulsequill.core.logs import logging_config
from pulsequill.embedded import secret_key
from pulsequill.embedded.addresses import postgres_url, valkey_url
from pulsequill.env import BASE_DIR, value

# --- where it runs -------------------------------------------------------------------------------------------------
HOME = Path(value("PULSEQUILL_HOME")).resolve()
DEBUG: bool = value("DEBUG")
PORT: int = value("PORT")
PUBLIC_URL: str = (value("PUBLIC_URL") or f"http://localhost:{PORT}").rstrip("/")
_public = urlsplit(PUBLIC_URL)
IS_HTTPS = _public.scheme == "https"
#: Embedded services are used exactly when no database was named.
IS_LOCAL_RUN = not value("DATABASE_URL")

SECRET_KEY: str = value("SECRET_KEY") or (secret_key.read_or_make(HOME) if IS_LOCAL_RUN else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Set it (or SECRET_KEY_FILE) to a long random text.")

ALLOWED_HOSTS = [_public.hostname or "localhost", "localhost", "127.0.0.1", "[::1]", *value("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *value("CORS_ALLOWED_ORIGINS")]

# --- apps ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "pulsequill",  # first: its `runserver` stands before that of the static files
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "template_partials",
    "js_asset",
    "django_prose_editor",
    "django_celery_beat",
    "django_prometheus",
    "django_structlog",
    "csp",
    "accounts",
    "aiwriter",
    "audiences",
    "campaigns",
    "analytics",
]

MIDDLEWARE = [
    "pulsequill.core.middleware.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pulsequill.core.middleware.PlainAddressMiddleware",
    "pulsequill.core.rest.throttling.RateLimitHeaders",
    "pulsequill.core.middleware.RequestScopeMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "pulsequill.urls"
WSGI_APPLICATION = "pulsequill.wsgi.application"
ASGI_APPLICATION = "pulsequill.asgi.application"

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
                "csp.context_processors.nonce",
                "accounts.context_processors.shell",
            ],
            "builtins": ["pulsequill.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "pulsequill.core.forms.FormRenderer"

# --- data ----------------------------------------------------------------------------------------------------------
DATABASES = {"default": environ.Env.db_url_config(value("DATABASE_URL") or postgres_url(HOME))}
DATABASES["default"] |= {
    "ENGINE": "django_prometheus.db.backends.postgresql",
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        **DATABASES["default"].get("OPTIONS", {}),
        # The pool waits twice as long after each failed attempt to connect. It gives up soon, because the next request
        # begins a new row of attempts: a database that is back is found within seconds, however long it was away.
        "pool": {
            "min_size": 0,
            "max_size": value("DB_POOL_SIZE"),
            "timeout": 5,
            "reconnect_timeout": 5,
            "max_idle": 120,
        },
        "application_name": "pulsequill",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = (value("REDIS_URL") or valkey_url(HOME)).rstrip("/")


def _redis(number: int) -> str:
    """One Valkey, three databases: flushing the cache must not empty the broker."""
    return urlsplit(REDIS_URL)._replace(path=f"/{number}").geturl()


BROKER_URL, CACHE_URL, STREAMS_URL = (_redis(number) for number in (0, 1, 3))

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}}
CHANNEL_LAYERS = {"default": {"BACKEND": "pulsequill.core.fan_out.FanOut", "CONFIG": {"address": STREAMS_URL}}}

MEDIA_ROOT = HOME / "media"
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static" if IS_LOCAL_RUN else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
if IS_LOCAL_RUN or DEBUG:  # serve straight from the source folders: no collectstatic before a first look
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True
    # Looked up at each request (0.07 ms a file): sizes that are remembered from the start cut an edited file off.
    WHITENOISE_AUTOREFRESH = True

# --- background work -----------------------------------------------------------------------------------------------
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
#: Long or slow work has a queue of its own, and so has the emergency brake, which waits behind nobody: workers take
#: from their queues in turn. Every other task goes to the default one.
CELERY_TASK_ROUTES = {
    "campaigns.tasks.deliver_slice": {"queue": "sending"},
    "campaigns.tasks.deliver_message": {"queue": "sending"},
    "analytics.tasks.watch_campaigns": {"queue": "watch"},
    "audiences.tasks.run_import": {"queue": "imports"},
    "audiences.tasks.undo_import_rows": {"queue": "imports"},
    "aiwriter.tasks.run_generation": {"queue": "ai"},
    "aiwriter.tasks.remember_draft": {"queue": "ai"},
    "aiwriter.tasks.index_memory": {"queue": "ai"},
}
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
DJANGO_CELERY_BEAT_TZ_AWARE = True
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # checked or made by RequestIdMiddleware

# --- people --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.sign_in_backend.GuardedBackend"]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "analytics:home"
APPEND_SLASH = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
PASSWORD_RESET_TIMEOUT = 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.password_validation.MaximumLengthValidator", "OPTIONS": {"max_bytes": 1024}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
#: In PostgreSQL alone: losing Valkey signs nobody out, and cannot bring a signed-out session back.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
EMAIL_BACKEND = "campaigns.delivery.system_mail.EmailBackend"
DEFAULT_FROM_EMAIL = f"PulseQuill <{value('SYSTEM_EMAIL') or f'no-reply@{_public.hostname}'}>"

# --- /v1 -----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.v1.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.v1.permissions.WorkspacePermission"],
    "DEFAULT_THROTTLE_CLASSES": ["pulsequill.core.rest.throttling.WorkspaceRateLimit"],
    "DEFAULT_PAGINATION_CLASS": "pulsequill.core.rest.pagination.CursorPagination",
    "DEFAULT_PARSER_CLASSES": ["pulsequill.core.rest.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "pulsequill.core.rest.schema.Schema",
    "EXCEPTION_HANDLER": "pulsequill.core.rest.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": hmac.digest(SECRET_KEY.encode(), b"pulsequill:jwt", "sha256").hex(),
    "ISSUER": "pulsequill",
    "AUDIENCE": "pulsequill",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "PulseQuill API",
    "DESCRIPTION": "Everything the pages do, for developers: contacts, campaigns, drafts and figures.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AnsweredByEnum": "aiwriter.services.generations.ANSWERED_BY",
        "CampaignStatusEnum": "campaigns.models.Campaign.Status",
        "HoldoutVerdictEnum": "analytics.selectors.holdout.VERDICTS",
        "StatementKindEnum": "aiwriter.guardrails.statements.KINDS",
    },
    "SCHEMA_PATH_PREFIX": r"/v1",
}
#: Requests a minute that one workspace may make.
API_RATE_LIMIT: int = value("API_RATE_LIMIT")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- security ------------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if value("TRUSTED_PROXIES") else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "https:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- logs and metrics ------------------------------------------------------------------------------------------------
LOGGING_CONFIG = None
logging_config(log_format=value("LOG_FORMAT"), level=value("LOG_LEVEL"))
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN: str = value("METRICS_TOKEN")

# --- mail ------------------------------------------------------------------------------------------------------------
EMAIL_PROVIDER: str = value("EMAIL_PROVIDER")
EMAIL_TIMEOUT = 30
SMTP_URL: str = value("SMTP_URL")
SENDGRID_API_KEY: str = value("SENDGRID_API_KEY")
SENDGRID_BASE_URL: str = value("SENDGRID_BASE_URL")
SENDGRID_WEBHOOK_PUBLIC_KEY: str = value("SENDGRID_WEBHOOK_PUBLIC_KEY")
SEND_CONCURRENCY: int = value("SEND_CONCURRENCY")
SEND_RATE_LIMIT: int = value("SEND_RATE_LIMIT")
_require_domain = value("REQUIRE_VERIFIED_DOMAIN")
REQUIRE_VERIFIED_DOMAIN: bool = (not DEBUG and not IS_LOCAL_RUN) if _require_domain is None else _require_domain
SPF_AUTHORISE: list[str] = value("SPF_AUTHORISE")
BOUNCE_HOST: str = value("BOUNCE_HOST")
DNS_RESOLVER: str = value("DNS_RESOLVER")

# --- the AI writer ---------------------------------------------------------------------------------------------------
OPENAI_API_KEY: str = value("OPENAI_API_KEY")
OPENAI_BASE_URL: str = value("OPENAI_BASE_URL")
OPENAI_MODEL: str = value("OPENAI_MODEL")
ANTHROPIC_API_KEY: str = value("ANTHROPIC_API_KEY")
ANTHROPIC_BASE_URL: str = value("ANTHROPIC_BASE_URL")
AI_REQUESTS_PER_MINUTE: int = value("AI_REQUESTS_PER_MINUTE")
AI_CALLS_AT_ONCE: int = value("AI_CALLS_AT_ONCE")
AI_ENGINE: str = value("AI_ENGINE")
AI_OFFLINE: str = value("AI_OFFLINE")
AI_RUNS_PER_WORKSPACE: int = value("AI_RUNS_PER_WORKSPACE")
EMBEDDER: str = value("EMBEDDER")

EVENT_RETENTION_DAYS: int = value("EVENT_RETENTION_DAYS")
EVENT_ARCHIVE_MONTHS: int = value("EVENT_ARCHIVE_MONTHS")
STRAY_EVENT_DAYS: int = value("STRAY_EVENT_DAYS")
COUNTRY_DATABASE: str = value("COUNTRY_DATABASE")
TRUSTED_PROXIES: int = value("TRUSTED_PROXIES")
TRUSTED_ORIGINS = [PUBLIC_URL, *value("CORS_ALLOWED_ORIGINS")]
#: Networks that the guard against calls into the own network lets through.
OUTBOUND_PRIVATE_NETWORKS: list[str] = value("OUTBOUND_PRIVATE_NETWORKS")
#: Of the people in the demo workspace; a local run shows it on the sign-in page.
DEMO_PASSWORD = "pour-over-at-dawn"  # noqa: S105 - public on purpose
