"""From the blocks of an old article to its structure: in pieces, as corrected, and put together.

It goes by position, depth, repetition, neighbours and wording, never by the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from .assembling import assemble, find_topic
from .blocks import SourceArticle
from .language import guess_language
from .ledger import Remark
from .pieces import Corrections, correct, find_pieces, propose_urgency
from .report import report_text
from .result import Piece, Role, Structure, Sure, Understood

__all__ = ["Understood", "assemble", "find_topic", "propose_urgency", "report_text", "understand"]


def understand(article: SourceArticle, *, corrections: Corrections | None = None, language: str = "") -> Understood:
    """Tell what the blocks of an article are, as an editor corrected it, and what they make together.

    Takes an article as read; the language, where an editor chose it, is guessed otherwise. Raises nothing, whatever
    the blocks and the corrections are.
    """
    language = language or guess_language(article.blocks, article.meta.language)
    pieces, remarks = find_pieces(article, language)
    if corrections:
        found = set(pieces)
        pieces = correct(pieces, article.blocks, corrections)
        corrected = {piece.block for piece in set(pieces) - found}
        remarks = [remark for remark in remarks if remark.at not in corrected]
    structure = assemble(article, pieces, language)
    said = [*_texts(remarks), *_on_pieces(article, pieces), *_on_structure(structure)]
    return Understood(article, language, pieces, structure, tuple(said))


def _texts(remarks: Iterable[Remark]) -> list[str]:
    return list(dict.fromkeys(remark.text for remark in remarks))


def _on_pieces(article: SourceArticle, pieces: Sequence[Piece]) -> list[str]:
    unsure = [piece for piece in pieces if piece.role == Role.ENTRY and piece.sure == Sure.UNSURE]
    if not unsure:
        return []
    first, last = (article.blocks[piece.block].line for piece in (unsure[0], unsure[-1]))
    return [
        _("Lines %(first)d to %(last)d: these were taken as conditions, but check that they are.")
        % {"first": first, "last": last}
    ]


def _on_structure(structure: Structure) -> list[str]:
    remarks = []
    if any(entry.treatment for entry in structure.entries):
        for place, entry in enumerate(structure.entries, 1):
            if not entry.treatment:
                remarks.append(
                    _("Condition %(place)d, “%(name)s”, has no treatment.") % {"place": place, "name": entry.heading}
                )
    if structure.signs:
        remarks.append(_("The urgency of each warning sign is a proposal from its wording."))
    return remarks
