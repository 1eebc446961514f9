"""Settings, all from the environment (and `.env`, which the environment overrides).

`.env.example` names every one with its default. Three things must be known before a site may be public
(the secret, its host names and its address): without them production does not start. Development
(`DEBUG=1`) makes them up.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
# The tests name no file, so that nobody's own settings change what they prove.
if env_file := env.str("ENV_FILE", str(BASE_DIR / ".env")):
    env.read_env(env_file, recurse=False)


def setting(parse: Callable[[str], Any], name: str, default: Any) -> Any:
    """Return the parsed variable, or the default where it is unset or empty."""
    return parse(name) if env.str(name, "") else default


# --- Development or production -------------------------------------------------------------------

DEBUG = setting(env.bool, "DEBUG", False)

# Demonstration texts and log-ins with published passwords are for a developer's machine only.
DEMONSTRATION = DEBUG

VAR_DIR = Path(setting(env.str, "VAR_DIR", str(BASE_DIR / "var"))).resolve()


if DEBUG or not env.str("DATABASE_URL", ""):
    # Otherwise everything may live elsewhere, and this machine be read-only.
    with suppress(OSError):
        VAR_DIR.mkdir(parents=True, exist_ok=True)
    if not os.access(VAR_DIR, os.W_OK):
        raise ImproperlyConfigured(f"Cannot write to {VAR_DIR}: make the folder writable or set VAR_DIR.")


def development_secret(name: str) -> str:
    """Return a secret of this working copy, made once and kept: a restart logs nobody out."""
    path = VAR_DIR / name
    if not path.exists():
        # Written beside and renamed, so that a second process never reads half a secret.
        part = path.with_name(f"{name}.{secrets.token_hex(4)}")
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(50))
        part.replace(path)
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS: list[str] = setting(env.list, "ALLOWED_HOSTS", [])
SITE_URL = env.str("SITE_URL", "").rstrip("/")

if DEBUG:
    SECRET_KEY = SECRET_KEY or development_secret("secret-key")
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "testserver"]
    SITE_URL = SITE_URL or f"http://127.0.0.1:{setting(env.int, 'PORT', 8000)}"
else:
    required = {"SECRET_KEY": SECRET_KEY, "ALLOWED_HOSTS": ALLOWED_HOSTS, "SITE_URL": SITE_URL}
    if missing := [name for name, value in required.items() if not value]:
        raise ImproperlyConfigured(
            f"Set {', '.join(missing)} in the environment or in .env (see .env.example), or DEBUG=1 for development."
        )

if urlsplit(SITE_URL).scheme not in {"http", "https"} or not urlsplit(SITE_URL).hostname:
    raise ImproperlyConfigured("SITE_URL must be a whole address, such as https://www.example.org.")

# --- Applications --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "operations.apps.OperationsConfig",
    "newsletter",
    "blog",
    "conditions",
    "publishing",
    "images",
    # Below our own apps, so that templates/admin/ of an app wins over the stock ones.
    "operations.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "taggit",
    "js_asset",
    "django_prose_editor",
    "csp",
    "django_tasks",
    "django_tasks_db",
]

# No LocaleMiddleware: a public page must not depend on who asks for it, or no cache could share it.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Innermost: before a missing slash is appended to an address that is none of this site's.
    "publishing.former_paths.FormerPaths",
]

if DEBUG:
    # runserver serves static files itself, straight from their sources; nothing has been collected.
    MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "blog.context.chrome",
            ],
        },
    },
]

# --- Data ----------------------------------------------------------------------------------------

SQLITE_PRAGMAS = {
    "journal_mode": "WAL",  # readers go on while somebody writes
    # NORMAL is safe with WAL; a power cut loses at most the last moments. FULL loses nothing and costs every write a
    # wait for the disk: with it not even a power cut can mail anybody twice.
    "synchronous": setting(env.str, "SQLITE_SYNCHRONOUS", "NORMAL"),
    "recursive_triggers": "ON",  # without it INSERT OR REPLACE slips past the triggers that keep editions
    "foreign_keys": "ON",
    "mmap_size": 256 * 1024 * 1024,
    "cache_size": -64 * 1024,  # negative means KiB
}


def database() -> dict[str, Any]:
    """Return the settings of the database that DATABASE_URL names, or of SQLite in `var/`."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR_DIR / "db.sqlite3")}
    config: dict[str, Any] = setting(env.dj_db_url, "DATABASE_URL", sqlite)
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {
            # A transaction that will write says so when it begins; one that reads first and writes later
            # fails at once where somebody else wrote in between, however long the timeout.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": ";".join(f"PRAGMA {name}={value}" for name, value in SQLITE_PRAGMAS.items()),
        }
        # A file: a database in memory is locked as a whole when two threads use it.
        config["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    else:
        # Connecting costs more than a page's queries; a connection that died meanwhile is replaced unnoticed.
        config |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return config


DATABASES = {"default": database()}

LOCAL_CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
CACHES = {"default": setting(env.dj_cache_url, "CACHE_URL", LOCAL_CACHE)}

# Work outside the request. The queue forgets a task whose worker dies: every task therefore only says
# "look at your rows", and a command in SCHEDULE looks at the same rows again.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Management commands that `manage.py scheduler` runs, in this order, every few seconds. Each finds its
# own due rows, so that running it twice, late or after a crash is harmless.
SCHEDULE = [
    "publish_due",
    "sweep_pictures",
    "refresh_trust",
    "index_search",
    "tidy_reports",
    "plan_issues",
    "tidy_newsletter",
]

# A large article has some 200 form fields, and a hundred entries come to thousands.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024

# --- Files ---------------------------------------------------------------------------------------

MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Mail ----------------------------------------------------------------------------------------

MAIL_DIR = VAR_DIR / "mail"

# Without one, production would try this machine's port 25; a check says so.
RELAY_IS_NAMED = bool(env.str("EMAIL_URL", ""))

if RELAY_IS_NAMED:
    vars().update(env.dj_email_url("EMAIL_URL"))
elif DEBUG:
    # Caught, to be read at /mail/: nothing leaves a developer's machine.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MAIL_DIR)

DEFAULT_FROM_EMAIL = setting(env.str, "DEFAULT_FROM_EMAIL", f"noreply@{urlsplit(SITE_URL).hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Newsletter ----------------------------------------------------------------------------------

# Sign the links in mail and stand for erased addresses, the newest first. They are not SECRET_KEY, which may change
# at any time: a link to unsubscribe must work for as long as the mail lies in somebody's mailbox.
NEWSLETTER_KEYS: list[str] = setting(env.list, "NEWSLETTER_KEYS", [])
if DEBUG and not NEWSLETTER_KEYS:
    NEWSLETTER_KEYS = [development_secret("newsletter-key")]

# The domain of Message-IDs, and where mail that could not be delivered comes back to (with +token before the @).
MAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ")
BOUNCE_ADDRESS = setting(env.str, "BOUNCE_ADDRESS", f"bounces@{MAIL_DOMAIN}")

# Mails per second that all senders together hand over; 0 is as fast as the relay takes them.
MAIL_RATE = setting(env.float, "MAIL_RATE", 0)
# Confirmations and other answers to the form in an hour, all together. What is over waits for the next hour.
SIGN_UP_BUDGET = setting(env.int, "SIGN_UP_BUDGET", 300)
# How long a sender that died keeps what it holds. A sender that lives renews its lease all the time.
SENDER_LEASE_SECONDS = setting(env.float, "SENDER_LEASE_SECONDS", 120)

# A provider whose webhook reports what came back, and django-anymail's settings for it: it must be installed.
MAIL_PROVIDER = setting(env.str, "MAIL_PROVIDER", "")
ANYMAIL: dict[str, Any] = {"AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False} | setting(env.json, "ANYMAIL", {})
if MAIL_PROVIDER and find_spec("anymail") is None:
    raise ImproperlyConfigured("MAIL_PROVIDER needs django-anymail: pip install -r requirements-anymail.txt.")
if MAIL_PROVIDER and len(str(ANYMAIL.get("WEBHOOK_SECRET") or "")) < 20:
    raise ImproperlyConfigured(
        'MAIL_PROVIDER needs ANYMAIL={"WEBHOOK_SECRET": "name:password"} with a long password, '
        "or anybody could end subscriptions."
    )

# Only the tests turn the newsletter's clock.
CLOCK_OFFSET_SECONDS = 0.0

# --- People --------------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LOGIN_URL = "admin:login"

# --- Language and time ---------------------------------------------------------------------------

LANGUAGE_CODE = setting(env.str, "LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = setting(env.str, "TIME_ZONE", "UTC")

TAGGIT_CASE_INSENSITIVE = True

# --- Security ------------------------------------------------------------------------------------

# The site's own address says whether it is served over HTTPS; each rule below can still be set alone.
HTTPS = SITE_URL.startswith("https://")

SECURE_SSL_REDIRECT = setting(env.bool, "SECURE_SSL_REDIRECT", HTTPS)
SECURE_HSTS_SECONDS = setting(env.int, "SECURE_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = setting(env.bool, "SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = setting(env.bool, "SECURE_HSTS_PRELOAD", False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = setting(env.str, "SECURE_REFERRER_POLICY", "strict-origin-when-cross-origin")
X_FRAME_OPTIONS = "DENY"

BEHIND_PROXY = setting(env.bool, "BEHIND_PROXY", False)
if BEHIND_PROXY:
    # Only behind a proxy that sets this header itself: anybody else could claim to be secure.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Binding the subdomains and entering the browsers' preload list concern a publisher's whole domain
# and cannot be taken back quickly. The owner of the domain decides that, not this site.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = setting(env.bool, "SESSION_COOKIE_SECURE", HTTPS)
CSRF_COOKIE_SECURE = setting(env.bool, "CSRF_COOKIE_SECURE", HTTPS)
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "operations.kept.csrf_failure"
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(SITE_URL))]

# One policy for all pages. The nonce enters the header only where a page has asked for it, and only the
# admin does (the import map of its rich text editor); a public page has none and can be cached whole.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

# --- Logging -------------------------------------------------------------------------------------

# To stderr, where systemd, a container or a terminal takes it. Code logs IDs, never names or addresses.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"without_tokens": {"()": "newsletter.logs.WithoutTokens"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_tokens"]},
    },
    "root": {"handlers": ["stderr"], "level": setting(env.str, "LOG_LEVEL", "INFO")},
    "loggers": {
        # Django's own handler would print errors a second time, and mail them to nobody.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
