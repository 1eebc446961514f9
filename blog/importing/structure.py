"""Finds the structure of an article in its blocks: what is a condition, and what is not.

It goes by position, repetition, neighbours and wording, never by the format. To invent a
condition is the worst mistake: what is not clearly one stays a section, and the report says so.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from django.utils.translation import gettext as _

from .blocks import Block, Kind, SourceArticle
from .furniture import key, set_aside, take_title
from .html import to_html
from .language import DEFAULT_LANGUAGE, Words, guess_language, words_for
from .ledger import Ledger
from .parts import (
    About,
    Element,
    Part,
    bulleted_list,
    has_treatment,
    is_label,
    leave_strays,
    numbered_lists,
    passages,
    settle,
    split_parts,
    verdict,
)
from .pieces import Corrections
from .report import report_text
from .result import (
    ArticleKind,
    Entry,
    Origin,
    Piece,
    PlacedPicture,
    Reason,
    Report,
    Role,
    Section,
    Sign,
    Structure,
    Tip,
    Understood,
    Urgency,
)

__all__ = ["Understood", "find_structure", "find_topic", "propose_urgency", "report_text", "understand"]

# An untreated entry is about health if it uses this many words of the list.
_HEALTH_WORDS = 2
# Headings without numbers are conditions only if so many of them tell a treatment.
_UNNUMBERED_MIN = 3
_TIP_NAME_LENGTH = 120
_COUNT = re.compile(r"(?<!\w)\d{1,3}(?!\w)")
_ACRONYM = re.compile(r"\w*[A-Z0-9]\w*[A-Z0-9]\w*")


@dataclass(slots=True)
class _Finder:
    """The structure while it grows, and the ledger of what went into it."""

    ledger: Ledger
    words: Words
    title: str = ""
    is_grouped: bool = False
    intro: list[Block] = field(default_factory=list)
    entries_heading: str = ""
    entries: list[Entry] = field(default_factory=list)
    tips_heading: str = ""
    tips_intro: list[Block] = field(default_factory=list)
    tips: list[Tip] = field(default_factory=list)
    signs_heading: str = ""
    signs_intro: list[Block] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    note: list[Block] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    conclusion_heading: str = ""
    conclusion: list[Block] = field(default_factory=list)


def find_structure(blocks: Iterable[Block], language: str = DEFAULT_LANGUAGE) -> tuple[Structure, Report]:
    """Find what the blocks of one article are.

    Takes the blocks of a reader and the language of the article, whose word lists are used.
    Returns the structure and the report, in which every block is either taken or left out.
    """
    words = words_for(language)
    ledger = Ledger(settle(blocks, words))
    content, origin = set_aside(ledger, words)
    title, content = take_title(content, origin, ledger, words)
    content, captions = leave_strays(content, title, ledger, words)
    parts = split_parts(content, words)

    one_condition = _is_about_one_condition(parts, title, words)
    lists = {id(part): _conditions_in(part, title, one_condition, words) for part in parts}
    lists |= _unnumbered_conditions(parts, title, words)
    kind = ArticleKind.CONDITIONS if any(lists.values()) else ArticleKind.PLAIN
    groups = [part for part in parts if lists[id(part)] and part.about == About.CONDITIONS]
    finder = _Finder(ledger, words, title, is_grouped=len(groups) > 1)
    for part in parts:
        _add_part(finder, part, lists[id(part)], kind)
    _remark(finder, parts, lists)
    structure = _structure(finder, kind, origin, captions)
    return structure, Report(structure, ledger.outcomes(), tuple(ledger.remarks))


def _structure(finder: _Finder, kind: ArticleKind, origin: Origin | None, captions: list[str]) -> Structure:
    return Structure(
        kind=kind,
        title=finder.title,
        topic=find_topic(finder.title, finder.words) if finder.entries else "",
        intro=to_html(finder.intro),
        entries_heading=finder.entries_heading,
        entries=tuple(finder.entries),
        tips_heading=finder.tips_heading,
        tips_intro=to_html(finder.tips_intro),
        tips=tuple(finder.tips),
        signs_heading=finder.signs_heading,
        signs_intro=to_html(finder.signs_intro),
        signs=tuple(finder.signs),
        note=to_html(finder.note),
        sections=tuple(finder.sections),
        conclusion_heading=finder.conclusion_heading,
        conclusion=to_html(finder.conclusion),
        origin=origin,
        picture_captions=tuple(captions),
    )


def find_topic(title: str, words: Words) -> str:
    """Return what the conditions cause, as the title says: "back pain and leg weakness", or ""."""
    topic = words.after("list.topic", title)
    topic = words.before("list.topic_end", topic).strip(" .,")
    return " ".join(w if _ACRONYM.fullmatch(w) else w.lower() for w in topic.split())


def propose_urgency(text: str, words: Words) -> Urgency:
    """Propose how urgent a warning sign is, from its wording; an editor confirms it."""
    if words.within("urgency.emergency", text):
        return Urgency.EMERGENCY
    return Urgency.URGENT if words.within("urgency.urgent", text) else Urgency.SEE_A_DOCTOR


# --- Is it a list of conditions? ---


def _is_about_one_condition(parts: list[Part], title: str, words: Words) -> bool:
    """Tell whether the article has one part for the symptoms, one for the treatment, and so on.

    The causes it lists are then those of its condition; they are entries only if treated each.
    """
    if verdict(title, words) > 0:
        return False
    return any(part.heading and part.about == About.OTHER and is_label(part.heading, words) for part in parts)


def _conditions_in(part: Part, title: str, one_condition: bool, words: Words) -> list[Element]:
    """Return the elements of the part's numbered list if they are conditions, else nothing."""
    if part.about in (About.TIPS, About.SIGNS, About.CONCLUSION):
        return []
    above = part.heading.text if part.heading else title
    for elements in numbered_lists(part.body):
        if _are_conditions(elements, above, title, one_condition, words):
            # What follows is in the last of them, a list inside its treatment for one.
            end = next(i for i, b in enumerate(part.body) if b is elements[-1].head)
            elements[-1].body = part.body[end + 1 :]
            return elements
    return []


