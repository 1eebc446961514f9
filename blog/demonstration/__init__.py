"""Fills an empty database with the demonstration: people, library, articles, pages, and work in progress.

The texts are the `.toml` files beside this one, the pictures those in `pictures/`. Everything goes the way an
editor's work goes: drafts, snapshots, sign-offs, editions. Their dates lie in the fourteen months before the day it
is loaded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from blog.models import Announcement, Article, ArticleEntry, ArticleSection, ArticleWarningSign, Page, PreventionTip
from conditions.models import Condition, ConditionTip
from images.models import Picture
from images.processing import clean_picture
from images.services import keep_picture
from publishing.documents import Document
from publishing.models import Citation, Contributor, Draft, Level, Part, Publication, SiteSettings, Snapshot
from publishing.services import (
    add_months,
    claim_version,
    publish,
    settle_draft,
    sign_off,
    take_snapshot,
)

HERE = Path(__file__).parent
PASSWORD = "bedside"  # published in the README: this code refuses to run outside development
ROLES = {
    "admin": ("Admin", "Everything", ""),
    "writer": ("Mara", "Lindqvist", "Writer"),
    "editor": ("Inês", "Carvalho", "Editor"),
    "reviewer": ("Ada", "Okafor", "Medical reviewer"),
    "publisher": ("Paul", "Publisher", "Publisher"),
}
STATEMENT = "I have read this text as it is shown here, and approve it for publication."
MONTHS = 24  # a review holds for so long, unless an edition says otherwise
OLDEST = 420  # days since the first edition of what no article mentions
NOTICE = "Demonstration: the people are fictional, and nothing here is medical advice."


class NotAllowed(Exception):
    """The demonstration is for an empty database in development only."""


@transaction.atomic
def load() -> None:
    """Load everything, or nothing. Raises NotAllowed outside development or where there is content already."""
    if not settings.DEMONSTRATION:
        raise NotAllowed("The demonstration and its published passwords are for development (DEBUG=1) only.")
    if not is_empty():
        raise NotAllowed("There is content or an account already; the demonstration goes into an empty database.")
    Demonstration().load()


def is_empty() -> bool:
    return not (Publication.objects.exists() or User.objects.exists())


def logins() -> list[tuple[str, str]]:
    """The demonstration's log-ins that are here: (role, user name)."""
    here = set(User.objects.filter(email__endswith="@example.org").values_list("username", flat=True))
    return [(role or "Administrator", name) for name, (_first, _last, role) in ROLES.items() if name in here]


def read(name: str) -> list[dict[str, Any]]:
    return next(iter(tomllib.loads((HERE / f"{name}.toml").read_text()).values()))


