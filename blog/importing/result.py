"""What an import understood: the pieces of an article and its structure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy

from .blocks import PictureRef, SourceArticle


class ArticleKind(StrEnum):
    """Whether an article is a list of conditions or anything else."""

    CONDITIONS = "conditions"
    PLAIN = "plain"


class Urgency(TextChoices):
    """How urgent a warning sign is: a proposal, from its wording."""

    EMERGENCY = "emergency", gettext_lazy("emergency")
    URGENT = "urgent", gettext_lazy("urgent")
    SEE_A_DOCTOR = "see-a-doctor", gettext_lazy("see a doctor")


class Role(TextChoices):
    """What a block was taken as."""

    TITLE = "title", gettext_lazy("title")
    INTRO = "intro", gettext_lazy("intro")
    ENTRIES_HEADING = "entries-heading", gettext_lazy("heading of the conditions")
    GROUP = "group", gettext_lazy("heading of a group of conditions")
    ENTRY = "entry", gettext_lazy("condition")
    ENTRY_TEXT = "entry-text", gettext_lazy("text of a condition")
    TREATMENT = "treatment", gettext_lazy("treatment of a condition")
    TIPS_HEADING = "tips-heading", gettext_lazy("heading of the tips")
    TIPS_INTRO = "tips-intro", gettext_lazy("intro of the tips")
    TIP = "tip", gettext_lazy("tip")
    TIP_TEXT = "tip-text", gettext_lazy("text of a tip")
    SIGNS_HEADING = "signs-heading", gettext_lazy("heading of the warning signs")
    SIGNS_INTRO = "signs-intro", gettext_lazy("intro of the warning signs")
    SIGN = "sign", gettext_lazy("warning sign")
    NOTE = "note", gettext_lazy("note after the warning signs")
    SECTION_HEADING = "section-heading", gettext_lazy("heading of a section")
    SECTION = "section", gettext_lazy("section")
    CONCLUSION_HEADING = "conclusion-heading", gettext_lazy("heading of the conclusion")
    CONCLUSION = "conclusion", gettext_lazy("conclusion")
    REFERENCES_HEADING = "references-heading", gettext_lazy("heading of the references")
    REFERENCE = "reference", gettext_lazy("reference")
    PICTURE = "picture", gettext_lazy("picture")
    AUTHOR = "author", gettext_lazy("author")
    DATE = "date", gettext_lazy("date")
    TAGS = "tags", gettext_lazy("tags")
    ORIGIN = "origin", gettext_lazy("origin")


class Reason(TextChoices):
    """Why a block was left out."""

    LABEL = "label", gettext_lazy("label of a text that has a field of its own now")
    PROMOTION = "promotion", gettext_lazy("promotion")
    SHARING = "sharing", gettext_lazy("share row of the site")
    SUBSCRIPTION = "subscription", gettext_lazy("subscription box of the site")
    NAVIGATION = "navigation", gettext_lazy("menu or another part of the site")
    ASIDE = "aside", gettext_lazy("stands beside the article")
    RELATED = "related", gettext_lazy("leads to other articles")
    COMMENTS = "comments", gettext_lazy("comments of readers")
    NOTICE = "notice", gettext_lazy("notice of the site")
    DISCLAIMER = "disclaimer", gettext_lazy("the site's own disclaimer")
    ABOUT_AUTHOR = "about-author", gettext_lazy("about the author: that is told on the author's own page")
    REVIEWER = "reviewer", gettext_lazy("names a reviewer: who reviewed what is signed here anew")
    BYLINE = "byline", gettext_lazy("time to read, or the like")
    MARK = "mark", gettext_lazy("no words in it")
    BEFORE_TITLE = "before-title", gettext_lazy("stands above the title")
    REPEATED_TITLE = "repeated-title", gettext_lazy("repeats the title")
    CAPTION = "caption", gettext_lazy("caption of a picture that is missing")
    CONTENTS = "contents", gettext_lazy("table of contents")
    ORIGIN_AGAIN = "origin-again", gettext_lazy("names the origin again")
    AFTER_END = "after-end", gettext_lazy("stands after the end of the article")
    EDITOR = "editor", gettext_lazy("left out by an editor")
    LEAD_IN = "lead-in", gettext_lazy("heads a list of warning signs that now carry its urgency")


class Sure(TextChoices):
    """How sure the finder is of what it took a piece for."""

    SURE = "sure", gettext_lazy("sure")
    LIKELY = "likely", gettext_lazy("likely")
    UNSURE = "unsure", gettext_lazy("unsure: please check")


@dataclass(frozen=True, slots=True)
class Piece:
    """A block, or a stretch of its text, and what it was taken as, or why it was left out.

    A block that holds a name and then its text, or a text and then its treatment, is several pieces. The pieces of
    a block cover it without a gap. ``why`` says in a few words what spoke for it, for the person who checks.
    """

    block: int  # its place in the blocks of the article, from 0
    start: int
    end: int
    role: Role | None = None
    urgency: Urgency | None = None  # of a warning sign
    reason: Reason | None = None
    sure: Sure = Sure.SURE
    why: str = ""

    @property
    def key(self) -> str:
        """The piece's name in an editor's corrections; it stays when others are cut or joined."""
        return f"{self.block}.{self.start}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A condition: ``text`` and ``treatment`` are HTML, ``group`` the heading it stood under."""

    heading: str
    text: str = ""
    treatment: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Tip:
    """A prevention tip: a name in plain text and HTML, either possibly empty."""

    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sign:
    """A warning sign in plain text, in full, with the urgency proposed for it."""

    text: str
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Section:
    """A headed text that is none of the other parts: plain heading, HTML text."""

    heading: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who published the article first, where, and under what title, as far as it is said."""

    name: str
    url: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A source that the article names. ``marker`` is the number by which texts cite it: "1" for "[1]"."""

    text: str
    url: str = ""
    doi: str = ""
    pmid: str = ""
    year: int | None = None
    marker: str = ""


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture and where it stands: "lead", "entry:3", "section:2" (counted from 1), "" for anywhere else."""

    picture: PictureRef
    place: str = ""


@dataclass(frozen=True, slots=True)
class Structure:
    """An article as understood. Texts are HTML, headings and names plain text."""

    kind: ArticleKind
    title: str = ""
    topic: str = ""
    intro: str = ""
    entries_heading: str = ""
    entries: tuple[Entry, ...] = ()
    tips_heading: str = ""
    tips_intro: str = ""
    tips: tuple[Tip, ...] = ()
    signs_heading: str = ""
    signs_intro: str = ""
    signs: tuple[Sign, ...] = ()
    note: str = ""
    sections: tuple[Section, ...] = ()
    conclusion_heading: str = ""
    conclusion: str = ""
    origin: Origin | None = None
    references_heading: str = ""
    references: tuple[Reference, ...] = ()
    pictures: tuple[PlacedPicture, ...] = ()
    picture_captions: tuple[str, ...] = ()  # of pictures that are missing
    authors: tuple[str, ...] = ()
    published: datetime | None = None  # aware
    tags: tuple[str, ...] = ()
    url: str = ""  # the canonical address
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of an article: its pieces, in the order of its blocks, and what they make together.

    ``remarks`` are sentences for the editor on what is unsure. ``str()`` is the report for people.
    """

    article: SourceArticle
    language: str
    pieces: tuple[Piece, ...]
    structure: Structure
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        from .report import report_text

        return report_text(self)
