"""Every component in every state, light and dark side by side: a page for developers, made of the pages' own parts.

Nothing here is saved or read from the database but the frame around the page and, for cards, a picture.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from blog.documents import ArticleDocument, Entry, Section, ShownCondition
from conditions.views import Area
from images.models import Picture
from newsletter.forms import SubscribeForm
from publishing.comparison import Change, Op
from publishing.documents import Person, Source, Tip, Urgency, WarningSign
from publishing.models import BodyArea, Contributor, Edition, Level, Publication, Trust
from publishing.pages import EntryView, PersonLink
from publishing.reports import ReportForm

Colour = tuple[int, int, int]

# What text stands on, for every colour of text: 7:1 in both themes (WCAG 2.2, 1.4.6).
PAPERS = ("paper", "surface", "sunk")
TEXT: dict[str, tuple[str, ...]] = {
    "ink": (*PAPERS, "teal-wash", "amber-wash", "added", "removed"),
    "soft": (*PAPERS, "teal-wash", "amber-wash"),
    "teal": (*PAPERS, "teal-wash"),
    "amber": ("paper", "surface", "amber-wash"),
    "on-teal": ("teal",),
    "red-ink": ("red",),
    "red": ("red-ink",),
    "paper": ("ink",),
}
# The edges of what one operates: 3:1 (1.4.11).
EDGES: dict[str, tuple[str, ...]] = {"edge": PAPERS, "focus": (*PAPERS, "teal-wash", "amber-wash")}

_TOKEN = re.compile(r"--([a-z-]+): (light-dark\(.*?\)|#[0-9a-f]+);")
_REFERENCE = re.compile(r'\b(id|for|aria-labelledby|aria-describedby|popovertarget)="([^"]+)"|\bhref="#([^"]+)"')


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    parts = render_to_string("styleguide/parts.html", parts_context(), request)
    article = main_of(render_to_string("blog/article_detail.html", article_context(), request))
    forms = [
        main_of(render_to_string(template, {"form": form}, request))
        for template, form in (
            ("newsletter/subscribe.html", SubscribeForm({"address": "nobody@nowhere"})),
            ("publishing/report.html", ReportForm({"text": ""})),
        )
    ]
    sides = [
        (name, both_sides(parts, name), [both_sides(html, f"{number}-{name}") for number, html in enumerate(forms)])
        for name in ("light", "dark")
    ]
    articles = [(name, both_sides(article, f"article-{name}")) for name in ("light", "dark")]
    anchors = re.findall(r'<section class="sg" id="([^"]+)" aria-label="([^"]+)"', parts)
    context = {"sides": sides, "articles": articles, "anchors": anchors, "pairs": pairs()}
    return render(request, "styleguide/styleguide.html", context)


def both_sides(html: str, side: str) -> SafeString:
    """The HTML with IDs, and all that names one, made unlike those of the other side."""

    def marked(found: re.Match[str]) -> str:
        if found[3]:
            return f'href="#{found[3]}-{side}"'
        return f'{found[1]}="{" ".join(f"{name}-{side}" for name in found[2].split())}"'

    return mark_safe(_REFERENCE.sub(marked, html))  # rendered by templates, which escape


def main_of(html: str) -> str:
    """What stands in the `<main>` of a page."""
    return html.partition("<main")[2].partition(">")[2].partition("</main>")[0]


# --- Colours -----------------------------------------------------------------------------------------------------


@cache
def colours(theme: int) -> dict[str, Colour]:
    """The colour tokens of a theme, 0 for light and 1 for dark, as red, green and blue."""
    found = {}
    for name, value in _TOKEN.findall((settings.BASE_DIR / "static/css/tokens.css").read_text()):
        codes = re.findall(r"#[0-9a-f]+", value)
        code = codes[min(theme, len(codes) - 1)].lstrip("#")
        code = code if len(code) == 6 else "".join(c * 2 for c in code)
        found[name] = (int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16))
    return found


def luminance(colour: Colour) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    red, green, blue = (c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def pairs() -> list[tuple[str, str, int, float, float]]:
    """Every pair of tokens that meet: above, below, the least contrast, and that in light and in dark."""
    light, dark = colours(0), colours(1)
    return [
        (above, below, least, contrast(light[above], light[below]), contrast(dark[above], dark[below]))
        for least, table in ((7, TEXT), (3, EDGES))
        for above, belows in table.items()
        for below in belows
    ]


# --- What the parts show -----------------------------------------------------------------------------------------

LONG = "Lumbosacral radiculopathy with progressive weakness of the foot after a long day of standing"
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)


def publication(trust: Trust, **fields: Any) -> Publication:
    """A publication that is not saved, in a state of trust."""
    defaults = {
        "kind": "article",
        "slug": "sample",
        "title": "Why a leg goes numb",
        "summary": "Most numb legs wake up in minutes. Here is when to look closer.",
        "words": 1200,
        "first_published": NOW,
        "listed_at": NOW,
        "trust": trust,
    }
    if trust != Trust.NOT_REVIEWED:
        defaults |= {
            "reviewer": Contributor(name="Ada Okafor", slug="ada-okafor", credentials="MD", medical=True),
            "reviewer_name": "Ada Okafor, MD",
            "reviewed_on": date(2026, 11, 3),
            "trust_until": date(2026, 10, 1) if trust == Trust.OVERDUE else date(2028, 11, 3),
        }
    made = Publication(**(defaults | fields))
    made.live = Edition(number=3, level=Level.MAJOR, note="A dose was corrected.", published_at=NOW, pk=1)
    return made


def parts_context() -> dict[str, Any]:
    picture = Picture.objects.order_by("pk").first()
    return {
        "tokens": list(colours(0)),
        "trusts": [publication(trust) for trust in Trust],
        "cards": [
            publication(Trust.REVIEWED, picture=picture),
            publication(Trust.NOT_REVIEWED, title=LONG, summary="", words=0),
            publication(Trust.OVERDUE, picture=picture, language="de", title="Bandscheibenvorfall"),
        ],
        "urgencies": list(Urgency),
        "areas": [Area(area.value, str(area.label), number) for number, area in enumerate(BodyArea, start=1)],
        "drawings": sorted(path.name for path in (settings.BASE_DIR / "templates/includes/drawings").glob("*.svg")),
        "icons": sorted(path.name for path in (settings.BASE_DIR / "templates/includes/icons").glob("*.svg")),
        "crumbs": [("Start page", "/"), ("Conditions A–Z", "/conditions/"), ("Here", "/")],  # noqa: RUF001
        "letters": [*"ABCDEFGH", "#"],
        "older": "key",
        "words": "Nothing has been published yet.",
        "changes": [Change(Op.CHANGED, "treatment", "Treatment", "Take two a day.", "Take one a day.")],
    }


def article_context() -> dict[str, Any]:
    """An article with one of everything, as its page takes it."""
    author = Person(uuid="1", name="Mara Lindqvist", credentials="MSc")
    text = "<p>The soft core of a disc presses on a nerve [@a]. It <strong>mostly</strong> passes.</p>"
    samples = (("Herniated disc", Urgency.SEE_A_DOCTOR), (LONG, Urgency.URGENT), ("Stroke", Urgency.EMERGENCY))
    entries = tuple(
        Entry(
            id=str(number),
            group="From the back" if number == 1 else "",
            heading=heading,
            text=text,
            treatment="<p>Moving, and pain relief [@b].</p>",
            condition=ShownCondition(uuid="2", edition=1, name=heading, synonyms=("slipped disc",), urgency=urgency),
            urgency=urgency,
        )
        for number, (heading, urgency) in enumerate(samples, start=1)
    )
    document = ArticleDocument(
        kind="article",
        schema=1,
        uuid="3",
        language="en",
        form="conditions",
        title="Why a leg goes numb",
        summary="Most numb legs wake up in minutes. Here is when to look closer.",
        topic="a numb leg",
        intro=text,
        entries_heading="Three causes",
        entries=entries,
        sections=(Section(id="s", heading="What to expect", text="<ul><li>Days</li><li>Weeks</li></ul>"),),
        tips_heading="How to prevent it",
        tips=tuple(Tip(id=str(n), name=f"Tip {n}", text="<p>Stand up for two minutes.</p>") for n in (1, 2, 3)),
        warning_signs_heading="When to see a doctor",
        warning_signs=tuple(WarningSign(id=u.value, text="numbness that does not pass", urgency=u) for u in Urgency),
        conclusion_heading="In short",
        conclusion="<p>Move, and come back if it stays.</p>",
        funding="None",
        conflicts="None",
        authors=(author,),
        citations=(
            Source(
                key="a", kind="guideline", title="Low back pain", publisher="NICE", year=2020, url="https://a.example"
            ),
            Source(key="b", kind="review", title="Discs", authors="Doe J et al.", year=2019, doi="10.1000/1"),
        ),
    )
    shown = publication(Trust.MINOR_CHANGES)
    return {
        "document": document,
        "publication": shown,
        "edition": shown.live,
        "preview": False,
        "is_live": True,
        "authors": [PersonLink(author, "/people/")],
        "entries": [EntryView(n, f"entry-{n}", entry, "/conditions/", n == 1) for n, entry in enumerate(entries, 1)],
        "cited_at": {"a": "introduction"},
        "signs": {u.name.lower(): [s for s in document.warning_signs if s.urgency == u] for u in Urgency},
        "pictures": {},
        "tags": [],
        "evidence": [("Guideline", 1), ("Systematic review", 1)],
        "language": "en",
        "related": [publication(Trust.REVIEWED)],
    }
