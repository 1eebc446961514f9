"""How fast a site is exported and restored, and in how much memory: .venv/bin/python bench/archive.py

The demonstration, and the demonstration with ARTICLES (200 and 1,000) copies of its longest article, on SQLite. Each
step is a process of its own; its seconds are those of the processor, its memory is the peak, the program included.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = [0, *map(int, os.environ.get("ARTICLES", "200,1000").split(","))]

PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "for this bench only, and long enough for every check that counts characters",
    "ALLOWED_HOSTS": "bedside.example",
    "SITE_URL": "http://bedside.example",
    "NEWSLETTER_KEYS": "for-this-bench-only-and-long-enough-for-its-check",
}

COPIES = """
from uuid import uuid4
from publishing.models import Edition, Publication
from publishing.services import show_document, store_canonical
source = max(Publication.objects.live().of_kind("article"), key=lambda row: row.words)
document = source.live.document()
for number in range({count}):
    copy = Publication.objects.create(
        uuid=uuid4(), kind="article", slug=f"copy-{{number}}",
        first_published=source.first_published, listed_at=source.listed_at,
    )
    text = document.model_copy(update={{"uuid": str(copy.uuid), "title": f"Copy {{number}}"}})
    stored = store_canonical(text.canonical(), text)
    copy.live = Edition.objects.create(publication=copy, number=1, level="major", fingerprint=stored.pk)
    show_document(copy, text)
"""
RESTORE = """
from pathlib import Path
from publishing.archive.restore import restore
print(restore(Path("{folder}")))
"""


def run(folder: Path, *arguments: str, code: str = "") -> tuple[float, int]:
    """Seconds of processor and peak MB of a management command, or of code in the shell, over the site in a folder."""
    command = [sys.executable, "manage.py", *(arguments or ("shell", "-v0", "-c", code))]
    places = {"VAR_DIR": str(folder), "DATABASE_URL": "", "ENV_FILE": ""}
    # Development keeps the last queries in memory; only there is the demonstration allowed.
    environment = os.environ | places | ({"DEBUG": "1"} if arguments == ("demonstrate",) else PRODUCTION)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss // (1 if sys.platform == "linux" else 1024) // 1024


def main() -> None:
    print(f"{'articles added':>14} {'export MB':>10} {'export s':>9} {'peak MB':>8} {'restore s':>10} {'peak MB':>8}")
    for count in SIZES:
        with tempfile.TemporaryDirectory(prefix="bedside-bench-") as name:
            site, other, export = (Path(name, part) for part in ("site", "other", "export"))
            for folder in (site, other):
                folder.mkdir()
                run(folder, "migrate", "-v0")
            run(site, "demonstrate")
            run(site, code=COPIES.format(count=count))
            export_time, export_peak = run(site, "export_site", str(export))
            restore_time, restore_peak = run(other, code=RESTORE.format(folder=export))
            size = sum(path.stat().st_size for path in export.rglob("*") if path.is_file()) / 1e6
        print(
            f"{count:>14,} {size:>10.1f} {export_time:>9.1f} {export_peak:>8} {restore_time:>10.1f} {restore_peak:>8}"
        )


if __name__ == "__main__":
    main()
