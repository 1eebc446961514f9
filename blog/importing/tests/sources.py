"""Makes sources of every format for the tests of the readers."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from blog.importing.blocks import Problem, SourceArticle
from blog.importing.readers import read_bytes

WXR_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- An export of a site. -->
<rss version="2.0"
	xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>Old Site</title>
<link>https://old.example</link>
<language>en-US</language>
<wp:base_blog_url>https://old.example</wp:base_blog_url>
<wp:author><wp:author_login><![CDATA[anna]]></wp:author_login>
<wp:author_display_name><![CDATA[Anna Berg]]></wp:author_display_name></wp:author>
"""
WXR_END = "</channel>\n</rss>\n"
_W = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def read(data: bytes | str, name: str = "") -> tuple[list[SourceArticle], list[Problem]]:
    """What a source gives: its articles, and its problems."""
    items = list(read_bytes(data.encode() if isinstance(data, str) else data, name))
    articles = [item for item in items if isinstance(item, SourceArticle)]
    return articles, [item for item in items if isinstance(item, Problem)]


def only(data: bytes | str, name: str = "") -> SourceArticle:
    """The one article of a source that has no problem."""
    (article,), problems = read(data, name)
    assert not problems
    return article


def texts(article: SourceArticle) -> list[str]:
    return [block.text for block in article.blocks]


def meta(key: str, value: str) -> str:
    return (
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
    )


def post(number: int, content: str = "<p>Words of a post.</p>", more: str = "", **fields: str) -> str:
    """An item of an export of WordPress, on 14 lines."""
    said = {
        "title": f"Post {number}",
        "type": "post",
        "status": "publish",
        "excerpt": "",
        "gmt": "2019-05-01 10:00:00",
        "link": f"https://old.example/2019/05/post-{number}/",
    } | fields
    return f"""	<item>
		<title><![CDATA[{said["title"]}]]></title>
		<link>{said["link"]}</link>
		<pubDate>Wed, 01 May 2019 10:00:00 +0000</pubDate>
		<dc:creator><![CDATA[anna]]></dc:creator>
		<guid isPermaLink="false">https://old.example/?p={number}</guid>
		<content:encoded><![CDATA[{content}]]></content:encoded>
		<excerpt:encoded><![CDATA[{said["excerpt"]}]]></excerpt:encoded>
		<wp:post_id>{number}</wp:post_id>
		<wp:post_date_gmt><![CDATA[{said["gmt"]}]]></wp:post_date_gmt>
		<wp:post_type><![CDATA[{said["type"]}]]></wp:post_type>
		<wp:status><![CDATA[{said["status"]}]]></wp:status>{more}
	</item>
"""


def attachment(number: int, address: str, alt: str = "", caption: str = "") -> str:
    return (
        f"<item><title>file</title><guid>{address}</guid><wp:post_id>{number}</wp:post_id>"
        f"<wp:post_type>attachment</wp:post_type><wp:attachment_url>{address}</wp:attachment_url>"
        f"<excerpt:encoded>{caption}</excerpt:encoded>{meta('_wp_attachment_image_alt', alt)}</item>"
    )


def wxr(*items: str) -> str:
    return WXR_HEAD + "".join(items) + WXR_END


def rss(*items: str, head: str = "") -> str:
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Health News</title>'
        f"<link>https://feed.example/</link>{head}{''.join(items)}</channel></rss>"
    )


def atom(*entries: str, attributes: str = "") -> str:
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>Health News</title>'
        f"<id>urn:feed</id><author><name>Bo Lund</name></author>{''.join(entries)}</feed>"
    )


def zipped(files: dict[str, bytes | str], method: int = ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def paragraph(text: str = "", style: str = "", *, number: int = 0, runs: str = "", bold: bool = False) -> str:
    """A paragraph of Word: its text, then other runs."""
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if number:
        properties += f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{number}"/></w:numPr>'
    run = f'<w:r>{"<w:rPr><w:b/></w:rPr>" if bold else ""}<w:t xml:space="preserve">{text}</w:t></w:r>' if text else ""
    return f"<w:p><w:pPr>{properties}</w:pPr>{run}{runs}</w:p>"


def drawing(alt: str, relation: str = "rId1", attribute: str = "embed") -> str:
    return (
        f'<w:r><w:drawing><wp:inline><wp:docPr id="1" name="x" descr="{alt}"/><a:graphic><a:graphicData><pic:pic>'
        f'<pic:blipFill><a:blip r:{attribute}="{relation}"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )


def docx(body: str, parts: dict[str, bytes | str] | None = None) -> bytes:
    """A Word file with a picture (rId1), a linked one (rId2), a footnote (2) and a numbered list (1)."""
    styles = {"Title": "Title", "Ueberschrift1": "heading 1", "Heading2": "heading 2", "Caption": "caption"}
    files: dict[str, bytes | str] = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
            "</Types>"
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
        ),
        "word/document.xml": f'<?xml version="1.0"?><w:document {_W}><w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/image" Target="media/image1.png"/>'
            f'<Relationship Id="rId2" Type="{_OFFICE}/image" TargetMode="External" Target="http://127.0.0.1:9/x.png"/>'
            "</Relationships>"
        ),
        "word/styles.xml": f"<w:styles {_W}>"
        + "".join(
            f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
            for key, name in styles.items()
        )
        + "</w:styles>",
        "word/numbering.xml": (
            f'<w:numbering {_W}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/>'
            '</w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
        ),
        "word/footnotes.xml": (
            f'<w:footnotes {_W}><w:footnote w:id="2">{paragraph("A study of backs, 2019.")}</w:footnote></w:footnotes>'
        ),
        "word/media/image1.png": b"\x89PNG of a spine",
        "docProps/core.xml": (
            f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
            "<dc:title>Document1</dc:title><dc:creator>Anna Berg; Bo Lund</dc:creator>"
            "<cp:keywords>back, pain</cp:keywords><dcterms:created>2019-05-01T10:00:00Z</dcterms:created>"
            "</cp:coreProperties>"
        ),
    }
    return zipped(files | (parts or {}))
