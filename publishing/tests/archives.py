"""Exports for tests: of a site with one of everything, and such as were tampered with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.tests.factories import (
    REASON,
    fresh,
    make_article,
    make_condition,
    make_contributor,
    make_page,
    make_picture,
    make_reviewer,
    make_user,
    publish_draft,
    reword,
    sign,
)
from publishing.archive.export import export_site
from publishing.archive.files import ABOUT, SUMS
from publishing.former_paths import keep_path
from publishing.models import Level, Publication, SiteSettings
from publishing.services import change_address, merge_tags, redact, rename_tag, revoke, settle_draft, withdraw


@contextmanager
def passing_site() -> Iterator[None]:
    """A site whose rows are gone afterwards, as if what follows were another one. Its files stay."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def make_site() -> None:
    """A site with every state, relation and record that an export knows."""
    SiteSettings.objects.create(pk=1, name="A site", contact="desk@site.example", strictness="open", review_months=12)
    author = make_contributor("Ada Author", photo=make_picture("navy", "A portrait"), bio="<p>She writes.</p>")
    reviewer = make_reviewer(website="https://rita.example/")
    # A condition whose second edition is live, pinned in its first by an article.
    condition = make_condition("Sciatica", picture=make_picture("olive", "A nerve"))
    sign(condition, reviewer)
    publish_draft(condition)
    article = make_article("Leg pain", conditions=[condition], picture=make_picture("teal", "A leg"))
    article.authors.set([author])
    settle_draft(article)
    article.publication.tags.set(["Legs", "Pain", "Aches"])
    sign(article, reviewer)
    publish_draft(article)
    publish_draft(reword(article, "a small change"), Level.MINOR, "A small change.")
    publish_draft(reword(condition, "a larger change"), note="What is known has changed.")
    change_address(publication=article.publication, slug="pain-in-the-leg")
    keep_path(address="/2015/03/leg-pain.html?p=12", publication=article.publication)
    tags = {tag.name: tag for tag in article.publication.tags.all()}
    rename_tag(tag=tags["Legs"], name="The leg")
    merge_tags(tags=[tags["Aches"]], into=tags["Pain"])
    Publication.objects.filter(pk=article.publication.pk).update(seo_title="Leg pain, explained")
    # A translation, a withdrawn page, a review that was taken back, and texts that were redacted.
    german = make_article("Schmerzen im Bein", language="de", translation_of=article.publication)
    publish_draft(german)
    page = make_page("Imprint")
    publish_draft(page)
    withdraw(publication=page.publication, by=make_user(), reason="It is written anew.")
    doubtful = make_condition("Backache")
    signed = sign(doubtful, reviewer)
    publish_draft(doubtful)
    revoke(sign_off=signed, by=make_user("chief", first_name="Carl", last_name="Chief"), reason="Read too quickly.")
    once = make_article("Neck pain")
    first = publish_draft(once)
    publish_draft(reword(once))
    redact(fingerprint=first.fingerprint, by=make_user(), reason=REASON)
    gone = make_article("Elbow pain")
    redact(fingerprint=publish_draft(gone).fingerprint, by=make_user(), reason=REASON)
    # Long ago, as time is kept in a year's export.
    Publication.objects.filter(pk=fresh(page).publication.pk).update(
        first_published=timezone.now() - timedelta(days=900)
    )


def exported(target: Path) -> Path:
    export_site(target)
    return target


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of an export by its name, without what says when it was made."""
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    about = json.loads(found.pop(ABOUT))
    return found | {ABOUT: json.dumps(about | {"made": ""}).encode()}


def record(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def forge(folder: Path, changed: Mapping[str, bytes | None], *, about: Mapping[str, Any] | None = None) -> None:
    """Change files of an export (None takes one away) so that all its sums are right again."""
    for name, content in changed.items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    names = sorted(name for name in tree(folder) if name not in (ABOUT, SUMS))
    sums = "".join(f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (folder / SUMS).write_text(sums)
    said = record(folder, ABOUT) | {"sums": sha256(sums.encode()).hexdigest()} | dict(about or {})
    (folder / ABOUT).write_text(json.dumps(said))


def without(folder: Path, *, keep: str) -> None:
    """Take all texts out of an export but those whose files begin with `keep`."""
    texts = ("articles/", "conditions/", "pages/")
    forge(folder, {name: None for name in tree(folder) if name.startswith(texts) and not name.startswith(keep)})
