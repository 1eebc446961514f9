"""How good the search is: .venv/bin/python bench/relevance.py

Asks the judged questions of blog/tests/relevance.toml of the demonstration, on SQLite and on PostgreSQL, and prints
the mean reciprocal rank and the recall among the first ten, by group; then every question whose answer is not first.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def measure() -> None:
    """All of it on the database of the environment."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from blog import demonstration
    from blog.search.index import index_stale
    from blog.tests.relevance import judge, mean

    call_command("migrate", verbosity=0)
    if demonstration.is_empty():
        demonstration.load()
    index_stale()
    groups = judge()
    everything = [one for group in groups.values() for one in group]
    print(f"{connection.vendor}: {len(everything)} questions")
    for name, group in [*groups.items(), ("all", everything)]:
        mrr, recall = mean([one.reciprocal_rank for one in group]), mean([one.recall for one in group])
        print(f"  {name:10} {len(group):3}  MRR {mrr:.3f}  recall@10 {recall:.3f}")
    for one in everything:
        if one.reciprocal_rank < 1 or one.recall < 1:
            print(f"    {one.query!r} wants {', '.join(one.wanted)}; found {', '.join(one.found[:4]) or 'nothing'}")


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
