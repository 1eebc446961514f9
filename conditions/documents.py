from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from publishing.documents import Columns, Document, Html, PictureValue, Text, Tip, Urgency
from publishing.richtext import plain


class ConditionDocument(Document):
    """A condition of the library: what its page says, and what articles show that name it."""

    SCHEMA: ClassVar[int] = 1

    kind: Literal["condition"]
    name: Text
    synonyms: tuple[Text, ...] = ()
    icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    body_area: str = ""
    urgency: Urgency
    summary: Text = ""
    picture: PictureValue | None = None
    what_it_is: Html = ""
    signs: Html = ""
    treatment: Html = ""
    complications: Html = ""
    tips: tuple[Tip, ...] = ()

    def columns(self) -> Columns:
        return Columns(
            title=self.name,
            summary=self.summary,
            picture=self.picture.content_hash if self.picture else "",
            body_area=self.body_area,
            urgency=self.urgency.value,
            other_names=self.synonyms,
            words=sum(len(plain(html).split()) for _place, html in self.texts()),
        )

    def texts(self) -> Iterator[tuple[str, str]]:
        yield "what_it_is", self.what_it_is
        yield "signs", self.signs
        yield "treatment", self.treatment
        yield "complications", self.complications
        for tip in self.tips:
            yield f"tips/{tip.id}", tip.text

    def pictures(self) -> Iterator[tuple[str, PictureValue]]:
        if self.picture:
            yield "picture", self.picture

    def clinical(self) -> Any:
        return self.urgency, self.signs, self.treatment, self.evidence()
