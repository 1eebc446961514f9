"""Word files are read with their headings, lists, pictures, notes and tables, and without what was deleted."""

from datetime import UTC, datetime

import pytest

from blog.importing.blocks import Kind, PictureRef, Style, UnreadableSource

from .sources import docx, drawing, only, paragraph, read, texts, zipped

pytestmark = pytest.mark.once


def test_headings_lists_and_paragraphs() -> None:
    article = only(
        docx(
            paragraph("Back pain", "Title")
            + paragraph("Causes", "Ueberschrift1")
            + paragraph("Strain", "Heading2")
            + paragraph("Bold.", bold=True)
            + paragraph("First", number=1)
            + paragraph("Second", number=1)
        ),
        "back.docx",
    )
    assert [(block.kind, block.level, block.number, block.text) for block in article.blocks] == [
        (Kind.HEADING, 1, None, "Back pain"),
        (Kind.HEADING, 2, None, "Causes"),
        (Kind.HEADING, 3, None, "Strain"),
        (Kind.PARAGRAPH, 0, None, "Bold."),
        (Kind.ITEM, 0, 1, "First"),
        (Kind.ITEM, 0, 2, "Second"),
    ]
    assert [block.line for block in article.blocks] == sorted({block.line for block in article.blocks})
    assert (article.format, article.identity) == ("docx", "file:back.docx")


def test_headings_keep_their_level_where_no_paragraph_is_a_title() -> None:
    article = only(docx(paragraph("Causes", "Ueberschrift1") + paragraph("Text.")))
    assert article.blocks[0].level == 1
    # What the file calls itself is of use only where its text has no title.
    assert article.meta.title == ""
    assert only(docx(paragraph("Text."))).meta.title == "Document1"


def test_what_the_file_says_of_itself() -> None:
    said = only(docx(paragraph("Text."))).meta
    assert (said.authors, said.tags) == (("Anna Berg", "Bo Lund"), ("back", "pain"))
    assert said.modified == datetime(2019, 5, 1, 10, tzinfo=UTC)
    # When a file was made is not when it was published.
    assert said.published is None


def test_pictures_come_along_with_their_words() -> None:
    article = only(docx(paragraph("Look:") + paragraph(runs=drawing("A spine"))))
    picture = article.blocks[-1].picture
    assert picture == PictureRef("word/media/image1.png", "A spine")
    assert article.open_file(picture.source) == b"\x89PNG of a spine"
    assert article.open_file("word/document2.xml") is None


def test_linked_and_missing_pictures_are_in_nobodys_way() -> None:
    linked, missing = drawing("Linked", "rId2", "link"), drawing("Missing")
    article = only(docx(paragraph("Text.", runs=linked)))
    assert article.blocks[0].text == "Text."
    broken = docx(paragraph("Text.", runs=missing)).replace(b"word/media/image1.png", b"word/media/image2.png")
    assert texts(only(broken))[0] == "Text."


def test_deleted_and_moved_text_is_gone_and_inserted_text_is_there() -> None:
    runs = (
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
    )
    assert texts(only(docx(paragraph("Text ", runs=runs)))) == ["Text new"]


def test_notes_tables_and_text_boxes() -> None:
    cell = "<w:tc>{}</w:tc>".format
    table = f"<w:tbl><w:tr>{cell(paragraph('Sign'))}{cell(paragraph('Why'))}</w:tr></w:tbl>"
    box = (
        "<w:r><w:pict><v:shape><v:textbox><w:txbxContent>"
        + paragraph("In a box.")
        + "</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    )
    note = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    article = only(docx(paragraph("Backs heal.", runs=note) + table + paragraph(runs=box)))
    assert texts(article) == ["Backs heal.[1]", "Sign | Why", "In a box.", "A study of backs, 2019."]
    links = [mark for mark in article.blocks[0].marks if mark.style == Style.LINK]
    assert [mark.href for mark in links] == ["#footnote-2"]
    assert article.blocks[-1].anchor == "footnote-2"


def test_the_digest_is_that_of_the_text() -> None:
    core = "<cp:coreProperties xmlns:cp='x'/>"
    one, two = docx(paragraph("Text.")), docx(paragraph("Text."), {"docProps/core.xml": core})
    assert only(one).digest == only(two).digest != only(docx(paragraph("Other."))).digest


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"word/document.xml": "<w:document"}, "damaged"),
        ({"word/document.xml": "<document/>"}, "damaged"),
        ({"word/document.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}, "DOCTYPE"),
        ({"word/document.xml": "<x>" * 300 + "</x>" * 300}, "nested too deeply"),
        ({"word/document.xml": f"<x>{'<y/>' * 60_001}</x>"}, "too long"),
        ({"word/styles.xml": b"\xff\xfe\0broken"}, "damaged"),
        ({"word/_rels/document.xml.rels": "<x>"}, "damaged"),
        ({"word/document.xml": b" " * 11_000_000 + b"<x/>"}, "from almost nothing"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused(parts: dict[str, bytes | str], message: str) -> None:
    with pytest.raises(UnreadableSource, match=message):
        read(docx(paragraph("Text."), parts))


def test_a_text_that_hides_in_a_file_of_another_kind_is_not_looked_at() -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/media/text.png"/></Relationships>'
    )
    with pytest.raises(UnreadableSource, match="damaged"):
        read(docx("", {"_rels/.rels": relations, "word/media/text.png": "<x>" * 200_000}))


def test_a_file_without_text_says_so() -> None:
    with pytest.raises(UnreadableSource, match="no text"):
        read(docx(""))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}, "LibreOffice"),
        ({"mimetype": "application/epub+zip"}, "e-book"),
        ({"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}, "table"),
        ({"Index/Document.iwa": "x"}, "Pages"),
    ],
)
def test_files_of_other_programs_say_what_to_do(files: dict[str, bytes | str], message: str) -> None:
    with pytest.raises(UnreadableSource, match=message):
        read(zipped(files))
