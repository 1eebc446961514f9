"""Search: what is indexed (texts, index), where (engines), and what is found (finding)."""

from blog.search.finding import Results, search

__all__ = ["Results", "search"]
