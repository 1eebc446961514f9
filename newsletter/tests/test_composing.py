"""The mails: their headers to the letter, what they say, and that no text of anybody's can break them."""

from __future__ import annotations

import email
import re
from datetime import UTC, date, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default as policy
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.html import escape
from playwright.sync_api import Page
from pytest_django import DjangoAssertNumQueries

from config.tests.factories import make_article, publish_draft, reword, sign
from newsletter import clock, identity, links, messages
from newsletter.composing import MailTemplate, Recipient, TooLarge, issue_mail, issue_parts, notice_mail
from newsletter.links import Purpose
from newsletter.messages import Marks, one_line
from newsletter.models import Delivery, Issue, IssueItem
from newsletter.words import words
from publishing.models import Edition, Publication, SiteSettings, Trust

pytestmark = pytest.mark.once

GOLDEN = Path(__file__).parent / "golden"
READER = Recipient(7, "reader@example.org", UUID(int=7))
NOTICES = [Delivery.Purpose.CONFIRM, Delivery.Purpose.REMIND, Delivery.Purpose.ALREADY, Delivery.Purpose.EXPORT,
           Delivery.Purpose.ERASE]  # fmt: skip
BULK = ["article", "correction", "digest", "by-hand"]
KINDS = [*BULK, "test", *NOTICES]
OPENING = (
    '<p>Dear readers, <a href="/articles/back-pain/">read this</a> &amp; <strong>that</strong>.</p>'
    "<ul><li><p>One</p></li><li><p>Two</p></li></ul><p>The end.</p>"
)


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> SiteSettings:
    """A moment that lasts, and a site that is no row of a database; the test may change it."""
    site = SiteSettings(
        pk=1, name="Bedside", publisher="Bedside Foundation, Leeds", contact="help@bedside.example", sender_name="Lamp"
    )
    monkeypatch.setattr(SiteSettings, "load", lambda: site)
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    monkeypatch.setattr(signing.TimestampSigner, "timestamp", lambda signer: "1xVAwe")
    return site


def make_item(title: str = "Back pain", *, correction: bool = False, **more: Any) -> IssueItem:
    """An article in an issue; neither is in a database."""
    values = {"slug": "back-pain", "summary": f"{title} in one sentence.", "words": 1000, "language": "en"}
    publication = Publication(kind="article", title=title, **values | more)
    edition = Edition(number=2, level="major", note="The dose was wrong.") if correction else None
    return IssueItem(publication=publication, edition=edition, correction=correction)


def make_issue(kind: str = "by-hand", **more: Any) -> Issue:
    values = {"subject": "Back pain", "language": "en", "made_at": clock.now()}
    return Issue(kind=kind, **values | more)


def make_mail(kind: str) -> MailTemplate:
    """A mail of each of KINDS."""
    if kind in NOTICES:
        return notice_mail(Delivery.Purpose(kind), "en")
    items = {
        "digest": [make_item(), make_item("Sore knees", slug="sore-knees", correction=True)],
        "correction": [make_item(correction=True)],
    }
    opening = OPENING if kind in ("by-hand", "test") else ""
    issue = make_issue("by-hand" if kind == "test" else kind, opening=opening)
    return issue_mail(issue, items.get(kind, [make_item()]), test=kind == "test")


def parse(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, _class=EmailMessage, policy=policy)


def parts(raw: bytes) -> tuple[str, str]:
    """The text and the HTML of a message, decoded."""
    found = [parse(raw).get_body((kind,)) for kind in ("plain", "html")]
    assert found[0]
    assert found[1]
    return found[0].get_content().replace("\r\n", "\n"), found[1].get_content().replace("\r\n", "\n")


def mail(kind: str) -> tuple[str, str]:
    return parts(make_mail(kind).personal(READER))


def urls_in(text: str) -> set[str]:
    return set(re.findall(r"https?://[^\s\"'<>()]+", text))