def _are_conditions(elements: list[Element], above: str, title: str, one_condition: bool, words: Words) -> bool:
    if words.within("list.never", above) or words.within("list.never", title):
        return False
    if not _are_named_and_told(elements) or not _is_about_health(elements, words):
        return False
    says = verdict(elements[0].head.marker, words) or verdict(above, words)
    treated = sum(1 for element in elements if has_treatment(_told(element), words))
    mostly_treated = treated >= 2 and treated * 2 > len(elements)
    if says > 0:
        return mostly_treated or not one_condition
    if says < 0 or verdict(title, words) < 0:
        # "How to treat 8 causes of …" is a list of conditions only if it tells their treatments.
        return mostly_treated and words.within("list.conditions", above)
    counted = _COUNT.search(title)
    announced = counted and int(counted[0]) == len(elements) and verdict(title, words) > 0
    return mostly_treated or bool(announced)


def _are_named_and_told(elements: list[Element]) -> bool:
    names = [element.name_and_rest()[0] for element in elements]
    told = sum(1 for element in elements if _told(element))
    return all(names) and len(set(map(key, names))) == len(names) and told * 2 >= len(elements)


def _is_about_health(elements: list[Element], words: Words) -> bool:
    def speaks_of_it(element: Element) -> bool:
        text = " ".join([element.head.text, *(block.text for block in element.body)])
        treated = has_treatment(_told(element), words)
        return treated or words.count("list.health", text) >= _HEALTH_WORDS

    return sum(map(speaks_of_it, elements)) * 2 >= len(elements)


