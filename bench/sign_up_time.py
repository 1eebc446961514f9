"""Whether the sign-up form's answer betrays by its time who is subscribed: .venv/bin/python bench/sign_up_time.py

Posts the form for known (confirmed) and unknown addresses in turn, 1,000 of each, each from a network of its own, to
a server process over a real connection. Prints the median of each, the median difference of those posted one after
the other, and the p of a Mann-Whitney rank test (normal approximation, corrected for ties): the goals are ≤ 1 ms, and
p > 0.01 (reliability.md, S2).
"""

import http.client
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
NUMBER = 1_000
WARM_UP = 100

# A server that answers one request after the other, of the same code as a site in production.
SERVER = """
import django
django.setup()
from wsgiref.simple_server import WSGIRequestHandler, make_server
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from newsletter import addresses, clock, words
from newsletter.models import Subscriber
call_command("migrate", verbosity=0)
now = clock.now()
Subscriber.objects.bulk_create(
    [Subscriber(address=a, address_hmac=addresses.digest(a), status="confirmed", confirmed_at=now, signed_up_at=now)
     for a in (f"known{{n:05}}@example.org" for n in range({number}))], batch_size=500)
class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments): pass
server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
print(server.server_port, words.CURRENT, flush=True)
server.serve_forever()
"""


def environment(folder: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": "",
        "DEBUG": "0",
        "SECRET_KEY": "for this measurement only, and long enough for every check that counts characters",
        "NEWSLETTER_KEYS": "for this measurement only",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SITE_URL": "http://127.0.0.1",
        "EMAIL_URL": "smtp://127.0.0.1:9",  # nothing listens there: the answer must not depend on it
        "BEHIND_PROXY": "1",  # so that each form may come from a network of its own
        "VAR_DIR": folder,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
    }


def post(port: int, address: str, number: int, version: str) -> float:
    """Milliseconds until the whole answer is there."""
    body = urlencode({"address": address, "language": "en", "words_version": version, "website": ""})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Forwarded-For": f"10.{number // 256}.{number % 256}.1",
    }
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/subscribe/", body, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    took = (time.perf_counter() - began) * 1000
    assert response.status == 303, response.status
    return took


def rank_test(one: list[float], other: list[float]) -> float:
    """The two-sided p of the Mann-Whitney U test: how likely such ranks are where there is no difference."""
    every = sorted([*one, *other])
    ranks: dict[float, float] = {}
    for place, value in enumerate(every):
        ranks.setdefault(value, place)
    ties = Counter(every)
    rank_sum = sum(ranks[value] + (ties[value] + 1) / 2 for value in one)
    m, n = len(one), len(other)
    u = rank_sum - m * (m + 1) / 2
    tied = sum(count**3 - count for count in ties.values()) / ((m + n) * (m + n - 1))
    sigma = math.sqrt(m * n / 12 * (m + n + 1 - tied))
    return math.erfc(abs(u - m * n / 2) / sigma / math.sqrt(2))


def main() -> None:
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "static").mkdir()
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER.format(number=NUMBER + WARM_UP)],
            cwd=ROOT,
            env=environment(folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            port, version = server.stdout.readline().split()
            times: dict[str, list[float]] = {"known": [], "unknown": []}
            for number in range(NUMBER + WARM_UP):
                # In turn, and which is first is left to chance: whatever else the machine does hits both alike.
                for kind in random.sample(["known", "unknown"], 2):
                    network = 2 * number + (kind == "known")
                    took = post(int(port), f"{kind:.7}{number:05}@example.org", network, version)
                    if number >= WARM_UP:
                        times[kind].append(took)
        finally:
            server.terminate()
            server.wait(30)
    known, unknown = times["known"], times["unknown"]
    difference = statistics.median(one - other for one, other in zip(known, unknown, strict=True))
    medians = f"{statistics.median(known):.2f} ms, unknown {statistics.median(unknown):.2f} ms"
    print(f"known {medians} (medians of {NUMBER})")
    print(f"median difference of a pair {difference:+.3f} ms (goal: within 1), ", end="")
    print(f"rank test p = {rank_test(known, unknown):.3f} (goal: over 0.01)")


if __name__ == "__main__":
    main()