class Tags(HTMLParser):
    """Every tag and attribute of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: dict[str, list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")


# --- Headers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_headers_of_each_kind_of_mail_are_those_of_its_golden_file(kind: str) -> None:
    """Compared byte for byte, but for the line ends, which a checkout may change: time and tokens stand still here.

    To renew one on purpose, delete it: the test writes it and fails once.
    """
    head = make_mail(kind).personal(READER).partition(b"\r\n\r\n")[0].replace(b"\r\n", b"\n") + b"\n"
    golden = GOLDEN / f"{kind}.eml"
    if not golden.exists():
        golden.write_bytes(head)
        pytest.fail(f"{golden} is written. Look at it, then run the test again.")
    assert head == golden.read_bytes().replace(b"\r\n", b"\n")


@pytest.mark.parametrize("kind", BULK)
def test_bulk_mail_can_be_left_with_one_click_of_the_mail_program(kind: str) -> None:
    message = parse(make_mail(kind).personal(READER))
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = re.fullmatch(r"<(.*)>", message["List-Unsubscribe"].strip())
    assert url
    token = url[1].removeprefix(settings.SITE_URL + "/newsletter/unsubscribe/").removesuffix("/")
    assert links.read(Purpose.UNSUBSCRIBE, token) == READER.subscriber


def test_every_attempt_at_a_delivery_has_its_message_id_and_no_other_delivery_has() -> None:
    template = make_mail("digest")
    first, again, other = (
        parse(template.personal(Recipient(delivery, READER.address, READER.subscriber))) for delivery in (7, 7, 8)
    )
    for name in ("Message-ID", "Idempotency-Key"):
        assert first[name] == again[name] != other[name]
        assert identity.delivery_of(first[name]) == 7


def test_the_sender_is_the_sites_or_the_servers(still: SiteSettings) -> None:
    def sender() -> str:
        return str(parse(make_mail("article").personal(READER))["From"])

    assert sender() == "Lamp <letter@news.testserver.example>"
    still.sender_name, still.sender_address = "", "News@Bücher.example"
    assert sender() == "Bedside <news@xn--bcher-kva.example>"
    still.sender_address = "not an address"
    assert sender() == "Bedside <letter@news.testserver.example>"


@pytest.mark.parametrize(
    "address",
    [
        "reader@example.org\r\nBcc: other@example.org",
        "reader@example.org\n",
        "reader@example.org, other@example.org",
        "Reader <reader@example.org>",
        "reader@example.org>",
        "rëader@example.org",
        "a b@example.org",
        "nobody",
        "",
    ],
)
def test_what_is_no_single_address_gets_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        make_mail("confirm").personal(Recipient(7, address, READER.subscriber))


def test_a_mail_with_personal_links_is_made_for_somebody() -> None:
    with pytest.raises(ValueError, match="no subscriber"):
        make_mail("article").personal(Recipient(7, READER.address, None))


# --- Personal parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_hold_the_same_links_and_all_of_them_lead_to_this_site(kind: str) -> None:
    text, html = mail(kind)
    found = {url.rstrip("/") for url in urls_in(text)}
    assert found == {url.rstrip("/") for url in urls_in(html)}
    assert all(url.startswith(settings.SITE_URL) for url in found)
    for url in found:
        if "/newsletter/" in url:
            purpose, token = url.removeprefix(f"{settings.SITE_URL}/newsletter/").split("/")
            assert links.read(Purpose(purpose), token) == READER.subscriber


@pytest.mark.parametrize("column", range(0, 90))
def test_a_personal_part_is_whole_wherever_in_a_line_it_stands(column: int) -> None:
    marks = Marks()
    url = marks.url(Purpose.CHOICES)
    before, after = "ö=." * (column // 3) + "." * (column % 3), ".=ö end\n.\n"
    template = MailTemplate(
        subject="x", text=f"{before}{url}{after}", html=url, sender=("", "a@b.example"),
        at=datetime(2026, 1, 1, tzinfo=UTC), headers=[], marks=marks,
    )  # fmt: skip
    raw = template.personal(READER)
    assert READER.subscriber
    link = links.url(Purpose.CHOICES, links.token(Purpose.CHOICES, READER.subscriber))
    text, html = parts(raw)
    assert text == f"{before}{link}{after}"
    assert html.strip() == link
    assert max(len(line) for line in raw.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76


def test_two_readers_mails_differ_in_nothing_but_what_is_theirs() -> None:
    template = make_mail("digest")
    other = Recipient(8, "other@example.org", UUID(int=8))
    mails = []
    for reader in (READER, other):
        assert reader.subscriber
        raw = template.personal(reader).replace(b"=\r\n", b"")
        for purpose in (Purpose.CHOICES, Purpose.UNSUBSCRIBE):
            assert raw.count(links.token(purpose, reader.subscriber).encode()) >= 2
            raw = raw.replace(links.token(purpose, reader.subscriber).encode(), b"TOKEN")
        mails.append(raw.replace(identity.token(reader.delivery).encode(), b"ID").replace(reader.address.encode(), b""))
    assert mails[0] == mails[1]


# --- What they say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_mail_says_why_it_comes_who_sends_it_and_in_which_language(kind: str) -> None:
    text, html = mail(kind)
    for part in (" ".join(text.split()), html):
        assert "You get this mail because" in part
        assert "Published by Bedside Foundation, Leeds." in part
        assert "help@bedside.example" in part
    assert '<html lang="en" dir="ltr">' in html


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_has_a_picture_a_script_a_form_or_anything_that_is_fetched(kind: str) -> None:
    _text, html = mail(kind)
    tags = Tags(html)
    assert not tags.names & {"img", "script", "form", "input", "iframe", "object", "link", "video", "svg", "base"}
    assert not set(tags.attributes) & {"src", "srcset", "background", "poster", "onclick", "onload"}
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_is_cut_off_by_mail_programs_and_its_lines_are_short(kind: str) -> None:
    raw = make_mail(kind).personal(READER)
    assert len(raw) < 20_000
    assert all(len(line) <= 72 or line.startswith("http") for line in parts(raw)[0].splitlines())


def test_a_new_article_is_mailed_with_what_its_page_says_of_its_review() -> None:
    reviewed = make_item(trust=Trust.REVIEWED, reviewer_name="Rita Reviewer, MD", reviewed_on=date(2026, 5, 3))
    overdue = make_item(trust=Trust.OVERDUE, reviewer_name="Rita Reviewer, MD", trust_until=date(2026, 5, 3))
    sentences = {
        "Rita Reviewer, MD signed exactly this text on 3 May 2026.": reviewed,
        "The review was due again on 3 May 2026. It may be out of date.": overdue,
        "No clinician has signed this text yet. Read it with care.": make_item(),
    }
    for sentence, item in sentences.items():
        subject, text, html = issue_parts(make_issue("article"), [item])
        assert subject == "Back pain"
        assert sentence in text
        assert sentence in html
        assert "Back pain in one sentence." in text
        assert "Read it (4 minutes)" in html


@pytest.mark.django_db
def test_the_emergencies_of_an_article_stand_above_its_summary() -> None:
    article = make_article(signs=2)
    sign(article)
    edition = publish_draft(article)
    item = IssueItem(publication=Publication.objects.select_related("live").get(), edition=edition)
    _subject, text, html = issue_parts(make_issue("article"), [item])
    for part in (text, html):
        heading, one, summary = (
            part.index(words)
            for words in ("Call 112 now if any of these applies", "Warning sign 1", "Back pain in two sentences")
        )
        assert heading < one < summary
    _subject, text, _html = issue_parts(make_issue("digest"), [item, make_item()])
    assert "Call 112" not in text


def test_a_correction_says_what_changed_and_where_to_compare() -> None:
    text, html = mail("correction")
    for part in (text, html):
        assert "What changed:" in part
        assert "The dose was wrong." in part
        assert f"{settings.SITE_URL}/articles/back-pain/editions/" in part


def test_in_a_digest_corrections_are_told_from_new_articles() -> None:
    text, html = mail("digest")
    assert "Correction: Sore knees" in text
    assert "Correction: Back pain" not in text
    assert html.count("What changed:") == 1


def test_a_digests_subject_names_what_this_reader_gets() -> None:
    items = [make_item("Sore knees"), make_item("Asthma"), make_item("Acne")]
    issue = make_issue("digest", subject="Back pain, and 7 more")
    assert issue_parts(issue, items)[0] == "Sore knees, and 2 more"
    assert issue_parts(issue, items[1:2])[0] == "Asthma"


@pytest.mark.parametrize(("letter", "most"), [("a", 30), ("Ä", 12), ("健", 8)])
def test_a_long_digest_names_its_last_articles_by_their_titles_only(letter: str, most: int) -> None:
    items = [make_item(f"Article {number}", slug=f"a{number}", summary=letter * 5000) for number in range(1, 61)]
    raw = issue_mail(make_issue("digest"), items).personal(READER)
    text, html = parts(raw)
    assert len(raw) < messages.LARGEST
    for number in range(1, 61):
        assert f"{settings.SITE_URL}/articles/a{number}/\n" in text
        assert f'/articles/a{number}/"' in html
    assert 3 < text.count(f"{letter * 699}…\n") < most


def test_what_mail_programs_would_cut_off_is_refused_with_a_sentence() -> None:
    with pytest.raises(TooLarge, match=r"The mail would be \d+ KB long"):
        issue_mail(make_issue(opening=f"<p>{'word ' * 12_000}</p>"), [])


def test_the_opening_text_of_an_issue_is_readable_in_both_parts() -> None:
    text, html = mail("by-hand")
    assert f"Dear readers, read this ({settings.SITE_URL}/articles/back-pain/) & that." in text
    assert "- One\n- Two\n\nThe end." in text
    assert f'<a href="{settings.SITE_URL}/articles/back-pain/"' in html
    assert "<strong>that</strong>" in html


def test_what_the_allow_list_does_not_name_is_not_mailed() -> None:
    dangerous = '<p onclick="x()">Hello<script>alert(1)</script><img src="https://t.example/p.gif"></p>'
    _text, html = parts(issue_mail(make_issue(opening=dangerous), []).personal(READER))
    assert "Hello" in html
    assert not Tags(html).names & {"script", "img"}
    assert "onclick" not in html


@pytest.mark.parametrize("kind", ["confirm", "remind"])
def test_who_confirms_is_shown_the_words_they_agree_to_and_no_other_link(kind: str) -> None:
    text, html = mail(kind)
    assert words("en") in " ".join(text.split())
    assert words("en") in html
    for part in (text, html):
        pages = {url.split("/")[4] for url in urls_in(part) if "/newsletter/" in url}
        assert pages == {"confirm"}


@pytest.mark.parametrize(
    ("kind", "page"), [("already", "choices"), ("export", "export"), ("erase", "erase"), ("confirm", "confirm")]
)
def test_the_button_of_a_notice_leads_to_its_page(kind: str, page: str) -> None:
    _text, html = mail(kind)
    button = re.search(r'class="button"\s+href="([^"]*)"', html)
    assert button
    assert button[1].startswith(f"{settings.SITE_URL}/newsletter/{page}/")


def test_only_notices_are_made_without_an_issue() -> None:
    for purpose in (Delivery.Purpose.ISSUE, Delivery.Purpose.TEST):
        with pytest.raises(KeyError):
            notice_mail(purpose, "en")


def test_a_test_says_so_and_has_nobodys_links() -> None:
    raw = make_mail("test").personal(Recipient(7, READER.address, None))
    message = parse(raw)
    assert message["Subject"] == "[Test] Back pain"
    assert message["List-Unsubscribe"] is None
    assert settings.SITE_URL + reverse("newsletter:subscribe") in urls_in(parts(raw)[0])


def test_a_preview_is_the_mail_with_links_that_are_nobodys() -> None:
    issue, items = make_issue(opening=OPENING), [make_item()]
    _subject, text, html = issue_parts(issue, items)
    mailed_text, mailed_html = parts(issue_mail(issue, items).personal(READER))

    def nobodys(part: str) -> str:
        return re.sub(r"/newsletter/(choices|unsubscribe)/[^/]+/", reverse("newsletter:subscribe"), part)

    assert nobodys(mailed_text) == text
    assert nobodys(mailed_html).strip() == html.strip()


def test_mail_is_in_the_language_of_its_readers() -> None:
    german = notice_mail(Delivery.Purpose.CONFIRM, "de").personal(READER)
    assert parse(german)["Content-Language"] == "de"
    assert '<html lang="de"' in parts(german)[1]
    assert words("de") in parts(german)[1]
    assert parse(notice_mail(Delivery.Purpose.CONFIRM, "tlh").personal(READER))["Content-Language"] == "en"


@pytest.mark.django_db
def test_making_a_mail_for_a_reader_asks_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    template = make_mail("digest")
    with django_assert_num_queries(0):
        template.personal(READER)


@pytest.mark.django_db
def test_a_correction_is_told_by_the_note_of_its_own_edition() -> None:
    article = make_article()
    publish_draft(article)
    edition = publish_draft(reword(article), note="The dose was wrong.")
    publish_draft(reword(article, "newer words"), note="A comma.", level="minor")  # type: ignore[arg-type]
    item = IssueItem(publication=Publication.objects.select_related("live").get(), edition=edition, correction=True)
    _subject, text, _html = issue_parts(make_issue("correction"), [item])
    assert "What changed: The dose was wrong." in text
    assert "A comma." not in text


@pytest.mark.browser
# Both widths and both schemes in every run, all four pairs in the long one.
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (700, "light"),
        (390, "dark"),
        pytest.param(700, "dark", marks=pytest.mark.long),
        pytest.param(390, "light", marks=pytest.mark.long),
    ],
)
def test_no_mail_has_a_fault_that_axe_finds_or_is_wider_than_its_screen(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for kind in KINDS:
        page.set_content(mail(kind)[1])
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, f"{kind}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, kind


# --- Whatever anybody typed (R19) ------------------------------------------------------------------------------

NASTY = [
    "\r\n", "\n", "\r", "\0", "\x0b", "\x1f", "\x85", "\u2028", "\u2029", "\ud800", "\ufeff", "\u200b", "\ue000",
    "\r\nBcc: evil@example.org", "\nSubject: evil", "\r\n\r\n<h1>evil</h1>", "\r\n.\r\nMAIL FROM:<>",
    "\n--=_text-and-html",
    "=?utf-8?q?=0D=0ABcc:_evil?=", "=?utf-8?b?DQo=?=", "=?", "?=", "=0D=0A", "%0d%0a", "=\r\n", "=_text-and-html",
    "A" * 5000, "ü" * 5000, "word " * 1000, "😀" * 400, "👩🏽‍⚕️", "e\u0301", "\u202eלאב", "שלום עולם", "مرحبا", "健康",
    '"', "'", "\\", "<", ">", ",", ";", ":", "@", "(", ")", "[", "]", "&", "{{ x }}", "{% x %}", "%(site)s", "%s",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<style>", "<!--", "]]>", "&#13;&#10;", ".", "..",
    "a", "b c", " ", "  ", "\t", "Grüße", "https://evil.example/", "javascript:alert(1)",
]  # fmt: skip


def nasty(random: Random) -> str:
    return "".join(random.choices(NASTY, k=random.choice([0, 1, 2, 3, 6, 12])))


def squeezed(text: str) -> str:
    """A text without what wrapping changes."""
    return "".join(text.split())


def check_wire(raw: bytes) -> None:
    """What every server must be able to take (RFC 5321, 4.5.3.1.6; RFC 5322, 2.1.1)."""
    assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw) is None
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    head, _end, body = raw.partition(b"\r\n\r\n")
    assert head.isascii()
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    assert body.count(b"\r\n--" + messages.BOUNDARY.encode()) == 3 - body.startswith(b"--")


def header_names(raw: bytes) -> list[str]:
    return [name for name, _value in email.message_from_bytes(raw).items()]


def decoded(value: str) -> str:
    """A header as mail programs show it: the standard library's new parser puts spaces between encoded words."""
    return str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", value))))


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(5, 20))])
def test_nothing_that_anybody_types_makes_a_header_or_breaks_a_mail(seed: int, still: SiteSettings) -> None:
    """A hundred mails a seed. The seed is in the name of the case: run that case alone to see it again."""
    random = Random(seed)
    plain = {kind: header_names(make_mail(kind).personal(READER)) for kind in KINDS}
    for _case in range(100):
        still.name, still.publisher, still.sender_name = nasty(random), nasty(random), nasty(random)
        still.contact, still.sender_address = nasty(random), nasty(random)
        language, kind = random.choice(["en", "de", nasty(random)]), random.choice(KINDS)
        subject, title, summary = nasty(random), nasty(random), nasty(random)
        if kind in NOTICES:
            template = notice_mail(Delivery.Purpose(kind), language)
        else:
            item = make_item(title, summary=summary, reviewer_name=nasty(random), trust=random.choice(Trust.values))
            item.correction, item.edition = kind == "correction", Edition(number=2, note=nasty(random))
            issue = make_issue("by-hand" if kind == "test" else kind, subject=subject, language=language)
            issue.opening = nasty(random)[:5000]
            template = issue_mail(issue, [item], test=kind == "test")
        raw = template.personal(READER)
        check_wire(raw)

        # Only what needs a valid address may be missing.
        optional = {"Reply-To", "List-Help", "List-Owner"}
        assert [name for name in header_names(raw) if name not in optional] == [
            name for name in plain[kind] if name not in optional
        ]
        old = email.message_from_bytes(raw)
        assert old["To"] == READER.address
        assert email.utils.parseaddr(old["From"].replace("\r\n", ""))[1] == settings.DEFAULT_FROM_EMAIL
        name = one_line(still.sender_name, 80) or one_line(still.name, 80)
        shown = decoded(email.utils.parseaddr(re.sub(r"\r\n(?=[ \t])", "", old["From"]))[0])
        assert shown == name

        text, html = parts(raw)
        tags = Tags(html)
        assert not tags.names & {"script", "img", "iframe", "form"}
        assert all(
            href.startswith((settings.SITE_URL, "mailto:")) or href in still.name for href in tags.attributes["href"]
        )
        if kind not in NOTICES:
            wanted = one_line(title if kind == "digest" else subject, 110 if kind == "digest" else 200)
            assert decoded(old["Subject"]).endswith(one_line(f"[Test] {wanted}" if kind == "test" else wanted))
            assert squeezed(one_line(title)) in squeezed(text)
            assert escape(one_line(title)) in html


@pytest.mark.parametrize("seed", range(4))
def test_a_recipients_address_is_refused_or_is_the_one_in_the_header(seed: int) -> None:
    random = Random(seed)
    template = make_mail("confirm")
    for _case in range(250):
        address = random.choice(["", "reader"]) + nasty(random)[:300] + random.choice(["", "@", "@example.org"])
        try:
            raw = template.personal(Recipient(7, address, READER.subscriber))
        except ValueError:
            continue
        check_wire(raw)
        assert email.message_from_bytes(raw)["To"].strip() == address
        assert header_names(raw) == header_names(template.personal(READER))