def _told(element: Element) -> list[Block]:
    """Return what an element says besides its name."""
    rest = _name(element)[1]
    return [*([Block(Kind.PARAGRAPH, rest, element.head.line)] if rest else []), *element.body]


def _name(element: Element) -> tuple[str, str]:
    name, rest = element.name_and_rest()
    # "3. Migraine: more than a headache" above a paragraph of its own is a name as a whole.
    text = element.head.text
    if rest and element.body and len(text) <= _TIP_NAME_LENGTH and text[-1].isalnum():
        return text, ""
    return name, rest


def _unnumbered_conditions(parts: list[Part], title: str, words: Words) -> dict[int, list[Element]]:
    """Return the parts that are one condition each: headings without numbers, each treated."""
    treated = [part for part in parts if part.heading and part.about == About.OTHER and has_treatment(part.body, words)]
    if len(treated) < _UNNUMBERED_MIN or verdict(title, words) < 0:
        return {}
    return {id(part): [Element(part.heading, part.body)] for part in treated if part.heading}


# --- Taking the parts ---


def _add_part(finder: _Finder, part: Part, elements: list[Element], kind: ArticleKind) -> None:
    if elements:
        _add_entries(finder, part, elements)
    elif part.about == About.SIGNS and _is_flat_list(part.body):
        _add_signs(finder, part)
    elif part.about == About.TIPS and kind == ArticleKind.CONDITIONS and not finder.tips and (tips := _tips_in(part)):
        _add_tips(finder, part, tips)
    elif part.about == About.CONCLUSION and not finder.conclusion and part.body:
        _take_heading(finder, part, Role.CONCLUSION_HEADING)
        finder.conclusion_heading = part.heading.text if part.heading else ""
        finder.conclusion += part.body
        finder.ledger.take(part.body, Role.CONCLUSION)
    else:
        _add_sections(finder, part)


def _take_heading(finder: _Finder, part: Part, role: Role) -> None:
    if part.heading:
        finder.ledger.take([part.heading], role)


def _add_entries(finder: _Finder, part: Part, elements: list[Element]) -> None:
    group = ""
    if elements[0].head is not part.heading:
        lead = _lead(part.body, elements)
        if part.heading and part.about == About.CONDITIONS:
            if finder.is_grouped:
                group = part.heading.text
                finder.ledger.take([part.heading], Role.GROUP)
            else:
                finder.entries_heading = part.heading.text
                finder.ledger.take([part.heading], Role.ENTRIES_HEADING)
            part = Part(None, part.about, part.body)
        if part.heading or (lead and finder.entries):
            _add_section(finder, part.heading, lead)
        else:
            finder.intro += lead
            finder.ledger.take(lead, Role.INTRO)
    for element in elements:
        _add_entry(finder, element, group)


def _lead(body: list[Block], elements: list[Element]) -> list[Block]:
    end = next(index for index, block in enumerate(body) if block is elements[0].head)
    return body[:end]


def _add_entry(finder: _Finder, element: Element, group: str) -> None:
    place = len(finder.entries) + 1
    name, rest = _name(element)
    finder.ledger.take([element.head], Role.ENTRY, place)
    blocks = [Block(Kind.PARAGRAPH, rest, element.head.line)] if rest else []
    found = passages([*blocks, *element.body], finder.words)
    seen: set[int] = {id(block) for block in blocks}
    for passage in found:
        if id(passage.source) not in seen:
            # A paragraph in which the treatment starts halfway is taken once, as what it begins as.
            seen.add(id(passage.source))
            role = Role.TREATMENT if passage.is_treatment else Role.ENTRY_TEXT
            finder.ledger.take([passage.source], role, place)
    text = [p.block for p in found if p.block and not p.is_treatment]
    treatment = [p.block for p in found if p.block and p.is_treatment]
    finder.entries.append(Entry(name, to_html(text), to_html(treatment), group))


