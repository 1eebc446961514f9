"""Rows for tests, made by plain functions: people, sources, pictures, drafts, and drafts brought into every state.

A maker takes the fields that a test is about and fills in the rest, so that what it makes can be published. Where
the words themselves matter, the main text of a draft holds FIRST_WORDS and, once it was changed, NEW_WORDS.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.text import slugify
from PIL import Image

from blog.models import Article, ArticleEntry, ArticleSection, ArticleWarningSign, Page, PreventionTip
from conditions.models import Condition, ConditionTip
from images.models import Picture
from images.processing import clean_picture
from images.services import keep_picture
from publishing.documents import Urgency
from publishing.models import (
    Citation,
    Contributor,
    Draft,
    Edition,
    Level,
    Publication,
    Schedule,
    SignOff,
    Snapshot,
)
from publishing.services import (
    free_slug,
    publish,
    redact,
    schedule,
    settle_draft,
    sign_off,
    take_snapshot,
    withdraw,
)

FIRST_WORDS = "wording at first"
NEW_WORDS = "wording since changed"
REASON = "A court has ordered it."


# --- People, sources, pictures ---------------------------------------------------------------------------------


def make_user(username: str = "editor", **fields: Any) -> User:
    """The account of that name, made where there is none."""
    found = User.objects.filter(username=username).first()
    return found or User.objects.create_user(username, **fields)


def make_contributor(name: str = "Ada Author", **fields: Any) -> Contributor:
    """The person of that name, made where there is none; an author who is not a clinician, unless told."""
    found = Contributor.objects.filter(name=name).first()
    defaults = {"slug": slugify(name), "job_title": "Health writer", "credentials": "MSc"}
    return found or Contributor.objects.create(name=name, **defaults | fields)


def make_reviewer(name: str = "Rita Reviewer", **fields: Any) -> Contributor:
    """A medically qualified person with an account of their own."""
    account = {"user": make_user(slugify(name))} if "user" not in fields else {}
    return make_contributor(name, medical=True, credentials="MD", job_title="Physician", **account | fields)


def make_citation(key: str = "guideline-a", **fields: Any) -> Citation:
    """The source with that key, made where there is none."""
    defaults = {"kind": "guideline", "title": f"Title of {key}", "url": f"https://sources.example/{key}"}
    return Citation.objects.filter(key=key).first() or Citation.objects.create(key=key, **defaults | fields)


def picture_bytes(
    colour: str = "teal", size: tuple[int, int] = (64, 48), format_: str = "PNG", **options: Any
) -> bytes:
    """A plain picture in one colour as a file's bytes; `options` go to Pillow's save()."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, format=format_, **options)
    return out.getvalue()


def make_picture(colour: str = "teal", alt: str = "A plain picture", size: tuple[int, int] = (64, 48)) -> Picture:
    """A stored picture with its renditions; another colour or size is another picture."""
    return keep_picture(clean_picture(io.BytesIO(picture_bytes(colour, size))), alt=alt)


# --- Drafts ----------------------------------------------------------------------------------------------------


def make_publication(kind: str, title: str, **fields: Any) -> Publication:
    """An address for a draft, at the slug of its title or the next free one."""
    return Publication.objects.create(kind=kind, **{"slug": free_slug(kind, title)} | fields)


def make_condition(
    name: str = "Herniated disc", *, slug: str = "", tips: int = 1, authors: bool = True, **fields: Any
) -> Condition:
    """A condition that can be published. It cites `guideline-a`."""
    make_citation()
    defaults = {
        "summary": f"{name} in one sentence.",
        "what_it_is": f"<p>{name}: {FIRST_WORDS}.</p>",
        "signs": "<p>Pain that comes and goes.</p>",
        "treatment": f"<p>Treatment of {name.lower()} [@guideline-a].</p>",
        "body_area": "back-and-spine",
        "synonyms": f"Slipped {name.lower()}",
    }
    draft = Condition.objects.create(
        publication=make_publication("condition", name, **({"slug": slug} if slug else {})),
        name=name,
        **defaults | fields,
    )
    if authors:
        draft.authors.add(make_contributor())
    for number in range(1, tips + 1):
        ConditionTip.objects.create(condition=draft, position=number, name=f"Tip {number}", text="<p>Do this.</p>")
    settle_draft(draft)
    return draft


def make_article(
    title: str = "Back pain",
    *,
    slug: str = "",
    conditions: list[Condition] | None = None,
    own_entries: int = 1,
    tips: int = 1,
    signs: int = 1,
    sections: int = 1,
    authors: bool = True,
    language: str = "en",
    **fields: Any,
) -> Article:
    """An article that can be published, with an entry for each condition and `own_entries` with texts of their own.

    A condition that is not live yet gives an entry without text, which blocks publication.
    """
    make_citation()
    defaults = {
        "summary": f"{title} in two sentences. This is the second.",
        "topic": title.lower(),
        "intro": f"<p>{title}: {FIRST_WORDS} [@guideline-a].</p>",
        "conclusion": "<p>Most people get better.</p>",
        "funding": "None",
        "conflicts": "None",
    }
    place = {"language": language} | ({"slug": slug} if slug else {})
    draft = Article.objects.create(
        publication=make_publication("article", title, **place), title=title, **defaults | fields
    )
    if authors:
        draft.authors.add(make_contributor())
    for number, condition in enumerate(conditions or [], start=1):
        make_entry(draft, condition=condition, position=number)
    for number in range(1, own_entries + 1):
        make_entry(
            draft,
            heading=f"Own entry {number}",
            text="<p>What it is.</p>",
            treatment="<p>How it is treated [@guideline-a].</p>",
            position=len(conditions or []) + number,
        )
    for number in range(1, sections + 1):
        ArticleSection.objects.create(
            article=draft, position=number, heading=f"Section {number}", text="<p>More of it.</p>"
        )
    for number in range(1, tips + 1):
        PreventionTip.objects.create(article=draft, position=number, name=f"Tip {number}", text="<p>Move.</p>")
    for number in range(1, signs + 1):
        ArticleWarningSign.objects.create(
            article=draft, position=number, text=f"Warning sign {number}", urgency=Urgency.EMERGENCY
        )
    made: Article = fresh(draft)
    return made


