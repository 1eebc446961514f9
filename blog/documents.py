from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from publishing.documents import (
    Columns,
    Document,
    Html,
    Mention,
    Number,
    Origin,
    PictureValue,
    Text,
    Tip,
    Urgency,
    Value,
    WarningSign,
)
from publishing.richtext import plain


class ShownCondition(Value):
    """The library condition that an entry is about, and the edition whose words it shows (0 before any)."""

    uuid: str
    edition: Number
    name: Text
    synonyms: tuple[Text, ...] = ()
    urgency: Urgency


class Entry(Value):
    """One numbered item of an article, with its words settled: its own, or those of the pinned library edition."""

    id: str
    group: Text = ""  # a heading above this entry and those that follow it
    heading: Text
    text: Html = ""
    treatment: Html = ""
    urgency: Urgency | None = None
    library_text: bool = False
    library_treatment: bool = False
    picture: PictureValue | None = None
    condition: ShownCondition | None = None


class Section(Value):
    id: str
    heading: Text
    text: Html = ""


class ArticleDocument(Document):
    """An article: an introduction, numbered entries, sections, tips, warning signs and a conclusion."""

    SCHEMA: ClassVar[int] = 1

    kind: Literal["article"]
    form: Literal["conditions", "plain"]
    title: Text
    summary: Text = ""
    topic: Text = ""
    intro: Html = ""
    picture: PictureValue | None = None
    entries_heading: Text = ""
    entries: tuple[Entry, ...] = ()
    sections: tuple[Section, ...] = ()
    tips_heading: Text = ""
    tips_intro: Html = ""
    tips: tuple[Tip, ...] = ()
    warning_signs_heading: Text = ""
    warning_signs_intro: Html = ""
    emergency_heading: Text = ""  # the editor's own action; otherwise made from the site's number
    warning_signs: tuple[WarningSign, ...] = ()
    note: Html = ""
    conclusion_heading: Text = ""
    conclusion: Html = ""
    origin: Origin | None = None
    funding: Text = ""
    conflicts: Text = ""
    ai: Text = ""
    translation_of: str = ""  # UUID of the publication

    def columns(self) -> Columns:
        return Columns(
            title=self.title,
            summary=self.summary,
            picture=self.picture.content_hash if self.picture else "",
            words=sum(len(plain(html).split()) for _place, html in self.texts()),
            syndicated=self.origin is not None,
            translation_of=self.translation_of,
        )

    def texts(self) -> Iterator[tuple[str, str]]:
        yield "intro", self.intro
        for entry in self.entries:
            yield f"entries/{entry.id}/text", entry.text
            yield f"entries/{entry.id}/treatment", entry.treatment
        for section in self.sections:
            yield f"sections/{section.id}", section.text
        yield "tips_intro", self.tips_intro
        for tip in self.tips:
            yield f"tips/{tip.id}", tip.text
        yield "warning_signs_intro", self.warning_signs_intro
        yield "note", self.note
        yield "conclusion", self.conclusion

    def pictures(self) -> Iterator[tuple[str, PictureValue]]:
        if self.picture:
            yield "picture", self.picture
        for entry in self.entries:
            if entry.picture:
                yield f"entries/{entry.id}/picture", entry.picture

    def clinical(self) -> Any:
        return (
            self.emergency_heading,
            self.warning_signs_intro,
            self.warning_signs,
            [(entry.id, entry.urgency, entry.treatment) for entry in self.entries],
            self.evidence(),
        )

    def mentions(self) -> tuple[Mention, ...]:
        return tuple(
            Mention(uuid=entry.condition.uuid, edition=entry.condition.edition)
            for entry in self.entries
            if entry.condition
        )


class PageDocument(Document):
    """A page about the site itself: an editorial policy and the like."""

    SCHEMA: ClassVar[int] = 1
    SIGNED: ClassVar[bool] = False

    kind: Literal["page"]
    title: Text
    summary: Text = ""
    text: Html = ""

    def columns(self) -> Columns:
        return Columns(title=self.title, summary=self.summary, words=len(plain(self.text).split()))

    def texts(self) -> Iterator[tuple[str, str]]:
        yield "text", self.text

    def pictures(self) -> Iterator[tuple[str, PictureValue]]:
        yield from ()

    def clinical(self) -> Any:
        return ()
