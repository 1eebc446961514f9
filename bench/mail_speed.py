"""Mails a second, in one run: .venv/bin/python bench/mail_speed.py

The sender (one on SQLite with synchronous NORMAL and FULL, one and four on PostgreSQL with its own safe settings)
beside a raw smtplib loop of the same mails built beforehand, which remembers nothing, and Django's
EmailMultiAlternatives in a loop over one connection. All hand over the same issue to the same SMTP server on this
machine; the rate is that of its log, from the first mail to the last. Medians of three rounds; compare the ratios.
"""

import os
import signal
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

MAILS = int(os.environ.get("MAILS", "3000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))

# --- In a process of its own, with a database of its own ---------------------------------------------------------


def prepare() -> None:
    """Subscribers and an issue about one article whose snapshot is made: nothing is left but to send."""
    from django.core.management import call_command

    from config.tests.factories import make_article, publish_draft
    from newsletter import issues
    from newsletter.models import IssueItem
    from newsletter.tests.rows import make_issue, make_subscribers
    from publishing.models import SiteSettings

    call_command("migrate", verbosity=0)
    SiteSettings(pk=1, strictness="open").save()
    draft = make_article()
    publish_draft(draft)
    make_subscribers(MAILS)
    issue = make_issue()
    IssueItem.objects.create(issue=issue, publication=draft.publication)
    issues.begin_due()
    while issues.prepare(issue):
        pass


def the_issue() -> tuple[Any, list[Any]]:
    """What is sent, and the article in it."""
    from newsletter import planning
    from newsletter.models import Issue

    issue = Issue.objects.get()
    return issue, planning.current_items(issue)


def raw(port: int) -> None:
    """smtplib's sendmail of bytes that are ready."""
    from newsletter import composing, identity
    from newsletter.models import Delivery

    template = composing.issue_mail(*the_issue())
    rows = Delivery.objects.values_list("pk", "address", "subscriber__uuid")
    mails = [
        (identity.return_path(pk), address, template.personal(composing.Recipient(pk, address, uuid)))
        for pk, address, uuid in rows
    ]
    with smtplib.SMTP("127.0.0.1", port) as server:
        assert server.sock is not None
        server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for sender, address, mail in mails:
            server.sendmail(sender, address, mail)


def django_loop() -> None:
    """What most projects write: a message object each, over one connection."""
    from django.core.mail import EmailMultiAlternatives, get_connection

    from newsletter import composing
    from newsletter.models import Delivery

    subject, text, html = composing.issue_parts(*the_issue())
    with get_connection() as connection:
        for address in Delivery.objects.values_list("address", flat=True):
            mail = EmailMultiAlternatives(subject, text, to=[address], connection=connection)
            mail.attach_alternative(html, "text/html")
            mail.send()


# --- The run ------------------------------------------------------------------------------------------------------


def measure(name: str, url: str, workers: int = 0, **environment: str) -> float:
    """One round: mails a second."""
    from newsletter.tests.sink import running_sink

    with tempfile.TemporaryDirectory() as folder, running_sink(Path(folder, "log")) as sink:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings_test",
            "DATABASE_URL": url or f"sqlite:///{folder}/db.sqlite3",
            "TEST_EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        here = [sys.executable, __file__]
        subprocess.run([*here, "prepare"], check=True, env=env, cwd=ROOT)
        if workers:
            sender = [sys.executable, "manage.py", "sender"]
            senders = [subprocess.Popen(sender, env=env, cwd=ROOT) for _number in range(workers)]
            while sink.log.read_bytes().count(b'"event": "accepted"') < MAILS:
                time.sleep(0.1)
            for process in senders:
                process.send_signal(signal.SIGTERM)
                process.wait()
        else:
            subprocess.run([*here, name, str(sink.port)], check=True, env=env, cwd=ROOT)
        times = [mail.time for mail in sink.accepted()]
    assert len(times) == MAILS, f"{len(times)} of {MAILS} mails"
    return (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    from script.with_postgres import SAFE, find_programs, system_postgres

    programs = find_programs()
    rates: dict[str, list[float]] = {}

    def note(label: str, rate: float) -> None:
        rates.setdefault(label, []).append(rate)

    for _round in range(ROUNDS):
        note("raw smtplib loop, mails built beforehand", measure("raw", ""))
        note("Django's EmailMultiAlternatives in a loop", measure("django", ""))
        note("1 sender, SQLite, synchronous=NORMAL", measure("", "", 1))
        note("1 sender, SQLite, synchronous=FULL", measure("", "", 1, SQLITE_SYNCHRONOUS="FULL"))
        for workers in (1, 4):
            if programs:
                with ExitStack() as stack:
                    url = stack.enter_context(system_postgres(programs, SAFE))
                    note(f"{workers} sender{'s' * (workers > 1)}, PostgreSQL, fsync on", measure("", url, workers))
    first = statistics.median(rates["raw smtplib loop, mails built beforehand"])
    print(f"{MAILS} mails to one SMTP server on {os.cpu_count()} cores; median of {ROUNDS} rounds\n")
    print(f"  {'':<44} {'mails/s':>8} {'of raw':>7}")
    for label, values in rates.items():
        print(f"  {label:<44} {statistics.median(values):>8.0f} {statistics.median(values) / first:>7.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
        import django

        django.setup()
        {"prepare": prepare, "raw": lambda: raw(int(sys.argv[2])), "django": django_loop}[sys.argv[1]]()
    else:
        main()
