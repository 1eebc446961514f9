"""Takes the pictures that came with an old article into the site's own, re-encoded like every upload."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from blog.importing.blocks import PictureRef, SourceArticle, Zone
from images.models import Picture
from images.processing import UnusablePicture, clean_picture
from images.services import keep_picture

MOST = 200  # of one article
UNUSABLE = "-"  # instead of the hash of a picture that came along but cannot be taken


@dataclass(frozen=True)
class Kept:
    """The content hashes of pictures by their names in the source, and remarks. Empty is one that did not come."""

    hashes: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def picture(self, source: str) -> Picture | None:
        """The picture of that name, if it came along and nobody has deleted it since."""
        key = self.hashes.get(source)
        return Picture.objects.filter(content_hash=key).first() if key else None


def keep_pictures(
    article: SourceArticle, placed: Iterable[PictureRef], *, known: Mapping[str, str], by: User | None
) -> Kept:
    """Keep the pictures of an article: those that stand somewhere in it, and those that an editor may still place.

    `known` are the hashes of an earlier import. Nothing fails: what is missing or unusable is a remark. Again is
    harmless, for the same bytes are kept once.
    """
    refs = {ref.source: ref for ref in reversed(_of_article(article))} | {ref.source: ref for ref in placed}
    kept = Kept({}, [])
    for number, ref in enumerate(refs.values()):
        if number == MOST:
            kept.remarks.append(_("Only the first %d pictures were taken.") % MOST)
            break
        if known.get(ref.source):
            kept.hashes[ref.source] = known[ref.source]
            continue
        data = article.open_file(ref.source)
        if data is None:
            kept.hashes[ref.source] = ""
            kept.remarks.append(_("The picture “%s” did not come along.") % _named(ref))
            continue
        try:
            clean = clean_picture(io.BytesIO(data))
        except UnusablePicture as error:
            kept.hashes[ref.source] = UNUSABLE
            kept.remarks.append(
                _("The picture “%(name)s” could not be taken. %(why)s") % {"name": _named(ref), "why": error}
            )
            continue
        described = ref.alt or ref.caption
        fields = {
            "alt": _fitting(described or _("Picture of: %s") % (article.meta.title or article.name), 250, kept),
            "caption": _fitting(ref.caption, 300, kept),
            "credit": _fitting(ref.credit, 200, kept),
        }
        kept.hashes[ref.source] = keep_picture(clean, **fields, uploaded_by=by).content_hash
        if not described:
            kept.remarks.append(_("Describe the picture “%s” in its alternative text.") % _named(ref))
    return kept


def _fitting(text: str, length: int, kept: Kept) -> str:
    """A text that fits its field; a longer one is kept whole in the remarks."""
    text = " ".join(text.split())
    if len(text) > length:
        kept.remarks.append(_("Words of a picture that do not fit their field: “%s”") % text)
    return Truncator(text).chars(length)


def _named(ref: PictureRef) -> str:
    """The file's name, for people."""
    return Truncator(ref.source.rpartition("/")[2] or ref.source).chars(80)


def _of_article(article: SourceArticle) -> list[PictureRef]:
    """What the text shows; pictures of menus, advertisements and the like stay behind."""
    lead = [article.meta.picture] if article.meta.picture else []
    return lead + [block.picture for block in article.blocks if block.picture and block.zone == Zone.MAIN]
