"""Reads old articles: bytes → blocks (``readers``, one a format) → pieces → structure → draft.

``understand`` in ``structure`` tells what each piece of the blocks is, in any format and six languages (``words``);
an editor's corrections change pieces, and ``assemble`` puts found and corrected ones together alike. ``drafts`` makes
the draft, again and again without harm; ``admin`` and the command ``import_articles`` are the two ways in.
"""
