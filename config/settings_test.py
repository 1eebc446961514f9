"""The settings under which the tests run: production's, with nothing of this machine in them.

`DATABASE_URL` alone is taken from outside: it names the database that a leg of `script/test` runs on.
"""

import atexit
import os
import shutil
import tempfile

# One folder for a run and all its processes (workers, commands that a test starts); gone afterwards.
if "TEST_VAR_DIR" not in os.environ:
    os.environ["TEST_VAR_DIR"] = tempfile.mkdtemp(prefix="bedside-test-")
    atexit.register(shutil.rmtree, os.environ["TEST_VAR_DIR"], ignore_errors=True)

os.environ |= {
    "ENV_FILE": "",
    "DEBUG": "0",
    "SECRET_KEY": "for tests only, and long enough for every check that counts characters",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SITE_URL": "http://testserver",
    "VAR_DIR": os.environ["TEST_VAR_DIR"],
    "EMAIL_URL": os.environ.get("TEST_EMAIL_URL", "memory://"),
    "NEWSLETTER_KEYS": "for tests only: the key of links in mail",
    "BOUNCE_ADDRESS": "bounces@news.testserver.example",
    "DEFAULT_FROM_EMAIL": "letter@news.testserver.example",
    # The processes that a test starts are told these by it.
    "MAIL_RATE": os.environ.get("TEST_MAIL_RATE", ""),
    "SENDER_LEASE_SECONDS": os.environ.get("TEST_SENDER_LEASE_SECONDS", ""),
    "CACHE_URL": "locmem://",
    # Playwright runs an event loop in the thread of the test, which may still use the database.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}

from config.settings import *

CLOCK_OFFSET_SECONDS = float(os.environ.get("TEST_CLOCK_OFFSET_SECONDS", "0"))

# The sender's domain is none of a real site's.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "newsletter.W006"]

# Argon2 is slow on purpose, which a test does not need.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A task runs where it is enqueued. Tests of the queue itself override this.
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}

# WhiteNoise warns where its folder is missing, and warnings are errors here.
STATIC_ROOT.mkdir(exist_ok=True)

# Names without hashes: nothing has to be collected before a page can be rendered.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
