"""Reads old articles: bytes → blocks (one reader a format) → structure and report.

``text`` reads plain text into ``blocks``; ``structure`` finds in the blocks of any format what
is a condition, a tip, a warning sign, and what belongs to the site that carried the article.
"""
