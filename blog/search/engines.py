"""Where the words are kept and ranked: FTS5 on SQLite, a tsvector on PostgreSQL.

Both are handed the same words (blog.search.analysis) in the same four columns, and asked the same question. They
hold no text that can be read: a row here without its SearchEntry, or with one that is not live, is never found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import connection

from blog.search.analysis import JOINER, Term, fold

# Of a common word no more than so many of the newest matches are ranked, and so many come back at most.
RANKED = 2_000
FOUND = 200
NEAR = 6  # words between those of a question that stand close together


@dataclass
class Columns:
    """The words of an entry by what they say of it: its names weigh most, its running text least."""

    names: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    signs: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def all(self) -> tuple[list[str], ...]:
        return self.names, self.headings, self.signs, self.body


@dataclass(frozen=True)
class Question:
    """Words that must all be there (or any of them), the question as one whole name, and which entries count."""

    terms: Sequence[Term]
    wholes: Sequence[str]
    any: bool = False
    where: str = "1 = 1"  # SQL on e (the entry) and p (its publication, if any)
    params: Sequence[Any] = ()


class Engine(Protocol):
    def wait(self) -> None:
        """Wait until nobody else is indexing; ends with the transaction."""

    def clear(self) -> None:
        """Forget everything."""

    def store(self, pk: int, columns: Columns) -> None:
        """Keep the words of a new entry."""

    def remove(self, pks: Iterable[int]) -> None:
        """Forget the words of entries."""

    def find(self, question: Question) -> list[tuple[int, bool]]:
        """The numbers of at most FOUND entries, best first, each with whether the question is a name of it."""


_FROM = "blog_searchentry e LEFT JOIN publishing_publication p ON p.id = e.publication_id"
_EXACT = 1_000  # more than any rank


class SQLite:
    """FTS5. Its tokenizer only parts at spaces: the words are ready. bm25() gives less to a better match."""

    # Names, headings, signs, body.
    RANK = "bm25(blog_search_words, 10, 4, 2, 1)"

    def wait(self) -> None:
        """A transaction that writes has the whole database."""

    def clear(self) -> None:
        _execute("DELETE FROM blog_search_words", [])

    def store(self, pk: int, columns: Columns) -> None:
        _execute(
            "INSERT OR REPLACE INTO blog_search_words (rowid, names, headings, signs, body) "
            "VALUES (%s, %s, %s, %s, %s)",
            [pk, *(" ".join(words) for words in columns.all())],
        )

    def remove(self, pks: Iterable[int]) -> None:
        for pk in pks:
            _execute("DELETE FROM blog_search_words WHERE rowid = %s", [pk])

    def find(self, question: Question) -> list[tuple[int, bool]]:
        words = self.expression(question)
        near = self.near(question)
        matches = [f"({words}) OR {near}" if near else words, f"names : ({words})"]
        if question.wholes:
            matches.append("names : (" + " OR ".join(map(_quoted, question.wholes)) + ")")
        part = (
            f"SELECT * FROM (SELECT e.id AS id, {{}} AS score FROM blog_search_words "
            f"CROSS JOIN blog_searchentry e ON e.id = blog_search_words.rowid "
            "LEFT JOIN publishing_publication p ON p.id = e.publication_id "
            f"WHERE blog_search_words MATCH %s AND {question.where} "
            f"ORDER BY blog_search_words.rowid DESC LIMIT {RANKED})"
        )
        ranks = [self.RANK, self.RANK, f"{self.RANK} - {_EXACT}"]
        parts = " UNION ALL ".join(part.format(rank) for rank, _match in zip(ranks, matches, strict=False))
        params = [param for match in matches for param in (match, *question.params)]
        sql = f"SELECT id, min(score) FROM ({parts}) GROUP BY id ORDER BY 2, id LIMIT {FOUND}"
        return [(pk, score <= -_EXACT) for pk, score in _rows(sql, params)]

    @staticmethod
    def near(question: Question) -> str:
        """The words close together, which is worth as much again; '' where that says nothing."""
        stems = [term.stems[0] for term in question.terms if term.stems and not term.prefix]
        if question.any or not 1 < len(stems) == len(question.terms):
            return ""
        return f"NEAR({' '.join(map(_quoted, stems))}, {NEAR})"

    @staticmethod
    def expression(question: Question) -> str:
        """The question in FTS5's language. Every word is quoted, and made of letters and digits only."""
        words = [
            "("
            + " OR ".join([*map(_quoted, term.stems), *([f"{_quoted(term.prefix)} *"] if term.prefix else [])])
            + ")"
            for term in question.terms
        ]
        return (" OR " if question.any else " AND ").join(words)


