"""Articles and pages as editors work on them. What the public reads is in `publishing`."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from blog.documents import ArticleDocument, Entry, PageDocument, Section, ShownCondition
from conditions.documents import ConditionDocument
from conditions.models import Condition
from images.models import Picture
from publishing.documents import Source, Tip, Urgency, WarningSign
from publishing.models import (
    Contributor,
    Disclosed,
    Draft,
    Edition,
    Part,
    Publication,
    StoredDocument,
    picture_value,
)
from publishing.richtext import RichTextField
from publishing.services import sources_for


class Article(Draft, Disclosed):
    KIND: ClassVar[str] = "article"

    class Form(models.TextChoices):
        CONDITIONS = "conditions", _("Numbered conditions")
        PLAIN = "plain", _("Plain article with sections")

    kind = models.CharField(_("kind"), max_length=12, choices=Form, default=Form.CONDITIONS)
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(
        _("summary"),
        max_length=400,
        blank=True,
        help_text=_("Two or three sentences below the title and in lists."),
    )
    topic = models.CharField(
        _("topic"), max_length=120, blank=True,
        help_text=_("What it is about, as it stands in headings: “How to prevent <em>back pain</em>”."),
    )  # fmt: skip
    translation_of = models.ForeignKey(
        Publication, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("translation of"),
        limit_choices_to={"kind": "article"},
    )  # fmt: skip
    picture = models.ForeignKey(
        Picture, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lead picture")
    )
    intro = RichTextField(_("introduction"), blank=True)
    entries_heading = models.CharField(_("heading of the list"), max_length=200, blank=True)
    tips_heading = models.CharField(_("heading of the tips"), max_length=200, blank=True)
    tips_intro = RichTextField(_("lead-in of the tips"), blank=True)
    warning_signs_heading = models.CharField(_("heading of the warning signs"), max_length=200, blank=True)
    warning_signs_intro = RichTextField(_("lead-in of the warning signs"), blank=True)
    emergency_heading = models.CharField(
        _("heading of the emergency card"), max_length=200, blank=True,
        help_text=_("One clear action. Blank makes it from the site's emergency number."),
    )  # fmt: skip
    note = RichTextField(_("note after the warning signs"), blank=True)
    conclusion_heading = models.CharField(_("heading of the conclusion"), max_length=200, blank=True)
    conclusion = RichTextField(_("conclusion"), blank=True)
    authors = models.ManyToManyField(Contributor, blank=True, related_name="+", verbose_name=_("authors"))

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return self.title

    def build(self) -> ArticleDocument:
        entries, brought = self._built_entries()
        with translation.override(self.publication.language):
            headings = self._headings(len(entries))
        document = ArticleDocument(
            kind="article",
            schema=ArticleDocument.SCHEMA,
            uuid=str(self.publication.uuid),
            language=self.publication.language,
            authors=tuple(person.value() for person in self.authors.order_by("name", "pk")),
            form=self.kind,  # type: ignore[arg-type]  # the field's choices are the type's values
            title=self.title,
            summary=self.summary,
            topic=self.topic,
            intro=self.intro,
            tips_intro=self.tips_intro,
            warning_signs_intro=self.warning_signs_intro,
            picture=picture_value(self.picture),
            entries=entries,
            sections=tuple(
                Section(id=str(section.uuid), heading=section.heading, text=section.text)
                for section in self.sections.all()
            ),
            tips=tuple(Tip(id=str(tip.uuid), name=tip.name, text=tip.text) for tip in self.tips.all()),
            warning_signs=tuple(
                WarningSign(id=str(sign.uuid), text=sign.text, urgency=Urgency(sign.urgency))
                for sign in self.warning_signs.all()
            ),
            emergency_heading=self.emergency_heading,
            note=self.note,
            conclusion=self.conclusion,
            origin=self.origin(),
            funding=self.funding,
            conflicts=self.conflicts,
            ai=self.ai,
            translation_of=str(self.translation_of.uuid) if self.translation_of else "",
            **headings,
        )
        return document.model_copy(update={"citations": sources_for(document.cited_keys(), brought)})

    def _headings(self, entries: int) -> dict[str, Any]:
        """The headings in the article's language: the editor's own, or good defaults."""
        topic = self.topic
        return {
            "entries_heading": self.entries_heading
            or ngettext("%(count)d condition", "%(count)d conditions", entries) % {"count": entries},
            "tips_heading": self.tips_heading
            or (_now("How to prevent %(topic)s") % {"topic": topic} if topic else _now("Prevention")),
            "warning_signs_heading": self.warning_signs_heading or _now("When to see a doctor"),
            "conclusion_heading": self.conclusion_heading or _now("Conclusion"),
        }

    def _built_entries(self) -> tuple[tuple[Entry, ...], list[Source]]:
        """The entries with their words settled, and the sources that library text brings."""
        rows = list(self.entries.select_related("condition__publication", "pin__publication", "picture"))
        library = pinned_documents([row.pin for row in rows if row.pin])
        built: list[Entry] = []
        brought: list[Source] = []
        for row in rows:
            pinned = library.get(row.pin.fingerprint) if row.pin else None
            if pinned:
                brought.extend(pinned.citations)
            built.append(row.build(pinned))
        return tuple(built), brought

    def load(self, document: Any) -> None:
        for name in (
            "title", "summary", "topic", "intro", "entries_heading", "tips_heading", "tips_intro",
            "warning_signs_heading", "warning_signs_intro", "emergency_heading", "note",
            "conclusion_heading", "conclusion", "funding", "conflicts", "ai",
        ):  # fmt: skip
            setattr(self, name, getattr(document, name))
        self.kind = document.form
        self._forget_default_headings(document)
        self.picture = by_hash(document.picture)
        origin = document.origin
        self.origin_name, self.origin_url, self.origin_title = (
            (origin.name, origin.url, origin.title) if origin else ("", "", "")
        )
        self.origin_author, self.origin_licence = (origin.author, origin.licence) if origin else ("", "")
        self.origin_published = date.fromisoformat(origin.published) if origin and origin.published else None
        self.translation_of = (
            Publication.objects.filter(uuid=document.translation_of).first() if document.translation_of else None
        )
        self.save()
        self.authors.set(Contributor.objects.filter(uuid__in=[person.uuid for person in document.authors]))
        self._load_parts(document)

    def _forget_default_headings(self, document: ArticleDocument) -> None:
        """A heading that is what the default would be stays a default, so that it follows the topic."""
        own = {name: getattr(self, name) for name in ARTICLE_HEADINGS}
        for name in ARTICLE_HEADINGS:
            setattr(self, name, "")
        with translation.override(document.language):
            defaults = self._headings(len(document.entries))
        for name, heading in own.items():
            setattr(self, name, "" if heading == defaults[name] else heading)

    def _load_parts(self, document: ArticleDocument) -> None:
        for parts in (self.entries, self.sections, self.tips, self.warning_signs):
            parts.all().delete()
        self._load_entries(document)
        ArticleSection.objects.bulk_create(
            ArticleSection(article=self, uuid=s.id, position=n, heading=s.heading, text=s.text)
            for n, s in enumerate(document.sections, start=1)
        )
        PreventionTip.objects.bulk_create(
            PreventionTip(article=self, uuid=t.id, position=n, name=t.name, text=t.text)
            for n, t in enumerate(document.tips, start=1)
        )
        ArticleWarningSign.objects.bulk_create(
            ArticleWarningSign(article=self, uuid=s.id, position=n, text=s.text, urgency=s.urgency)
            for n, s in enumerate(document.warning_signs, start=1)
        )

    def _load_entries(self, document: ArticleDocument) -> None:
        """The entries with the pins that the document names, so that they show the very words it has."""
        mentions = document.mentions()
        uuids = [mention.uuid for mention in mentions]
        conditions = {
            str(condition.publication.uuid): condition
            for condition in Condition.objects.filter(publication__uuid__in=uuids).select_related("publication")
        }
        numbers = [mention.edition for mention in mentions]
        editions = Edition.objects.filter(publication__uuid__in=uuids, number__in=numbers)
        pins = {(pin.publication_id, pin.number): pin for pin in editions}
        library = pinned_documents(list(pins.values()))
        rows = []
        for position, entry in enumerate(document.entries, start=1):
            row = ArticleEntry(
                article=self,
                uuid=entry.id,
                position=position,
                group=entry.group,
                heading=entry.heading,
                text=entry.text,
                treatment=entry.treatment,
                urgency=entry.urgency or "",
                picture=by_hash(entry.picture),
            )
            if entry.condition and (condition := conditions.get(entry.condition.uuid)):
                row.condition = condition
                row.pin = pins.get((condition.publication_id, entry.condition.edition))
                row.leave_to_library(entry, library.get(row.pin.fingerprint) if row.pin else None)
            rows.append(row)
        ArticleEntry.objects.bulk_create(rows)  # not save(), which pins what is live now


ARTICLE_HEADINGS = ("entries_heading", "tips_heading", "warning_signs_heading", "conclusion_heading")


def by_hash(picture: Any) -> Picture | None:
    return Picture.objects.filter(content_hash=picture.content_hash).first() if picture else None


def pinned_documents(editions: list[Edition]) -> dict[str, ConditionDocument]:
    """The documents of pinned library editions by fingerprint, in one query; redacted ones are missing."""
    stored = StoredDocument.objects.filter(pk__in={edition.fingerprint for edition in editions}) if editions else []
    return {row.pk: ConditionDocument.read(row.canonical) for row in stored}


class ArticleEntry(Part):
    """A numbered item. Text and treatment, each when blank, are those of the pinned library edition."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="entries")
    group = models.CharField(
        _("group heading"),
        max_length=200,
        blank=True,
        help_text=_("Shown above this entry and those that follow it."),
    )
    heading = models.CharField(
        _("heading"), max_length=200, blank=True, help_text=_("Blank shows the condition's name.")
    )
    condition = models.ForeignKey(
        Condition, models.PROTECT, null=True, blank=True, related_name="entries", verbose_name=_("condition")
    )
    pin = models.ForeignKey(Edition, models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    urgency = models.CharField(
        _("how soon to act"), max_length=15, choices=Urgency, blank=True,
        help_text=_("Blank takes it from the condition. Needed where an entry is about several conditions."),
    )  # fmt: skip
    text = RichTextField(_("own text"), blank=True, help_text=_("Blank shows the library's text."))
    treatment = RichTextField(_("own treatment"), blank=True, help_text=_("Blank shows the library's treatment."))
    picture = models.ForeignKey(
        Picture, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("picture")
    )

    class Meta(Part.Meta):
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")

    def __str__(self) -> str:
        return self.heading or (self.condition.name if self.condition else "")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pin_condition()
        super().save(*args, **kwargs)

    def pin_condition(self) -> None:
        """Pin the edition that is live when a condition is chosen; let go of another condition's edition."""
        publication = self.condition.publication if self.condition else None
        if self.pin and (publication is None or self.pin.publication_id != publication.pk):
            self.pin = None
        if self.pin is None and publication is not None:
            self.pin = publication.live

    def leave_to_library(self, entry: Entry, pinned: ConditionDocument | None) -> None:
        """Blank what an entry of a document shows of its library text, so that it is not an entry's own."""
        name = pinned.name if pinned else self.condition.name if self.condition else ""
        self.heading = "" if entry.heading == name else entry.heading
        self.urgency = "" if entry.condition and entry.urgency == entry.condition.urgency else self.urgency
        self.text = "" if entry.library_text else entry.text
        self.treatment = "" if entry.library_treatment else entry.treatment
        if pinned and entry.library_text and entry.picture == pinned.picture:
            self.picture = None

    @property
    def newer_edition(self) -> Edition | None:
        """The live edition of the condition, where the entry shows an older one."""
        live = self.condition.publication.live if self.condition else None
        return live if live and self.pin and live.number > self.pin.number else None

    def build(self, pinned: ConditionDocument | None) -> Entry:
        shown = None
        if self.condition:
            shown = ShownCondition(
                uuid=str(self.condition.publication.uuid),
                edition=self.pin.number if self.pin else 0,
                name=pinned.name if pinned else self.condition.name,
                synonyms=pinned.synonyms if pinned else (),
                urgency=pinned.urgency if pinned else Urgency(self.condition.urgency),
            )
        library_text = bool(pinned and not self.text)
        library_treatment = bool(pinned and not self.treatment)
        return Entry(
            id=str(self.uuid),
            group=self.group,
            heading=self.heading or (shown.name if shown else ""),
            text=pinned.what_it_is if pinned and library_text else self.text,
            treatment=pinned.treatment if pinned and library_treatment else self.treatment,
            library_text=library_text,
            library_treatment=library_treatment,
            urgency=Urgency(self.urgency) if self.urgency else shown.urgency if shown else None,
            picture=picture_value(self.picture) or (pinned.picture if pinned and library_text else None),
            condition=shown,
        )


class ArticleSection(Part):
    article = models.ForeignKey(Article, models.CASCADE, related_name="sections")
    heading = models.CharField(_("heading"), max_length=200)
    text = RichTextField(_("text"), blank=True)

    class Meta(Part.Meta):
        verbose_name = _("section")
        verbose_name_plural = _("sections")

    def __str__(self) -> str:
        return self.heading


class PreventionTip(Part):
    article = models.ForeignKey(Article, models.CASCADE, related_name="tips")
    name = models.CharField(_("in a few words"), max_length=200)
    text = RichTextField(_("text"), blank=True)

    class Meta(Part.Meta):
        verbose_name = _("prevention tip")
        verbose_name_plural = _("prevention tips")

    def __str__(self) -> str:
        return self.name


class ArticleWarningSign(Part):
    article = models.ForeignKey(Article, models.CASCADE, related_name="warning_signs")
    text = models.TextField(_("sign"), max_length=1000)
    urgency = models.CharField(_("urgency"), max_length=15, choices=Urgency, default=Urgency.SEE_A_DOCTOR)

    class Meta(Part.Meta):
        verbose_name = _("warning sign")
        verbose_name_plural = _("warning signs")

    def __str__(self) -> str:
        return self.text


class Page(Draft):
    KIND: ClassVar[str] = "page"

    title = models.CharField(_("title"), max_length=200)
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    text = RichTextField(_("text"), blank=True)
    in_footer = models.BooleanField(_("link in the footer"), default=True)

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

    def build(self) -> PageDocument:
        document = PageDocument(
            kind="page",
            schema=PageDocument.SCHEMA,
            uuid=str(self.publication.uuid),
            language=self.publication.language,
            title=self.title,
            summary=self.summary,
            text=self.text,
        )
        return document.model_copy(update={"citations": sources_for(document.cited_keys())})

    def load(self, document: Any) -> None:
        self.title, self.summary, self.text = document.title, document.summary, document.text
        self.save()


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def showing(self) -> AnnouncementQuerySet:
        now = timezone.now()
        return self.filter(starts_at__lte=now).filter(Q(ends_at=None) | Q(ends_at__gt=now))


class Announcement(models.Model):
    """The line above every page. Reference data: live when saved."""

    text = models.CharField(_("text"), max_length=160)
    link = models.URLField(_("link"), blank=True)
    link_text = models.CharField(_("words of the link"), max_length=80, blank=True)
    advertisement = models.BooleanField(
        _("advertisement"), default=False, help_text=_("Somebody pays for it: readers see it labelled so.")
    )
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="announcement_ends_after_it_starts",
                violation_error_message=_("The end has to be after the start."),
            ),
            models.CheckConstraint(
                condition=Q(link="") | ~Q(link_text=""),
                name="announcement_link_has_words",
                violation_error_message=_("Write the words of the link, so that readers know where it leads."),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class ImportRun(models.Model):
    """What somebody brought at once in the admin: its files until they are read, and what became of each article."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    files = models.JSONField(default=list)  # the names, as they were given
    language = models.CharField(max_length=12, blank=True)
    make = models.BooleanField(default=False)  # whether drafts are made right away
    counts = models.JSONField(default=dict)  # articles by what the import did with them
    problems = models.JSONField(default=list)  # what could not be read: name, line, message, is_note
    started_at = models.DateTimeField(default=timezone.now)
    # When it last took an article: one that is silent for long was interrupted, and can go on.
    seen_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return ", ".join(self.files)


class ImportedSource(models.Model):
    """One article of a source: as it was read, what an editor corrected, and the draft that was made of it."""

    identity = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256 of what makes it the same article
    digest = models.CharField(max_length=64, editable=False)  # SHA-256 of the bytes it was read from
    name = models.CharField(_("source"), max_length=255)
    format = models.CharField(_("format"), max_length=12, blank=True)
    language = models.CharField(_("language"), max_length=12, default="en")
    blocks = models.JSONField(default=list, editable=False)  # importing.store writes and reads these
    meta = models.JSONField(default=dict, editable=False)
    corrections = models.JSONField(default=dict, editable=False)
    # The content hash of each picture by its name in the source; empty for one that did not come along.
    pictures = models.JSONField(default=dict, editable=False)
    article = models.ForeignKey(
        Article, models.SET_NULL, null=True, blank=True, related_name="imported_from", verbose_name=_("draft")
    )
    # The draft's version when the import last wrote it; a later one says that an editor has been there.
    article_version = models.PositiveIntegerField(null=True, editable=False)
    # When a changed source came in for a draft that an editor had changed: what is read is newer than the draft.
    newer_since = models.DateTimeField(_("source has changed since"), null=True, blank=True, editable=False)
    report = models.TextField(_("what was taken and what was left out"), blank=True)
    # What was understood, for the list of imports.
    title = models.CharField(_("title"), max_length=255, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=12, blank=True, editable=False)
    conditions = models.PositiveIntegerField(_("conditions"), default=0, editable=False)
    unsure = models.PositiveIntegerField(_("to check"), default=0, editable=False)
    run = models.ForeignKey(ImportRun, models.SET_NULL, null=True, blank=True, editable=False, related_name="sources")
    imported_at = models.DateTimeField(_("imported"), default=timezone.now)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-imported_at", "-pk"]

    def __str__(self) -> str:
        return self.name


# The rows of the search live with it; Django looks for models here.
from blog.search import models as _search_models  # noqa: E402, F401