def make_entry(article: Article, **fields: Any) -> ArticleEntry:
    """An entry of an article, at its end unless told otherwise. It pins what is live of its condition now."""
    if condition := fields.get("condition"):
        fields["condition"] = Condition.objects.get(pk=condition.pk)
    fields.setdefault("position", article.entries.count() + 1)
    return ArticleEntry.objects.create(article=article, **fields)


def make_page(title: str = "Editorial policy", *, slug: str = "", **fields: Any) -> Page:
    """A page about the site that can be published."""
    defaults = {"summary": f"{title} in one sentence.", "text": f"<p>{title}: {FIRST_WORDS}.</p>"}
    draft = Page.objects.create(
        publication=make_publication("page", title, **({"slug": slug} if slug else {})),
        title=title,
        **defaults | fields,
    )
    settle_draft(draft)
    return draft


MAKERS: dict[str, Callable[..., Any]] = {
    "article": make_article,
    "condition": make_condition,
    "page": make_page,
}
MAIN_TEXT = {"article": "intro", "condition": "what_it_is", "page": "text"}


# --- What happens to a draft -----------------------------------------------------------------------------------


def fresh(row: Any) -> Any:
    """The row as the database has it, with nothing cached; a draft's fingerprint is settled."""
    row = type(row)._default_manager.get(pk=row.pk)
    if isinstance(row, Draft):
        settle_draft(row)
    return row


def reword(draft: Draft, words: str = NEW_WORDS) -> Any:
    """The same draft with other words in its main text (never one that a minor edition may not touch)."""
    setattr(draft, MAIN_TEXT[draft.KIND], f"<p>{draft}: {words}.</p>")
    draft.save()
    return fresh(draft)


def snapshot_of(draft: Draft, purpose: Snapshot.Purpose = Snapshot.Purpose.REVIEW) -> Snapshot:
    """The draft as it is now, frozen."""
    return take_snapshot(publication=draft.publication, document=fresh(draft).build(), purpose=purpose, by=make_user())


def publish_draft(draft: Draft, level: Level = Level.MAJOR, note: str = "What changed.") -> Edition:
    """The draft as it is now, made the live edition."""
    snapshot = snapshot_of(draft, Snapshot.Purpose.PUBLISH)
    return publish(snapshot=snapshot, by=make_user(), level=level, note=note)


def schedule_draft(
    draft: Draft,
    due_at: datetime | None = None,
    level: Level = Level.MAJOR,
    note: str = "Planned.",
) -> Schedule:
    """The draft as it is now, planned for `due_at` (tomorrow)."""
    return schedule(
        snapshot=snapshot_of(draft, Snapshot.Purpose.SCHEDULE),
        by=make_user(),
        due_at=due_at or timezone.now() + timedelta(days=1),
        level=level,
        note=note,
    )


def sign(draft: Draft, reviewer: Contributor | None = None, valid_until: date | None = None) -> SignOff:
    """A review of the draft as it is now, valid for a year."""
    reviewer = reviewer or make_reviewer()
    assert reviewer.user
    return sign_off(
        snapshot=snapshot_of(draft),
        reviewer=reviewer,
        by=reviewer.user,
        valid_until=valid_until or timezone.localdate() + timedelta(days=365),
        statement="I have read it and it is right.",
    )


# --- Every state of a publication ------------------------------------------------------------------------------


def _draft(draft: Draft) -> None:
    """Never frozen, never public."""


def _in_snapshot(draft: Draft) -> None:
    snapshot_of(draft)


def _scheduled(draft: Draft) -> None:
    schedule_draft(draft)


def _live(draft: Draft) -> None:
    publish_draft(draft)


def _live_with_newer_draft(draft: Draft) -> None:
    publish_draft(draft)
    reword(draft)


def _superseded(draft: Draft) -> None:
    publish_draft(draft)
    publish_draft(reword(draft))


def _withdrawn(draft: Draft) -> None:
    publish_draft(draft)
    withdraw(publication=draft.publication, by=make_user(), reason=REASON)


def _redacted(draft: Draft) -> None:
    edition = publish_draft(draft)
    redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)


STATES: dict[str, Callable[[Any], None]] = {
    "draft": _draft,
    "in snapshot": _in_snapshot,
    "scheduled": _scheduled,
    "live": _live,
    "live with a newer draft": _live_with_newer_draft,
    "superseded": _superseded,
    "withdrawn": _withdrawn,
    "redacted": _redacted,
}


def make_in_state(state: str, kind: str = "article", **fields: Any) -> Any:
    """A draft of the kind whose publication is in the state, one of STATES.

    FIRST_WORDS are what was frozen, scheduled or published first. In "live with a newer draft" NEW_WORDS are in the
    draft only; in "superseded" they are live, and FIRST_WORDS are those of edition 1.
    """
    draft = MAKERS[kind](**fields)
    STATES[state](draft)
    return fresh(draft)