class PostgreSQL:
    """A tsvector that is written here, word by word with its weight, so that no configuration comes between."""

    MOST = 16_383  # the last position that a tsvector knows; what comes later counts as there
    TIMES = 200  # of the 255 positions of a word that it keeps
    # Its weights go from D to A: body, signs, headings, names. 1: divided by 1 + log(length).
    # ts_rank() counts words, ts_rank_cd() how close together they stand.
    RANK = (
        "(ts_rank('{0.06, 0.2, 0.4, 1.0}', e.words_vector, %s::tsquery, 1)"
        " + ts_rank_cd('{0.06, 0.2, 0.4, 1.0}', e.words_vector, %s::tsquery, 1))"
    )

    def wait(self) -> None:
        _execute("SELECT pg_advisory_xact_lock(hashtext('blog.search'))", [])

    def clear(self) -> None:
        """They go with their entries."""

    def store(self, pk: int, columns: Columns) -> None:
        places: dict[str, list[str]] = defaultdict(list)
        position = 0
        for weight, words in zip("ABCD", columns.all(), strict=True):
            for word in words:
                position = min(position + 1, self.MOST)
                if len(places[word]) < self.TIMES:
                    places[word].append(f"{position}{weight}")
        vector = " ".join(f"{_literal(word)}:{','.join(at)}" for word, at in places.items())
        _execute("UPDATE blog_searchentry SET words_vector = %s::tsvector WHERE id = %s", [vector, pk])

    def remove(self, pks: Iterable[int]) -> None:
        """They go with their entries."""

    def find(self, question: Question) -> list[tuple[int, bool]]:
        """The matches are looked up on their own first, or the planner may walk through all entries from the newest."""
        anywhere, named = self.expression(question), self.expression(question, "A")
        queries = [anywhere, named]
        if question.wholes:
            queries.append(" | ".join(_literal(whole) + ":A" for whole in question.wholes))
        part = (
            "(WITH m AS MATERIALIZED (SELECT e.id, e.words_vector FROM {source} "
            "WHERE e.words_vector @@ %s::tsquery AND {where}) "
            "SELECT e.id, {rank} AS score FROM (SELECT * FROM m ORDER BY id DESC LIMIT {most}) e)"
        )
        ranks = [self.RANK, self.RANK, f"{self.RANK} + {_EXACT}"]
        parts = [
            part.format(source=_FROM, where=question.where, rank=rank, most=RANKED)
            for rank, _query in zip(ranks, queries, strict=False)
        ]
        # The rank is always that of the words, so that a name that is the question stands first by its own merit.
        params = [param for query in queries for param in (query, *question.params, anywhere, anywhere)]
        sql = (
            f"SELECT id, max(score) FROM ({' UNION ALL '.join(parts)}) f GROUP BY id ORDER BY 2 DESC, id LIMIT {FOUND}"
        )
        return [(pk, score >= _EXACT) for pk, score in _rows(sql, params)]

    @staticmethod
    def expression(question: Question, weight: str = "") -> str:
        """The question as a tsquery. Every word is quoted, and made of letters and digits only."""
        label = f":{weight}" if weight else ""
        words = [
            "(" + " | ".join([f"{_literal(stem)}{label}" for stem in term.stems] + _prefix(term, weight)) + ")"
            for term in question.terms
        ]
        return (" | " if question.any else " & ").join(words)


def _prefix(term: Term, weight: str) -> list[str]:
    return [f"{_literal(term.prefix)}:*{weight}"] if term.prefix else []


def _quoted(word: str) -> str:
    return f'"{_bare(word)}"'


def _literal(word: str) -> str:
    return f"'{_bare(word)}'"


def _bare(word: str) -> str:
    """A word of the index. Nothing but letters, digits and the joiner is let through, whatever it was."""
    return JOINER.join(fold(part) for part in word.split(JOINER))


def _execute(sql: str, params: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[int, float]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def engine() -> Engine:
    """The engine of the database that is used."""
    return PostgreSQL() if connection.vendor == "postgresql" else SQLite()
