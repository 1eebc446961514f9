"""The commands a person types: what they say when something is missing, and that Ctrl-C leaves nothing behind."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("DATABASE_URL")), reason="the scripts are the same on every database: tested on SQLite's leg"
)

# What a run of the tests has put into the environment must not reach a script.
CLEAN = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "ENV_FILE": "", "LANG": "C.UTF-8"}

# How long something may take before it counts as hanging: ten times and more what it should.
HANGING_SECONDS = 120


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A working copy of its own: this project's files, with neither `.venv` nor `var/`."""
    copy = tmp_path / "bedside"
    copy.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in {".git", ".venv", "var", ".env"}:
            (copy / entry.name).symlink_to(entry)
    return copy


def give_venv(project: Path) -> None:
    """Let the working copy use the Python that runs the tests, as if its packages had just been installed."""
    venv = project / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    for name in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(project / name, venv / f"installed-{name}")


def give_python(folder: Path, name: str, script: str) -> None:
    """Put a program of this name and these shell commands into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH of one folder: what every system has, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "dirname", "mkdir", "id", "cmp", "cp", "cat", "sed"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def run(project: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of the project's commands to its end."""
    return subprocess.run(
        [str(project / command[0]), *command[1:]],
        env=CLEAN | variables,
        capture_output=True,
        text=True,
        timeout=HANGING_SECONDS,
        check=False,
    )


def the_sentence(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed command has said."""
    assert result.returncode == 1, result
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


# --- What is missing is said in one line ----------------------------------------------------------


@pytest.mark.parametrize("command", ["script/server", "script/test"])
def test_without_python_the_script_says_what_to_install(command: str, project: Path, tools: Path) -> None:
    assert "No Python 3.11 or newer found: install one" in the_sentence(run(project, command, PATH=str(tools)))


def test_an_old_python_is_no_python(project: Path, tools: Path) -> None:
    give_python(tools, "python3", "exit 1")
    assert "No Python 3.11 or newer found" in the_sentence(run(project, "script/server", PATH=str(tools)))


def test_an_empty_shim_is_passed_over_for_a_python_that_works(project: Path, tools: Path) -> None:
    give_python(tools, "python3.13", "echo 'python3.13: command not found' >&2; exit 127")
    give_python(tools, "python3", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    assert "venv module is missing" in the_sentence(run(project, "script/server", PATH=str(tools)))


def test_without_the_venv_module_the_script_says_what_to_install(project: Path, tools: Path) -> None:
    give_python(tools, "python3", 'case "$*" in *ensurepip*) echo "No module named ensurepip" >&2; exit 1 ;; esac')
    sentence = the_sentence(run(project, "script/server", PATH=str(tools)))
    assert "apt install python3-venv" in sentence


def test_a_folder_that_cannot_be_written_to_is_named(project: Path, port: int) -> None:
    give_venv(project)
    (project / "file").touch()
    var = f"{project}/file/var"
    sentence = the_sentence(run(project, "script/server", PORT=str(port), VAR_DIR=var))
    assert sentence.startswith(f"Cannot write to {var}: make the folder writable")


def test_a_busy_port_is_named_with_another_to_try(project: Path) -> None:
    give_venv(project)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = the_sentence(run(project, "script/server", PORT=str(port)))
    assert f"Port {port} is in use" in sentence
    assert f"PORT={port + 1}" in sentence
    assert not (project / "var" / "db.sqlite3").exists()


@pytest.mark.parametrize(("port", "sentence"), [("eight", "PORT must be a number"), ("70000", "no port 70000")])
def test_a_port_that_is_none_is_refused(port: str, sentence: str, project: Path) -> None:
    give_venv(project)
    assert sentence in the_sentence(run(project, "script/server", PORT=port))


def test_the_port_may_stand_in_the_env_file(project: Path) -> None:
    give_venv(project)
    (project / "env").write_text("DEBUG=1\nPORT=70001\n")
    assert "no port 70001" in the_sentence(run(project, "script/server", ENV_FILE=str(project / "env")))
    assert "no port 70002" in the_sentence(run(project, "script/server", ENV_FILE=str(project / "env"), PORT="70002"))


# --- Installing -----------------------------------------------------------------------------------


def installs(project: Path) -> list[str]:
    """Install the requirements with a Python that only notes what it was asked; return what was new."""
    log = project / "log"
    before = log.read_text().splitlines() if log.exists() else []
    result = subprocess.run(
        ["sh", "-euc", ". script/lib.sh; install_requirements requirements.txt"],
        cwd=project,
        env=CLEAN | {"LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    after = log.read_text().splitlines() if log.exists() else []
    return [line for line in after[len(before) :] if " install " in line]


def test_packages_are_installed_with_hashes_and_only_when_their_file_has_changed(project: Path) -> None:
    give_python(project / ".venv" / "bin", "python", 'echo "$*" >> "$LOG"')
    [command] = installs(project)
    assert "--require-hashes -r requirements.txt" in command
    assert installs(project) == []
    (project / "requirements.txt").unlink()
    (project / "requirements.txt").write_text("something==2 --hash=sha256:00\n")
    assert len(installs(project)) == 1
    assert installs(project) == []


def test_an_install_that_fails_is_tried_again(project: Path) -> None:
    give_python(project / ".venv" / "bin", "python", 'case "$*" in *install*) exit 1 ;; esac')
    failed = subprocess.run(
        ["sh", "-euc", ". script/lib.sh; install_requirements requirements.txt"],
        cwd=project,
        env=CLEAN,
        capture_output=True,
        text=True,
    )
    assert "Could not install requirements.txt" in the_sentence(failed)
    give_python(project / ".venv" / "bin", "python", 'echo "$*" >> "$LOG"')
    assert len(installs(project)) == 1


# --- Running --------------------------------------------------------------------------------------


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def processes(project: Path) -> list[str]:
    """Return the command lines of all processes that run this working copy's Python."""
    listing = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True)
    return [
        line
        for line in listing.stdout.splitlines()
        # A zombie has ended; nobody has asked for its exit code yet.
        if f"{project}/.venv/bin/python" in line and not line.split()[1].startswith("Z")
    ]