def _tips_in(part: Part) -> list[Element]:
    lists = numbered_lists(part.body)
    if not lists:
        return bulleted_list(part.body)
    end = next(i for i, block in enumerate(part.body) if block is lists[0][-1].head)
    lists[0][-1].body = part.body[end + 1 :]
    return lists[0]


def _add_tips(finder: _Finder, part: Part, elements: list[Element]) -> None:
    _take_heading(finder, part, Role.TIPS_HEADING)
    finder.tips_heading = part.heading.text if part.heading else ""
    finder.tips_intro = _lead(part.body, elements)
    finder.ledger.take(finder.tips_intro, Role.TIPS_INTRO)
    for place, element in enumerate(elements, 1):
        finder.ledger.take([element.head, *element.body], Role.TIP, place)
        name, rest = element.name_and_rest()
        if len(name) > _TIP_NAME_LENGTH:
            name, rest = "", element.head.text
        run_in = [Block(Kind.PARAGRAPH, rest, element.head.line)] if rest else []
        finder.tips.append(Tip(name, to_html([*run_in, *element.body])))
    if elements[-1].body and not any(element.body for element in elements[:-1]):
        finder.ledger.remarks.append(
            _("Line %(line)d: what follows the last tip was added to it; it may concern them all.")
            % {"line": elements[-1].body[0].line}
        )


def _is_flat_list(body: list[Block]) -> bool:
    """Tell whether a part holds a list whose items are single lines."""
    items = [i for i, block in enumerate(body) if _is_sign(block)]
    if not items:
        return False
    with_text = sum(
        1
        for i in items
        if body[i].kind == Kind.HEADING and i + 1 < len(body) and body[i + 1].kind == Kind.PARAGRAPH and i != items[-1]
    )
    return not with_text


def _is_sign(block: Block) -> bool:
    return block.kind == Kind.ITEM or block.number is not None


def _add_signs(finder: _Finder, part: Part) -> None:
    words, ledger, body = finder.words, finder.ledger, part.body
    from_heading = Urgency.SEE_A_DOCTOR
    if part.heading:
        from_heading = _urgency_of_lead(part.heading.text, words) or from_heading
        if finder.signs_heading:
            ledger.leave(part.heading, Reason.LEAD_IN)
        else:
            finder.signs_heading = part.heading.text
            ledger.take([part.heading], Role.SIGNS_HEADING)
    at = [index for index, block in enumerate(body) if _is_sign(block)]
    lists = 1 + sum(1 for one, next_one in pairwise(at) if next_one - one > 1)
    floor = from_heading
    for index, block in enumerate(body):
        if _is_sign(block):
            urgency = _more_urgent(propose_urgency(block.text, words), floor)
            finder.signs.append(Sign(block.text, urgency))
            ledger.take([block], Role.SIGN, len(finder.signs))
        elif index > at[-1]:
            finder.note.append(block)
            ledger.take([block], Role.NOTE)
        else:
            lead = _urgency_of_lead(block.text, words)
            # "See your doctor if" begins a list that is less urgent than the one above it.
            floor = lead or from_heading
            if lead and lists > 1 and index + 1 in at:
                # The lists become one, and this was true of a part of it.
                ledger.leave(block, Reason.LEAD_IN)
            else:
                finder.signs_intro.append(block)
                ledger.take([block], Role.SIGNS_INTRO)


def _urgency_of_lead(text: str, words: Words) -> Urgency | None:
    """Return the urgency that a heading or sentence gives to all the signs below it, if any."""
    to_doctor = words.within("urgency.doctor_lead", text)
    if words.within("urgency.emergency_lead", text):
        # "See a doctor or go to hospital if" does not say which of the two.
        return Urgency.URGENT if to_doctor else Urgency.EMERGENCY
    if words.within("urgency.urgent_lead", text):
        return Urgency.URGENT
    return Urgency.SEE_A_DOCTOR if to_doctor else None


