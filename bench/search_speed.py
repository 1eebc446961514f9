"""How fast the search is: .venv/bin/python bench/search_speed.py

Makes ARTICLES (10,000) articles of 300 words out of 30,000 made-up words that are as unequally frequent as those of a
language (Zipf), on SQLite and on PostgreSQL, and prints the median milliseconds of `blog.search.search()` with the
first ten results and their extracts, and what indexing an article costs.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ARTICLES = int(os.environ.get("ARTICLES", "10000"))
WORDS, LENGTH, TIMES = 30_000, 300, 15
SYLLABLES = [c + v for c in "bdfglmnprt" for v in "aeiou"]


def word(number: int) -> str:
    """A made-up word of four syllables, one for each number."""
    return "".join(SYLLABLES[number // 50**place % 50] for place in range(4))


def milliseconds(work: Callable[[], object]) -> float:
    """The median of several calls."""
    taken = []
    for _time in range(TIMES):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def fill() -> None:
    """Live articles with their stored texts, without the drafts behind them."""
    from django.utils import timezone

    from blog.documents import ArticleDocument, Section
    from publishing.models import Edition, Level, Publication, StoredDocument

    chance = random.Random(1)
    weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
    now = timezone.now()
    for number in range(ARTICLES):
        text = " ".join(map(word, chance.choices(range(WORDS), cum_weights=weights, k=LENGTH)))
        made = Publication.objects.create(kind="article", slug=f"bench-{number}")
        document = ArticleDocument(
            kind="article",
            schema=1,
            uuid=str(made.uuid),
            language="en",
            form="plain",
            title=text[:60],
            intro=f"<p>{text[: len(text) // 2]}</p>",
            sections=(Section(id="s", heading=text[-40:], text=f"<p>{text[len(text) // 2 :]}</p>"),),
        )
        stored = StoredDocument(pk=document.fingerprint(), kind="article", canonical=document.canonical())
        stored.save(force_insert=True)
        edition = Edition.objects.create(publication=made, number=1, level=Level.MAJOR, fingerprint=stored.pk)
        live = {"live": edition, "first_published": now, "listed_at": now, "title": document.title}
        Publication.objects.filter(pk=made.pk).update(**live)


def measure() -> None:
    """All of it on the database of the environment."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from blog.search import search, spelling
    from blog.search.index import index_stale

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        fill()
    began = time.perf_counter()
    index_stale()
    each = (time.perf_counter() - began) * 1000 / ARTICLES
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}: {ARTICLES} articles, indexed in {each:.1f} ms each")
    spelling.vocabulary()
    middle, common = word(1_000), word(0)
    asked = {
        "rare": word(25_000),
        "not there": "xyzzyplughquux",
        "middle": middle,
        "common": common,
        "two words": f"{word(300)} {middle}",
        "two common": f"{common} {word(1)}",
        "beginning": word(1_000)[:5],
        "misspelt": f"{middle[:3]}{middle[4]}{middle[3]}{middle[5:]}",
    }
    for name, query in asked.items():
        found = search(query)
        print(f"  {name:10} {milliseconds(lambda query=query: search(query)):7.1f} ms  {found.total} found")  # type: ignore[misc]
    print(f"  {'words anew':10} {milliseconds(spelling.Vocabulary.read):7.1f} ms  (once after each indexing)")
    print(f"  {'sweeper':10} {milliseconds(index_stale):7.1f} ms  (nothing to do)")


def main() -> None:
    if "BENCH_ONE" in os.environ:
        measure()
        return
    me = [sys.executable, __file__]
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder:
        env = os.environ | {"BENCH_ONE": "1", "DEBUG": "1", "ENV_FILE": "", "DJANGO_SETTINGS_MODULE": "config.settings"}
        subprocess.run(me, env=env | {"VAR_DIR": f"{folder}/sqlite", "DATABASE_URL": ""}, check=True)
        postgres = [sys.executable, str(ROOT / "script/with_postgres.py"), *me]
        subprocess.run(postgres, env=env | {"VAR_DIR": f"{folder}/postgres"}, check=True)


if __name__ == "__main__":
    main()
