"""What was understood of an article, as text for people."""

from __future__ import annotations

from collections import Counter

from django.utils import formats
from django.utils.text import Truncator
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from .result import Piece, Reason, Sign, Structure, Understood, Urgency


def report_text(understood: Understood) -> str:
    """Return the report on an article: what was taken, what to check, and what was left out and why."""
    lines = [_("Took: %(parts)s.") % {"parts": ", ".join(_parts(understood.structure))}]
    lines += _facts(understood)
    if understood.remarks:
        lines += [_("Please check:"), *(f"  {remark}" for remark in understood.remarks)]
    left_out = [piece for piece in understood.pieces if piece.reason and piece.reason != Reason.LABEL]
    if left_out:
        lines += [_("Left out:"), *(_left_out(understood, piece) for piece in left_out)]
    labels = Counter(_text(understood, piece) for piece in understood.pieces if piece.reason == Reason.LABEL)
    if labels:
        said = ", ".join(f"“{label}” ({count})" if count > 1 else f"“{label}”" for label, count in labels.items())
        lines.append(_("Labels of texts that have fields of their own now: %s.") % said)
    return "\n".join(lines)


def _text(understood: Understood, piece: Piece) -> str:
    return understood.article.blocks[piece.block].text[piece.start : piece.end].strip()


def _left_out(understood: Understood, piece: Piece) -> str:
    block = understood.article.blocks[piece.block]
    is_whole = piece.start == 0 and piece.end >= len(block.text)
    text = block.as_written if is_whole else _text(understood, piece)
    return _("  line %(line)d “%(start)s” — %(reason)s") % {
        "line": block.line,
        "start": Truncator(text).chars(60),
        "reason": piece.reason and piece.reason.label,
    }


def _facts(understood: Understood) -> list[str]:
    """Return what is known beside the text, one line each."""
    found = understood.structure
    facts = [(_("Language"), _language(understood.language))]
    if found.authors:
        facts.append((_("Authors"), ", ".join(found.authors)))
    if found.published:
        facts.append((_("Published"), formats.date_format(found.published, "DATE_FORMAT")))
    if found.tags:
        facts.append((_("Tags"), ", ".join(found.tags)))
    if found.paths:
        facts.append((_("Old addresses"), ", ".join(found.paths)))
    return [f"{name}: {value}" for name, value in facts]


def _language(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _parts(found: Structure) -> list[str]:
    parts = [_("title “%s”") % found.title] if found.title else []
    if found.intro:
        parts.append(_("intro"))
    if found.entries:
        treated = sum(1 for entry in found.entries if entry.treatment)
        parts.append(_counted_entries(len(found.entries), treated))
    if found.tips:
        parts.append(ngettext("%(n)d tip", "%(n)d tips", len(found.tips)) % {"n": len(found.tips)})
    if found.signs:
        parts.append(_counted_signs(found.signs))
    if found.note:
        parts.append(_("note after the warning signs"))
    if found.sections:
        parts.append(ngettext("%(n)d section", "%(n)d sections", len(found.sections)) % {"n": len(found.sections)})
    if found.conclusion:
        parts.append(_("conclusion"))
    if found.references:
        parts.append(_counted_references(len(found.references)))
    if found.pictures:
        n = len(found.pictures)
        parts.append(ngettext("%(n)d picture", "%(n)d pictures", n) % {"n": n})
    if found.origin:
        parts.append(_("origin “%s”") % found.origin.name)
    return parts or [_("nothing")]


def _counted_entries(count: int, treated: int) -> str:
    conditions = ngettext("%(n)d condition", "%(n)d conditions", count) % {"n": count}
    if treated == count:
        return _("%(conditions)s (each with treatment)") % {"conditions": conditions}
    return _("%(conditions)s (%(treated)d with treatment)") % {
        "conditions": conditions,
        "treated": treated,
    }


def _counted_signs(signs: tuple[Sign, ...]) -> str:
    counts = Counter(sign.urgency for sign in signs)
    by_urgency = ", ".join(f"{counts[urgency]} {urgency.label}" for urgency in Urgency)
    return ngettext("%(n)d warning sign (%(by_urgency)s)", "%(n)d warning signs (%(by_urgency)s)", len(signs)) % {
        "n": len(signs),
        "by_urgency": by_urgency,
    }


def _counted_references(count: int) -> str:
    return ngettext("%(n)d reference", "%(n)d references", count) % {"n": count}
