"""The test client that every public test uses: it fails a public page that reads what the public may not.

Rule 1 of the design: the public reads publications and editions, and a little reference data. The tables are an
allow-list, so that a new table is closed until somebody decides otherwise; stored documents may be opened only
by the fingerprint of an edition.
"""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.db import connection
from django.test import Client

PUBLIC_TABLES = {
    # the address and what it shows
    "publishing_publication",
    "publishing_edition",
    "publishing_storeddocument",
    "publishing_mention",
    "publishing_contribution",
    "publishing_formerslug",
    "publishing_formerpath",
    "publishing_formertag",
    "publishing_taggedpublication",
    "publishing_redaction",
    "publishing_signoff",
    "publishing_revocation",
    # what was sent to subscribers; archive.archived() says which, and newsletter/tests/test_archive.py holds it
    "newsletter_issue",
    "newsletter_issueitem",
    # reference data, live when saved
    "publishing_contributor",
    "publishing_sitesettings",
    "publishing_generation",
    "taggit_tag",
    "images_picture",
    "blog_announcement",
    # the index of what is public; finding.py joins it to what is live now, and blog/tests/test_search.py holds it
    "blog_searchentry",
    "blog_searchword",
}

# The one thing that a GET may write: it counts, without saying who asked, what a reader looked for in vain.
WRITES = {"/search/": ("INSERT INTO blog_searchmiss ", "SET LOCAL lock_timeout ")}

# Signed token pages read a snapshot or a subscriber: listed by name, and never cached. The admin is not public.
TOKEN_PATHS = (
    "/preview/",
    "/newsletter/confirm/",
    "/newsletter/choices/",
    "/newsletter/unsubscribe/",
    "/newsletter/export/",
    "/newsletter/erase/",
)
CLOSED_PATHS = ("/admin/", "/mail/", "/media/", *TOKEN_PATHS)

_NAME = re.compile(r"[a-z_0-9]+")
_FINGERPRINT = re.compile(r"\b[0-9a-f]{64}\b")


class Leak(AssertionError):
    """A public page read what only editors may see."""


class Guard:
    """Watches the queries of one request."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.opened: set[str] = set()
        self.closed_tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
        self.closed_tables -= PUBLIC_TABLES

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(WRITES.get(self.path, ())):
            return execute(sql, params, many, context)
        names = set(_NAME.findall(sql.lower()))
        if bad := names & self.closed_tables:
            raise Leak(f"{self.path} touched {', '.join(sorted(bad))}: {sql}")
        if not sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")):
            raise Leak(f"{self.path} wrote on a GET: {sql}")
        if "publishing_storeddocument" in names:
            self.opened.update(_FINGERPRINT.findall(repr(params)))
        return execute(sql, params, many, context)

    def check(self) -> None:
        """Every stored document that was opened is one of an edition. Raises Leak."""
        from publishing.models import Edition

        published = set(Edition.objects.filter(fingerprint__in=self.opened).values_list("fingerprint", flat=True))
        if hidden := self.opened - published:
            raise Leak(f"{self.path} opened a stored document that no edition has: {hidden}")


class GuardedClient(Client):
    """Django's test client, with the guard around every GET and HEAD of a public path."""

    def request(self, **request: Any) -> Any:
        path = request.get("PATH_INFO", "/")
        if path.startswith(CLOSED_PATHS) or request.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return super().request(**request)
        guard = Guard(path)
        with connection.execute_wrapper(guard):
            response = super().request(**request)
        guard.check()
        return response
