"""Writes what was understood of an article into the rows of a draft, and remarks on what has no field to go to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext as _

from blog.documents import ArticleDocument
from blog.importing.citations import cite, is_web_address
from blog.importing.library import Library, people
from blog.importing.pictures import Kept
from blog.importing.result import Structure, Understood
from blog.models import Article, ArticleEntry, ArticleSection, ArticleWarningSign, PreventionTip, by_hash
from conditions.models import Condition
from images.models import Picture
from publishing.former_paths import keep_path, path_key
from publishing.models import Citation, Contributor, Publication
from publishing.services import Refused, claim_version, free_slug, settle_draft

HEADING_LENGTH = 200  # of every title, heading and name of a draft
MOST_TAGS = 20
PUBLISHED = ("", "publish", "published")  # what sources call an article that was public


def write_draft(
    understood: Understood, pictures: Kept, *, by: User | None, article: Article | None = None
) -> tuple[Article, list[str]]:
    """Write the draft of an article: a new one, or all of `article` anew at the address that it has.

    An entry keeps its own words, even where the library knows its condition. Returns the draft and remarks for the
    editor. Raises Stale where somebody saved `article` just now. To be called in a transaction.
    """
    if article:
        claim_version(draft=article, opened_at=article.version, by=by)
    with translation.override(understood.language):
        structure, remarks = cite(understood.structure)
    writer = _Writer(understood, structure, pictures, [*pictures.remarks, *remarks])
    if article is None:
        article = Article(publication=writer.new_publication())
    if document := _own_document(understood.article.document):
        article.save()
        writer.load(article, document)
    else:
        writer.write_fields(article)
        article.save()
        writer.write_parts(article)
        writer.write_people(article)
    writer.write_publication(article.publication)
    writer.remark_on_pictures()
    if article.version == 1:
        claim_version(draft=article, opened_at=1, by=by)  # settled, as after a save in the form
    settle_draft(article)
    return article, writer.remarks


class _Writer:
    """One article on its way into the fields of a draft."""

    def __init__(self, understood: Understood, structure: Structure, pictures: Kept, remarks: list[str]) -> None:
        self.meta, self.language = understood.article.meta, understood.language
        self.structure, self.pictures, self.remarks = structure, pictures, remarks
        self.title, self.intro = self.fitting(
            structure.title or self.meta.title or understood.article.name, structure.intro
        )
        self.placed: dict[str, list[str]] = defaultdict(list)  # names of pictures by their place
        for place in structure.pictures:
            self.placed[place.place].append(place.picture.source)
        if self.meta.picture and not self.placed["lead"]:
            self.placed["lead"].append(self.meta.picture.source)

    def load(self, article: Article, document: ArticleDocument) -> None:
        """Take over an article of our own as it is, with the sources it cites."""
        for source in document.citations:
            row = Citation(**source.model_dump(exclude={"checked", "year"}), year=source.year or None)
            with suppress(ValidationError):  # the site has this key, or it is none; then a check finds it
                row.full_clean()
                row.save()
        article.load(document)
        missing = [person.name for person in document.authors if person.uuid not in _uuids(article.authors.all())]
        self._remark_on_people(missing)
        if any(by_hash(picture) is None for _place, picture in document.pictures()):
            self.remarks.append(_("Its pictures are not on this site: upload them, and choose them again."))

    # --- What fits ---

    def fitting(self, heading: str, text: str) -> tuple[str, str]:
        """A heading that fits its field, and the text; a longer one is kept whole as the text's first paragraph."""
        if len(heading) <= HEADING_LENGTH:
            return heading, text
        return Truncator(heading).chars(HEADING_LENGTH), format_html("<p>{}</p>", heading) + text

    def short(self, text: str, length: int) -> str:
        """A text that fits its field; a longer one is kept whole in a remark."""
        text = " ".join(text.split())
        if len(text) > length:
            self.remarks.append(_("Too long for its field, so it was cut: “%s”") % text)
        return Truncator(text).chars(length)

    def picture(self, place: str) -> Picture | None:
        """The first picture of a place that came along; it stands there then."""
        for name in self.placed[place]:
            if found := self.pictures.picture(name):
                self.placed[place].remove(name)
                return found
        return None

    # --- The article ---

    def write_fields(self, article: Article) -> None:
        found = self.structure
        article.kind = found.kind.value
        article.title, article.intro = self.title, self.intro
        article.summary = self.short(self.meta.summary, 400)
        article.topic = found.topic if len(found.topic) <= 120 else ""
        article.picture = self.picture("lead")
        article.entries_heading = self.short(found.entries_heading, HEADING_LENGTH)
        article.tips_heading, article.tips_intro = self.fitting(found.tips_heading, found.tips_intro)
        article.warning_signs_heading, article.warning_signs_intro = self.fitting(
            found.signs_heading, found.signs_intro
        )
        article.note = found.note
        article.conclusion_heading, article.conclusion = self.fitting(found.conclusion_heading, found.conclusion)
        self._write_origin(article)

    def _write_origin(self, article: Article) -> None:
        origin = self.structure.origin
        article.origin_name = self.short(origin.name, 200) if origin else ""
        article.origin_title = self.short(origin.title, 300) if origin else ""
        article.origin_url = self._address(origin.url) if origin else ""
        article.origin_author = self.short(", ".join(self.structure.authors), 200) if origin else ""
        day = self.structure.published
        article.origin_published = timezone.localdate(day) if origin and day and not self.was_ours else None

    def _address(self, url: str) -> str:
        if url and not is_web_address(url):
            self.remarks.append(_("This is no web address that can be kept: “%s”") % url)
            return ""
        return url

    def write_parts(self, article: Article) -> None:
        for parts in (article.entries, article.sections, article.tips, article.warning_signs):
            parts.all().delete()
        self._write_entries(article)
        sections = (self.fitting(section.heading, section.text) for section in self.structure.sections)
        ArticleSection.objects.bulk_create(
            ArticleSection(article=article, position=position, heading=heading, text=text)
            for position, (heading, text) in enumerate(sections, start=1)
        )
        tips = (self.fitting(tip.name, tip.text) for tip in self.structure.tips)
        PreventionTip.objects.bulk_create(
            PreventionTip(article=article, position=position, name=name, text=text)
            for position, (name, text) in enumerate(tips, start=1)
        )
        ArticleWarningSign.objects.bulk_create(
            ArticleWarningSign(article=article, position=position, text=sign.text, urgency=sign.urgency.value)
            for position, sign in enumerate(self.structure.signs, start=1)
        )

    def _write_entries(self, article: Article) -> None:
        if not self.structure.entries:
            return
        library = Library(self.language)
        known = [library.find(entry.heading) for entry in self.structure.entries]
        conditions = Condition.objects.select_related("publication__live").in_bulk([pk for pk in known if pk])
        rows = []
        for position, (entry, pk) in enumerate(zip(self.structure.entries, known, strict=True), start=1):
            heading, text = self.fitting(entry.heading, entry.text)
            row = ArticleEntry(
                article=article,
                position=position,
                group=self.short(entry.group, HEADING_LENGTH),
                heading=heading,
                condition=conditions.get(pk) if pk else None,
                text=text,
                treatment=entry.treatment,
                picture=self.picture(f"entry:{position}"),
            )
            row.pin_condition()
            rows.append(row)
        ArticleEntry.objects.bulk_create(rows)

    def write_people(self, article: Article) -> None:
        found, unknown = people(self.structure.authors)
        article.authors.set(found)
        if not self.structure.origin:
            self._remark_on_people(unknown)

    def _remark_on_people(self, unknown: list[str]) -> None:
        if unknown:
            self.remarks.append(
                _("No contributor of this site is called: %s. Add them, and choose them as authors.")
                % ", ".join(unknown)
            )

    # --- The address ---

    @property
    def was_ours(self) -> bool:
        """Whether the address and the date of the source are those of our old site, not of who published it first."""
        origin = self.structure.origin
        if origin is None:
            return True
        return bool(self.structure.paths) and _host(self.structure.url) != _host(origin.url)

    def new_publication(self) -> Publication:
        """An address of its own: the old one where this site has such addresses, else made from the title."""
        kind, paths = Article.KIND, self.structure.paths
        slug = next(filter(None, map(_same_slug, paths)), "") if self.was_ours else ""
        words = self.title if slugify(self.title) else " ".join(paths[:1]).rstrip("/").rpartition("/")[2]
        return Publication.objects.create(kind=kind, slug=slug or free_slug(kind, words), language=self.language)

    def write_publication(self, publication: Publication) -> None:
        """Language, tags, old addresses, and since when it is public."""
        publication.language = self.language
        publication.originally_published = self._published_before()
        publication.save(update_fields=["language", "originally_published"])
        self._write_tags(publication)
        if self.language not in dict(settings.LANGUAGES):
            self.remarks.append(
                _("The text is in a language (%s) that this site does not have: its headings will be in another.")
                % self.language
            )
        for path in self.structure.paths if self.was_ours else ():
            try:
                keep_path(address=path, publication=publication)
            except Refused as refusal:
                self.remarks.append(str(refusal))

    def _published_before(self) -> datetime | None:
        day = self.structure.published
        if day is None or not self.was_ours or self.meta.status not in PUBLISHED or day > timezone.now():
            return None
        return day

    def _write_tags(self, publication: Publication) -> None:
        names = dict.fromkeys(" ".join(name.split()) for name in self.structure.tags)
        usable = [name for name in names if len(name) <= 100 and slugify(name, allow_unicode=True)]
        publication.tags.set(usable[:MOST_TAGS])
        if left := [name for name in names if name and name not in usable[:MOST_TAGS]]:
            self.remarks.append(_("These tags were not taken: %s.") % ", ".join(left))

    def remark_on_pictures(self) -> None:
        """Pictures that came along but have no place in a draft are in the picture library."""
        left = [name for names in self.placed.values() for name in names if self.pictures.picture(name)]
        if left:
            self.remarks.append(
                _("These pictures have no place in the draft; they are among the site's pictures: %s.")
                % ", ".join(name.rpartition("/")[2] for name in left)
            )


def _own_document(canonical: str) -> ArticleDocument | None:
    """The article that a canonical text of our own says; None for anything else."""
    if not canonical:
        return None
    try:
        return ArticleDocument.read(canonical)
    except (ValueError, LookupError, TypeError, AttributeError):  # any JSON may stand here
        return None


def _uuids(people: Iterable[Contributor]) -> set[str]:
    return {str(person.uuid) for person in people}


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _same_slug(path: str) -> str:
    """The slug of an old address that is where this site would have the article too, and free; else nothing."""
    try:
        match = resolve(f"{path_key(path)}/")
    except Resolver404:
        return ""
    slug: str = match.kwargs.get("slug", "")
    is_article = match.view_name == f"blog:{Article.KIND}-detail" and len(slug) <= 110
    return slug if is_article and free_slug(Article.KIND, slug) == slug else ""