class Server:
    """script/server, started in a session of its own as from a terminal."""

    def __init__(self, project: Path, port: int) -> None:
        self.project = project
        self.log = project / "server.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [str(project / "script" / "server")],
                env=CLEAN | {"PORT": str(port), "VAR_DIR": str(project / "var")},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_up(self) -> None:
        """Return when the addresses are printed; fail with what was printed where the script ends or hangs."""
        deadline = time.monotonic() + HANGING_SECONDS
        while "Ctrl-C ends it" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)

    def end(self, number: signal.Signals, *, whole_group: bool) -> int:
        """Send a signal as a terminal does (to the group) or as `kill` does; return the exit code."""
        if whole_group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(timeout=HANGING_SECONDS)


@pytest.fixture
def started(project: Path, port: int) -> Iterator[Server]:
    """A server that has printed its addresses."""
    give_venv(project)
    server = Server(project, port)
    try:
        server.wait_until_up()
        yield server
    finally:
        # Also where the test has failed: nothing may outlive it.
        for line in processes(project):
            os.kill(int(line.split()[0]), signal.SIGKILL)
        server.process.wait(timeout=HANGING_SECONDS)


def test_one_command_serves_the_site_and_ctrl_c_ends_all_of_it(started: Server, port: int) -> None:
    printed = started.log.read_text()
    for address in (f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/admin/", f"http://127.0.0.1:{port}/mail/"):
        assert address in printed
        with urllib.request.urlopen(address, timeout=HANGING_SECONDS) as response:
            assert response.status == 200
    running = "\n".join(processes(started.project))
    for name in ("runserver", "db_worker", "scheduler", "sender"):
        assert name in running
    assert started.end(signal.SIGINT, whole_group=True) == 0
    assert processes(started.project) == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=HANGING_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_script_alone_ends_all_of_it(started: Server, number: signal.Signals) -> None:
    assert len(processes(started.project)) >= 4
    assert started.end(number, whole_group=False) == 0
    assert processes(started.project) == []


def wait_until_idle(project: Path) -> None:
    """Return when the worker has done what loading the content has asked of it."""
    waiting = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status IN ('READY', 'RUNNING')"
    deadline = time.monotonic() + HANGING_SECONDS
    while True:
        with closing(sqlite3.connect(project / "var" / "db.sqlite3")) as database:
            if database.execute(waiting).fetchone() == (0,):
                return
        assert time.monotonic() < deadline, "the worker has left work undone"
        time.sleep(0.5)


def dump(project: Path) -> list[str]:
    """Return all that the database of a working copy holds, as SQL."""
    with closing(sqlite3.connect(project / "var" / "db.sqlite3")) as database:
        return list(database.iterdump())


@pytest.mark.long
def test_a_second_start_changes_nothing(started: Server, port: int) -> None:
    project = started.project
    wait_until_idle(project)
    started.end(signal.SIGTERM, whole_group=False)
    before, secret = dump(project), (project / "var" / "secret-key").read_bytes()
    assert any("INSERT INTO" in line for line in before)
    again = Server(project, port)
    again.wait_until_up()
    assert "Installing" not in again.log.read_text()
    assert "Preparing" not in again.log.read_text()
    again.end(signal.SIGTERM, whole_group=False)
    assert dump(project) == before
    assert (project / "var" / "secret-key").read_bytes() == secret


@pytest.mark.long
@pytest.mark.parametrize(("body", "code", "word"), [("assert True", 0, "passed"), ("assert False", 1, "FAILED")])
def test_the_tests_run_on_both_databases_and_one_failure_fails_them(
    body: str, code: int, word: str, project: Path
) -> None:
    give_venv(project)
    (project / "test_sample.py").write_text(f"def test_sample() -> None:\n    {body}\n")
    result = run(project, "script/test", "-p", "no:cacheprovider", "test_sample.py")
    assert result.returncode == code, result.stdout
    summary = result.stdout.splitlines()[-2:]
    assert [line.split()[:2] for line in summary] == [["SQLite", word], ["PostgreSQL", word]]
