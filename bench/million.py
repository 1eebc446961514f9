"""A mailing to a million people: .venv/bin/python bench/million.py

On SQLite, then on PostgreSQL with its own safe settings: how long the snapshot of the recipients takes, its longest
transaction (on SQLite nobody else can write meanwhile), the memory of the process, what claiming a batch costs when
nothing has been sent and when all but the last have, and what the figures of the progress page cost.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PEOPLE = int(os.environ.get("PEOPLE", "1000000"))

PEOPLE_SQL = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {people}) "
    "INSERT INTO newsletter_subscriber ({columns}) SELECT lower(hex(randomblob(16))), {values} FROM n",
    "postgresql": "INSERT INTO newsletter_subscriber ({columns}) "
    "SELECT gen_random_uuid(), {values} FROM generate_series(1, {people}) AS n(i)",
}


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """The median of several calls."""
    taken = []
    for _time in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure() -> None:
    """All of it on the database of the environment."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from newsletter import clock, deliveries, issues
    from newsletter.models import Delivery, Issue
    from newsletter.tests.rows import make_issue

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        columns = "uuid, address, address_hmac, language, status, frequency, has_topics, signed_up_at, confirmed_at"
        name = "'reader' || i || '@example.org', i, 'en', 'confirmed', 'every'"
        false = "0" if connection.vendor == "sqlite" else "false"
        values = f"{name}, {false}, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP"
        cursor.execute(PEOPLE_SQL[connection.vendor].format(columns=columns, values=values, people=PEOPLE))
    time.sleep(1)
    issue = make_issue()
    issues.begin_due()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    chunks: list[float] = []
    began = time.perf_counter()
    while True:
        start = time.perf_counter()
        more = issues.prepare(issue)
        chunks.append(time.perf_counter() - start)
        if not more:
            break
    total = time.perf_counter() - began
    issue = Issue.objects.get()
    assert issue.recipients == PEOPLE
    # The last call counts the rows and makes none: it locks the issue, not the table of deliveries.
    print(f"  snapshot of {PEOPLE:,} people         {total:8.1f} s")
    print(f"  longest transaction that writes   {max(chunks[:-1]) * 1000:8.0f} ms")
    print(
        f"  memory, at most                   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB",
        end="",
    )
    print(f" ({before / 1024:.0f} before)")

    sender = deliveries.register()
    assert sender

    def claim() -> None:
        rows = deliveries.claim(sender.pk, issue.pk, 50)
        assert rows
        deliveries.give_back(sender.pk, [row.pk for row in rows])

    def count() -> None:
        assert sum(issues.tally(Issue.objects.get()).values()) == PEOPLE

    first = seconds(claim, 15)
    last_ids = list(Delivery.objects.order_by("-pk").values_list("pk", flat=True)[:200])
    last = last_ids[-1]
    for start in range(0, PEOPLE, 1000):
        of_chunk = Delivery.objects.filter(pk__gt=start, pk__lte=start + 1000, pk__lt=last)
        of_chunk.update(state=Delivery.State.SENT, settled_at=clock.now())
    late = seconds(claim, 15)
    print(
        f"  claiming and giving back 50: at row 1 {first * 1000:6.1f} ms, at row {PEOPLE:,} {late * 1000:.1f} ms",
        end="",
    )
    print(f" ({late / first:.2f} times)")
    print(f"  counting every state              {seconds(count, 5) * 1000:8.0f} ms")


def main() -> None:
    from script.with_postgres import SAFE, find_programs, system_postgres

    def run(url: str) -> None:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings_test",
            "DATABASE_URL": url,
            "LOG_LEVEL": "WARNING",
        }
        subprocess.run([sys.executable, __file__, "measure"], check=True, env=env, cwd=ROOT)

    with tempfile.TemporaryDirectory() as folder:
        print("SQLite", flush=True)
        run(f"sqlite:///{folder}/db.sqlite3")
    if programs := find_programs():
        print("PostgreSQL", flush=True)
        with system_postgres(programs, SAFE) as url:
            run(url)


if __name__ == "__main__":
    measure() if len(sys.argv) > 1 else main()
