"""Run the site, the task worker, the scheduler and the sender side by side until Ctrl-C. Started by `script/server`.

Each runs in a session of its own, so that a terminal's Ctrl-C reaches this process alone, and so that what
a child has started (runserver's reloader starts the real server) ends with it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from types import FrameType

PORT = int(os.environ["PORT"])
SITE = f"http://127.0.0.1:{PORT}"
MANAGE = [sys.executable, "manage.py"]

# The site reloads when code changes, which costs one process more. The others keep the code they
# started with: reloading them would double their processes for code that changes seldom.
SERVER = [*MANAGE, "runserver", f"127.0.0.1:{PORT}"]
HELPERS = [[*MANAGE, "db_worker", "--no-reload"], [*MANAGE, "scheduler"], [*MANAGE, "sender"]]

STARTING_SECONDS = 60
ENDING_SECONDS = 5


def die(sentence: str) -> None:
    """End with one line that says what to do."""
    sys.exit(sentence)


def check_port() -> None:
    """End with a sentence where the port cannot be had."""
    with socket.socket() as probe:
        # As runserver does: a connection just closed is no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except PermissionError:
            die(f"Port {PORT} is for administrators: choose one above 1023, such as PORT=8001 script/server.")
        except OverflowError:
            die(f"There is no port {PORT}: choose one below 65536, such as PORT=8001 script/server.")
        except OSError:
            die(f"Port {PORT} is in use: stop what uses it or choose another, such as PORT={PORT + 1}.")


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own."""
    # Nobody can type to a child that has no terminal; runserver's warning is for those who did not choose it.
    environment = os.environ | {"DJANGO_RUNSERVER_HIDE_WARNING": "true"}
    return subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, env=environment)


def signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Send a signal to a child and all that it started; return whether anything was left to receive it."""
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group of zombies
        return False
    return True


def end(children: list[subprocess.Popen[bytes]]) -> None:
    """End every child and what it started: asked first, killed where it has not ended after some seconds."""
    for child in children:
        signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + ENDING_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        # Also where the child has ended: something that it started may not have.
        signal_group(child, signal.SIGKILL)
        child.wait()


def wait_until_up(server: subprocess.Popen[bytes]) -> None:
    """Return when the site answers or a signal has come. Ends where the server has ended or stays silent."""
    # No proxy of this machine's lies between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + STARTING_SECONDS
    while not Stop.asked and time.monotonic() < deadline:
        if server.poll() is not None:
            die("The site could not start: see the lines above.")
        try:
            opener.open(f"{SITE}/", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # any answer will do, an error page too
        except OSError:
            time.sleep(0.1)
    if not Stop.asked:
        die(f"The site did not answer within {STARTING_SECONDS} s: see the lines above.")


def table(logins: str) -> str:
    """Return the addresses and log-ins, one a line; `logins` has lines of role, tab, name and password."""
    rows = [("Site", f"{SITE}/"), ("Admin", f"{SITE}/admin/"), ("Caught mail", f"{SITE}/mail/")]
    for line in logins.splitlines():
        role, tab, name = line.partition("\t")
        if tab:
            rows.append((role, name))
    width = max(len(label) for label, _value in rows)
    return "\n".join(f"  {label:<{width}}  {value}" for label, value in rows)


class Stop:
    """Whether a signal has asked for the end.

    The handler only notes it: an exception in the middle of starting a child could lose the child.
    """

    asked = False

    @classmethod
    def ask(cls, number: int, frame: FrameType | None) -> None:
        """Note the signal."""
        cls.asked = True


def main() -> None:
    """Start everything, print the addresses once the site answers, wait for a signal or the site's end."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, Stop.ask)
    children = [start(SERVER)]
    try:
        wait_until_up(children[0])
        if not Stop.asked:
            # After the site, so that they do not slow its start.
            children += [start(command) for command in HELPERS]
            addresses = table(os.environ.get("LOGINS", ""))
            print(f"\nBedside is running.\n\n{addresses}\n\nCtrl-C ends it.\n", flush=True)
        while not Stop.asked and children[0].poll() is None:
            time.sleep(0.2)
        code = children[0].returncode or 0
    finally:
        end(children)
    sys.exit(code)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check-port"]:
        check_port()
    else:
        main()