def _more_urgent(one: Urgency, other: Urgency) -> Urgency:
    order = list(Urgency)
    return min(one, other, key=order.index)


def _add_sections(finder: _Finder, part: Part) -> None:
    """Keep a part as sections, one for each numbered heading with a text of its own."""
    starts = [
        index
        for index, block in enumerate(part.body)
        if block.kind == Kind.HEADING
        and block.number is not None
        and index + 1 < len(part.body)
        and part.body[index + 1].number is None
    ]
    lead = part.body[: starts[0]] if starts else part.body
    if part.heading or finder.entries or finder.sections:
        if part.heading or lead:
            _add_section(finder, part.heading, lead)
    else:
        finder.intro += lead
        finder.ledger.take(lead, Role.INTRO)
    for start, end in pairwise([*starts, len(part.body)]):
        _add_section(finder, part.body[start], part.body[start + 1 : end])


def _add_section(finder: _Finder, heading: Block | None, body: list[Block]) -> None:
    place = len(finder.sections) + 1
    if heading:
        finder.ledger.take([heading], Role.SECTION_HEADING, place)
    finder.ledger.take(body, Role.SECTION, place)
    finder.sections.append(Section(heading.as_written if heading else "", to_html(body)))


# --- Saying what is unsure ---


def _remark(finder: _Finder, parts: list[Part], lists: dict[int, list[Element]]) -> None:
    remarks = finder.ledger.remarks
    if not finder.title:
        remarks.append(_("No title was found."))
    for part in parts:
        if lists[id(part)]:
            continue
        if _is_unlisted(finder, part) and part.heading:
            remarks.append(
                _("Line %(line)d: “%(heading)s” was kept as a section.")
                % {"line": part.heading.line, "heading": part.heading.text}
            )
        for elements in numbered_lists(part.body):
            if elements[0].head.kind == Kind.HEADING:
                remarks.append(
                    _(
                        "Lines %(first)d to %(last)d: %(n)d numbered headings were kept as "
                        "sections, because it is not clear that they are conditions."
                    )
                    % {
                        "first": elements[0].head.line,
                        "last": elements[-1].head.line,
                        "n": len(elements),
                    }
                )
    treated = [entry for entry in finder.entries if entry.treatment]
    if treated:
        for place, entry in enumerate(finder.entries, 1):
            if not entry.treatment:
                remarks.append(
                    _("Condition %(place)d, “%(name)s”, has no treatment.") % {"place": place, "name": entry.heading}
                )
    if finder.signs:
        remarks.append(_("The urgency of each warning sign is a proposal from its wording."))


def _is_unlisted(finder: _Finder, part: Part) -> bool:
    """Tell whether a part about tips or signs was kept as a section all the same."""
    if part.heading is None or not part.body:
        return False
    if part.about == About.SIGNS:
        return not _is_flat_list(part.body)
    return part.about == About.TIPS and finder.tips_heading != part.heading.text


def understand(article: SourceArticle, *, corrections: Corrections | None = None, language: str = "") -> Understood:
    """Tell what the blocks of an article are, as an editor corrected it, and what they make together.

    Takes an article as read; the language, where an editor chose it, is guessed otherwise. Raises nothing, whatever
    the blocks and the corrections are.
    """
    language = language or guess_language(article.blocks, article.meta.language)
    structure, report = find_structure(article.blocks, language)
    pieces = tuple(
        Piece(at, 0, len(outcome.block.text), role=outcome.role, reason=outcome.reason)
        for at, outcome in enumerate(report.outcomes)
    )
    meta = article.meta
    structure = replace(
        structure,
        title=structure.title or meta.title,
        authors=meta.authors,
        published=meta.published,
        tags=meta.tags,
        url=meta.url,
        paths=meta.paths,
        pictures=(PlacedPicture(meta.picture, "lead"),) if meta.picture else (),
    )
    return Understood(article, language, pieces, structure, report.remarks)