class Demonstration:
    def load(self) -> None:
        self.now = timezone.now()
        hashed = make_password(PASSWORD)  # once: hashing is slow on purpose
        self.users = {name: self.user(name, hashed, *who) for name, who in ROLES.items()}
        self.pictures = {row["key"]: self.picture(row) for row in read("pictures")}
        self.people = {row["key"]: self.person(row) for row in read("people")}
        for row in read("citations"):
            self.citation(row)
        SiteSettings.objects.create(
            pk=1,
            name="Bedside",
            tagline="Health articles that say what is known, by whom, and since when.",
            publisher="The Bedside demonstration",
            contact="editors@example.org",
            country="AT",
            emergency_number="112",
            sender_name="Bedside",
            sender_address="news@example.org",
            notice=NOTICE,
        )
        Announcement.objects.create(
            text="New here? Every text names who wrote it, who checked it, and what they read.",
            link=f"{settings.SITE_URL}/about/editorial-policy/",
            link_text="How we write and review",
        )
        articles = sorted(read("articles"), key=lambda row: -row["edition"][0]["days"])
        first_shown = {e["condition"]: a["edition"][0]["days"] for a in reversed(articles) for e in a["entry"]}
        self.conditions = {
            row["key"]: self.condition(row, first_shown.get(row["key"], 0)) for row in read("conditions")
        }
        for row in articles:
            self.article(row)
        for row in read("pages"):
            self.page(row)
        self.work_in_progress()

    def user(self, name: str, password: str, first: str, last: str, role: str) -> User:
        user = User.objects.create(
            username=name, email=f"{name}@example.org", password=password,
            first_name=first, last_name=last, is_staff=True,
        )  # fmt: skip
        if role:
            user.groups.add(Group.objects.get(name=role))
        else:
            user.is_superuser = True
            user.save(update_fields=["is_superuser"])
        return user

    def picture(self, row: dict[str, Any]) -> Picture:
        with (HERE / "pictures" / row["file"]).open("rb") as file:
            clean = clean_picture(file)
        words = {name: row[name] for name in ("alt", "caption", "credit", "focal_x", "focal_y")}
        return keep_picture(clean, **words, uploaded_by=self.users["editor"])

    def person(self, row: dict[str, Any]) -> Contributor:
        until = row.get("credentials_until")
        return Contributor.objects.create(
            name=row["name"],
            slug=row["slug"],
            job_title=row["job_title"],
            credentials=row["credentials"],
            medical=row["medical"],
            credentials_until=date.fromisoformat(str(until)) if until else None,
            bio=row["bio"],
            user=self.users.get(row["user"]) or self.clinician(row["user"]),
        )

    def clinician(self, name: str) -> User | None:
        """The account of a reviewer who signed in the past and cannot log in here."""
        return User.objects.create_user(name, f"{name}@example.org") if name else None

    def citation(self, row: dict[str, Any]) -> Citation:
        fields = {name: row[name] for name in ("key", "kind", "title", "authors", "publisher", "url", "doi", "pmid")}
        citation = Citation(**fields, year=row["year"] or None)
        citation.full_clean()
        citation.save()
        return citation

    def condition(self, row: dict[str, Any], first_shown: int) -> Condition:
        """A condition that an article shows was published and signed five days before that article was."""
        fields = {name: row[name] for name in ("name", "body_area", "urgency", "summary")}
        texts = {name: row[name] for name in ("what_it_is", "signs", "treatment", "complications")}
        condition = Condition.objects.create(
            publication=self.address("condition", row["key"]),
            **fields,
            **texts,
            synonyms="\n".join(row["synonyms"]),
            icd10="\n".join(row["icd10"]),
            snomed="\n".join(row["snomed"]),
            picture=self.pictures.get(row["picture"]),
        )
        condition.authors.set([self.people[key] for key in row.get("authors", ["mara-lindqvist"])])
        for position, tip in enumerate(row.get("tip", []), start=1):
            ConditionTip.objects.create(
                condition=condition, position=position, name=tip["name"], text=paragraph(tip["text"])
            )
        editions = row.get("edition") or [{"level": "major", "note": "First edition."}]
        editions[0].setdefault("days", first_shown + 5 if first_shown else OLDEST)
        reviewer = self.people[row.get("reviewer", "ada-okafor")] if first_shown else None
        self.publish_editions(condition, editions, reviewer, parts=list(condition.tips.all()))
        return condition

    def article(self, row: dict[str, Any]) -> None:
        names = ("title", "summary", "topic", "intro", "note", "conclusion", "funding", "conflicts", "ai")
        article = Article.objects.create(
            publication=self.address("article", row["slug"], row["language"]),
            kind=row["kind"],
            **{name: row[name] for name in names},
            **{f"origin_{name}": text for name, text in row.get("origin", {}).items()},
            translation_of=Publication.objects.filter(kind="article", slug=row.get("translation_of")).first(),
            entries_heading=row.get("entries_heading", ""),
            picture=self.pictures.get(row["picture"]),
        )
        article.publication.tags.set(row["tags"])
        article.authors.set([self.people[key] for key in row["authors"]])
        for position, entry in enumerate(row["entry"], start=1):
            ArticleEntry.objects.create(
                article=article,
                position=position,
                group=entry.get("group", ""),
                heading=entry["heading"],
                condition=self.conditions.get(entry["condition"]),
                text=entry["text"],
                treatment=entry["treatment"],
                urgency=entry.get("urgency", ""),
                picture=self.pictures.get(entry["picture"]),
            )
        for position, section in enumerate(row.get("section", []), start=1):
            ArticleSection.objects.create(
                article=article, position=position, heading=section["heading"], text=section["text"]
            )
        for position, tip in enumerate(row["tip"], start=1):
            PreventionTip.objects.create(
                article=article, position=position, name=tip["name"], text=paragraph(tip["text"])
            )
        for position, sign in enumerate(row["sign"], start=1):
            ArticleWarningSign.objects.create(article=article, position=position, **sign)
        reviewer = self.people[row["reviewer"]] if "reviewer" in row else None
        self.publish_editions(
            article, row["edition"], reviewer, parts=[*article.tips.all(), *article.warning_signs.all()]
        )

    def publish_editions(
        self, draft: Draft, editions: Iterable[Mapping[str, Any]], reviewer: Contributor | None, parts: list[Any]
    ) -> None:
        """Publish what each edition said at its time: without what it `lacks`, with the words that it `was`."""
        for edition in editions:
            was = {name: self.in_field(text) for name, text in edition.get("was", {}).items()}
            now = {name: getattr(draft, name) for name in was}
            for name, text in was.items():
                setattr(draft, name, text)
            draft.save()
            for part in parts:
                self.keep(part, str(part) not in edition.get("lacks", []))
            self.publish(
                draft,
                at=self.now - timedelta(days=edition["days"]),
                level=Level(edition["level"]),
                note=edition["note"],
                reviewer=reviewer if edition.get("reviewed", edition["level"] == Level.MAJOR) else None,
                months=edition.get("months", MONTHS),
            )
            for name, text in now.items():
                setattr(draft, name, text)

    def in_field(self, text: str | list[str]) -> str:
        return text if isinstance(text, str) else "\n".join(text)

    def keep(self, part: Part, wanted: bool) -> None:
        """A part that goes and comes back stays the same part: it has the same UUID."""
        if part.pk and not wanted:
            part.delete()
        elif wanted and not part.pk:
            part.save()

    def page(self, row: dict[str, Any]) -> None:
        page = Page.objects.create(
            publication=self.address("page", row["slug"]), title=row["title"], summary=row["summary"], text=row["text"]
        )
        self.publish(page, at=self.now - timedelta(days=row.get("days", OLDEST)))

    def work_in_progress(self) -> None:
        """Something on every shelf of the start page: a review to sign and a newer draft of a live text."""
        condition = self.conditions["herniated-disc"]
        condition.complications += "<p>Pain that lasts for months can also weigh on mood and sleep.</p>"
        condition.save()
        document = self.save(condition, self.users["writer"])
        take_snapshot(
            publication=condition.publication,
            document=document,
            purpose=Snapshot.Purpose.REVIEW,
            by=self.users["writer"],
            note="One sentence on living with long-lasting pain. Is it right to say this here?",
        )

    def address(self, kind: str, slug: str, language: str = "en") -> Publication:
        return Publication.objects.create(kind=kind, slug=slug, language=language)

    def save(self, draft: Draft, by: User) -> Document:
        claim_version(draft=draft, opened_at=draft.version, by=by)
        return settle_draft(draft)

    def publish(
        self,
        draft: Draft,
        *,
        at: datetime,
        level: Level = Level.MAJOR,
        note: str = "First edition.",
        reviewer: Contributor | None = None,
        months: int = MONTHS,
    ) -> None:
        """Publish the draft as it is, signed first where there is a reviewer, as if it were the time `at`."""
        document = self.save(draft, self.users["editor"])
        publication = draft.publication
        if reviewer is not None and reviewer.user is not None:
            snapshot = take_snapshot(
                publication=publication,
                document=document,
                purpose=Snapshot.Purpose.REVIEW,
                by=self.users["editor"],
                at=at - timedelta(days=2),
            )
            signed_at = at - timedelta(days=1)
            sign_off(
                snapshot=snapshot,
                reviewer=reviewer,
                by=reviewer.user,
                valid_until=add_months(timezone.localdate(signed_at), months),
                statement=STATEMENT,
                at=signed_at,
            )
        snapshot = take_snapshot(
            publication=publication,
            document=document,
            purpose=Snapshot.Purpose.PUBLISH,
            by=self.users["publisher"],
            at=at,
        )
        publish(snapshot=snapshot, by=self.users["publisher"], level=level, note=note, at=at)
        publication.refresh_from_db()


def paragraph(text: str) -> str:
    return text if text.startswith("<") else f"<p>{text}</p>"
