"""An SMTP server for the tests, which fails as it is told to and whose log counts the copies.

A process of its own that imports nothing of Django:

    python -m newsletter.tests.sink --log FILE [--faults JSON] [--delay SECONDS] [--seed N] …

It prints `PORT <number>` once it listens. A mail is in the log before the answer 250 goes out, so that the log, and
not what a sender believes, says what was accepted and how often. It is as strict as RFC 5321 where lax servers hide
mistakes: no bare line feeds, no lines over 998 octets, no eight-bit text that was not announced.

`FAULTS` names what it can do wrong and how it is told. Which mail meets which fault depends on the seed, the
recipient and how often the recipient was offered, and on nothing else: a run can be repeated.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

# Each is given as a share of the mails (of the connections for the last three), from 0 to 1.
FAULTS = {
    "421": "at RCPT: 421, and the connection is closed",
    "451": "at RCPT: for now",
    "550": "at RCPT: no such user",
    "greylist": "at RCPT, the first time a recipient is offered: for now; a share of the recipients",
    "drop_before": "after DATA the connection is closed, and the text is not read",
    "452": "after the dot: for now, and nothing is recorded",
    "554": "after the dot: for good, and nothing is recorded",
    "drop_before_250": "after the dot the connection is closed, and nothing is recorded",
    "drop_after": "the mail is recorded, and the connection is closed without an answer",
    "slow": "the mail is recorded, and the answer takes `slow_seconds`",
    "refuse": "the connection is closed as soon as it is open",
    "421_greeting": "421 is the greeting, and the connection is closed",
    "554_greeting": "554 is the greeting, and everything but QUIT gets a 503",
}
AT_CONNECTION = ("refuse", "421_greeting", "554_greeting")
AT_RCPT = {
    "421": b"421 4.3.2 Going away",
    "451": b"451 4.3.0 Not now",
    "550": b"550 5.1.1 No such user",
    "greylist": b"451 4.2.0 Greylisted, come again",
}
AT_DOT = {"452": b"452 4.3.1 No room", "554": b"554 5.6.0 Not this one"}

MOST_OCTETS = 10 * 1024 * 1024
LONGEST_LINE = 998  # RFC 5322, 2.1.1


class Server:
    """What all connections share: the options, the log and the dice."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.seed: int = options.seed
        self.delay: float = options.delay
        self.slow_seconds: float = options.slow_seconds
        self.keep = Path(options.keep) if options.keep else None
        self.kept = len(list(self.keep.iterdir())) if self.keep else 0
        self.auth = base64.b64encode(b"\0" + options.auth.replace(":", "\0", 1).encode()) if options.auth else b""
        self.tls: ssl.SSLContext | None = None
        if options.starttls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.starttls)
        self.pipelining: bool = options.pipelining
        self.offered: Counter[str] = Counter()
        self.connections = 0
        self.set_faults(json.loads(options.faults))

    def set_faults(self, faults: Mapping[str, float]) -> None:
        """From now on these shares meet these faults. Raises ValueError for a fault that there is none of."""
        if unknown := faults.keys() - FAULTS.keys():
            raise ValueError(f"There is no fault {', '.join(sorted(unknown))}.")
        self.faults = dict(faults)
        self.later = {name: share for name, share in faults.items() if name not in ("greylist", *AT_CONNECTION)}

    def note(self, event: str, **values: Any) -> None:
        """Write an event to the log, which survives the end of this process as soon as this returns."""
        os.write(self.log, json.dumps({"event": event, "time": time.time(), **values}).encode() + b"\n")

    def dice(self, *marks: Any) -> float:
        """A number from 0 to 1 that the seed and the marks decide."""
        text = ":".join(map(str, (self.seed, *marks)))
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64

    def meets(self, fault: str, *marks: Any) -> bool:
        share = self.faults.get(fault, 0)
        return bool(share) and self.dice(fault, *marks) < share

    def fault_of_connection(self) -> str:
        self.connections += 1
        self.note("connected")
        return next((fault for fault in AT_CONNECTION if self.meets(fault, self.connections)), "")

    def fault_of(self, recipient: str) -> str:
        """The fault that this attempt at a recipient meets, or ""."""
        if not self.faults:
            return ""
        self.offered[recipient] += 1
        attempt = self.offered[recipient]
        if attempt == 1 and self.meets("greylist", recipient):
            return "greylist"
        number = self.dice(recipient, attempt)
        for fault, share in self.later.items():
            number -= share
            if number < 0:
                return fault
        return ""

    def record(self, sender: str, recipients: list[str], message: bytes) -> None:
        """Write down that a mail was accepted."""
        if self.keep:
            self.kept += 1
            (self.keep / f"{self.kept:08}.eml").write_bytes(message)
        rest = f'"from": {quoted(sender)}, "message_id": {quoted(_message_id(message))}, "size": {len(message)}'
        for recipient in recipients:
            # As `note` does, in a third of its time.
            line = f'{{"event": "accepted", "time": {time.time():.6f}, "to": {quoted(recipient)}, {rest}}}\n'
            os.write(self.log, line.encode())


class Gone(Exception):
    """The connection is closed, by either side."""


class Connection:
    """One client, in a thread of its own: a round trip costs less than through an event loop.

    Commands may come several to a packet (RFC 2920); the answers then go out in one.
    """

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.unread = b""
        self.answers: list[bytes] = []
        self.turned_away = False
        self.secure = False
        self.known = not server.auth
        self.reset()

    def reset(self) -> None:
        """Forget the mail in hand."""
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.fault = ""
        self.eight_bits = False

    # --- The connection ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until either side closes."""
        with suppress(Gone, OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.greet()
            while True:
                self.read_command()
        self.sock.close()

    def greet(self) -> None:
        fault = self.server.fault_of_connection()
        if fault == "refuse":
            self.drop("greeting")
        elif fault == "421_greeting":
            self.refused(421, "greeting")
            self.say(b"421 4.3.2 Not now")
            self.leave()
        elif fault == "554_greeting":
            self.refused(554, "greeting")
            self.turned_away = True
            self.say(b"554 5.3.2 Not here")
        else:
            self.say(b"220 sink.test ESMTP")

    def receive(self) -> None:
        """Wait for more, when everything that is there has been answered."""
        self.flush()
        data = self.sock.recv(262144)
        if not data:
            raise Gone
        self.unread += data

    def say(self, answer: bytes) -> None:
        self.answers.append(answer)

    def flush(self) -> None:
        if self.answers:
            self.sock.sendall(b"\r\n".join(self.answers) + b"\r\n")
            self.answers.clear()

    def leave(self) -> NoReturn:
        """Close with what was said."""
        self.flush()
        raise Gone

    def drop(self, at: str) -> NoReturn:
        """Close without a word."""
        self.server.note("dropped", at=at, to=self.recipients[-1] if self.recipients else "")
        raise Gone

    def refused(self, code: int, at: str, recipient: str = "") -> None:
        self.server.note("refused", code=code, at=at, to=recipient or (self.recipients or [""])[-1])

    # --- Commands ----------------------------------------------------------------------------------------------

    def read_command(self) -> None:
        while b"\n" not in self.unread:
            self.receive()
        line, _end, self.unread = self.unread.partition(b"\n")
        verb = line[:4].upper()
        if self.turned_away and verb != b"QUIT":
            self.say(b"503 5.5.1 Not here")
        elif verb == b"MAIL":
            self.mail(line)
        elif verb == b"RCPT":
            self.rcpt(line)
        elif verb == b"DATA":
            self.data()
        else:
            self.other(verb, line)

    def mail(self, line: bytes) -> None:
        sender = _path(line)
        if sender is None:
            self.say(b"501 5.5.4 MAIL FROM:<address>")
        elif not self.known:
            self.say(b"530 5.7.0 Authentication required")
        elif self.sender is not None:
            self.say(b"503 5.5.1 There is a mail in hand already")
        elif _size(line) > MOST_OCTETS:
            self.say(b"552 5.3.4 Too large")
        else:
            self.sender = sender
            self.eight_bits = b"BODY=8BITMIME" in line.upper()
            self.say(b"250 2.1.0 Ok")

    def rcpt(self, line: bytes) -> None:
        recipient = _path(line)
        if self.sender is None:
            self.say(b"503 5.5.1 MAIL comes first")
            return
        if not recipient:
            self.say(b"501 5.5.4 RCPT TO:<address>")
            return
        fault = self.server.fault_of(recipient)
        if answer := AT_RCPT.get(fault):
            self.refused(int(answer[:3]), "rcpt", recipient)
            self.say(answer)
            if fault == "421":
                self.leave()
            return
        self.recipients.append(recipient)
        self.fault = self.fault or fault
        self.say(b"250 2.1.5 Ok")

    def data(self) -> None:
        if self.recipients:
            self.say(b"354 End with a dot")
            self.end_of_text(self.read_text())
        else:
            self.say(b"554 5.5.1 No valid recipients")

    def other(self, verb: bytes, line: bytes) -> None:
        server = self.server
        if verb == b"EHLO":
            self.reset()
            self.say(self.extensions())
        elif verb in (b"HELO", b"RSET", b"NOOP"):
            if verb != b"NOOP":
                self.reset()
            self.say(b"250 2.0.0 Ok")
        elif verb == b"QUIT":
            self.say(b"221 2.0.0 Bye")
            self.leave()
        elif verb == b"STAR" and server.tls and not self.secure:
            self.start_tls(server.tls)
        elif verb == b"AUTH" and server.auth:
            self.known = line.split()[1:] == [b"PLAIN", server.auth]
            self.say(b"235 2.7.0 Ok" if self.known else b"535 5.7.8 Wrong name or password")
        else:
            self.say(b"502 5.5.1 No such command")

    def extensions(self) -> bytes:
        lines = [b"sink.test", b"8BITMIME", b"SIZE %d" % MOST_OCTETS]
        if self.server.pipelining:
            lines.append(b"PIPELINING")
        if self.server.tls and not self.secure:
            lines.append(b"STARTTLS")
        if self.server.auth:
            lines.append(b"AUTH PLAIN")
        lines.append(b"ENHANCEDSTATUSCODES")
        return b"250-" + b"\r\n250-".join(lines[:-1]) + b"\r\n250 " + lines[-1]

    def start_tls(self, context: ssl.SSLContext) -> None:
        """RFC 3207: what was said before is forgotten, also what the client sent ahead."""
        self.say(b"220 2.0.0 Go ahead")
        self.flush()
        self.reset()
        self.unread = b""
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.secure = True

    # --- The text ----------------------------------------------------------------------------------------------

    def read_text(self) -> bytes:
        """The text up to the dot, without it and the dots that only shield others (RFC 5321, 4.5.2)."""
        searched = 0
        while True:
            if self.unread and self.fault == "drop_before":
                self.drop("data")
            if self.unread.startswith(b".\r\n"):
                stop, start = 0, 3
                break
            found = self.unread.find(b"\r\n.\r\n", searched)
            if found >= 0:
                stop, start = found + 2, found + 5
                break
            searched = max(0, len(self.unread) - 4)
            self.receive()
        text, self.unread = self.unread[:stop], self.unread[start:]
        return text.removeprefix(b".").replace(b"\r\n.", b"\r\n")

    def end_of_text(self, message: bytes) -> None:
        """The dot has been read: decide, record, and only then answer."""
        assert self.sender is not None
        if answer := _mistake(message, self.eight_bits) or AT_DOT.get(self.fault):
            self.say(answer)
            self.refused(int(answer[:3]), "dot")
        elif self.fault == "drop_before_250":
            self.drop("dot")
        else:
            self.server.record(self.sender, self.recipients, message)
            if self.fault == "drop_after":
                self.drop("250")
            seconds = self.server.slow_seconds if self.fault == "slow" else self.server.delay
            if seconds:
                self.flush()
                time.sleep(seconds)
            self.say(b"250 2.0.0 Ok")
        self.reset()


def _path(line: bytes) -> str | None:
    """The address in angle brackets of a MAIL or RCPT; None where there is none."""
    start, end = line.find(b"<"), line.find(b">")
    return line[start + 1 : end].decode("ascii", "replace") if 0 <= start < end else None


def _size(line: bytes) -> int:
    """The SIZE that a MAIL announces (RFC 1870); 0 where it does not."""
    _before, _mark, rest = line.upper().partition(b" SIZE=")
    number = rest.split(maxsplit=1)[0] if rest else b"0"
    return int(number) if number.isdigit() else 0


def _mistake(message: bytes, eight_bits: bool) -> bytes | None:
    """The answer to a text that is against the rules."""
    if len(message) > MOST_OCTETS:
        return b"552 5.3.4 Too large"
    without_ends = message.replace(b"\r\n", b"")
    if b"\r" in without_ends or b"\n" in without_ends:
        return b"550 5.6.11 A line feed or carriage return by itself"
    if not message.isascii() and not eight_bits:
        return b"554 5.6.1 Eight bits that were not announced"
    if len(max(message.split(b"\r\n"), key=len)) > LONGEST_LINE:
        return b"554 5.6.0 A line is too long"
    return None


def _message_id(message: bytes) -> str:
    """The Message-ID with its angle brackets, or ""."""
    head = b"\n" + message[: message.find(b"\r\n\r\n")]
    place = head.lower().find(b"\nmessage-id:")
    if place < 0:
        return ""
    start = head.find(b"<", place)
    return head[start : head.find(b">", start) + 1].decode("ascii", "replace") if start >= 0 else ""


# --- The process -----------------------------------------------------------------------------------------------


def read_options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An SMTP server for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any that is free")
    parser.add_argument("--log", required=True, help="one JSON line an event is appended to this file")
    parser.add_argument("--faults", default="{}", help='such as {"451": 0.05}: ' + ", ".join(FAULTS))
    parser.add_argument("--delay", type=float, default=0, help="seconds between recording a mail and the 250")
    parser.add_argument("--slow-seconds", type=float, default=30, help="the same for the fault `slow`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pipelining", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--starttls", help="a PEM file with a key and its certificate")
    parser.add_argument("--auth", help="NAME:PASSWORD, without which no mail is taken")
    parser.add_argument("--keep", help="a folder for the mails that were accepted")
    parser.add_argument("--commands", action="store_true", help="take new faults from stdin, as JSON lines")
    return parser.parse_args(arguments)


def listen(server: Server, listener: socket.socket) -> None:
    """Serve every connection, each in a thread."""
    while True:
        sock, _address = listener.accept()
        threading.Thread(target=Connection(server, sock).run, daemon=True).start()


def main(options: argparse.Namespace) -> None:
    """Serve until the process is ended, or until the one that gives the commands is gone."""
    server = Server(options)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=500)
    print("PORT", listener.getsockname()[1], flush=True)  # noqa: T201
    if not options.commands:
        listen(server, listener)
    threading.Thread(target=listen, args=(server, listener), daemon=True).start()
    for line in sys.stdin:
        server.set_faults(json.loads(line))
        print("FAULTS", flush=True)  # noqa: T201


# --- For a test ------------------------------------------------------------------------------------------------


class Accepted(NamedTuple):
    """A mail that the sink answered, or was about to answer, with 250; one a recipient."""

    time: float
    sender: str
    recipient: str
    message_id: str
    size: int


class Sink:
    """A running sink, seen from the test. What it tells is read from the log, also after its end."""

    def __init__(self, log: Path, process: subprocess.Popen[str], keep: Path | None) -> None:
        self.log, self.process, self.keep = log, process, keep
        self.port = int(self._line("PORT").split()[1])

    def _line(self, what: str) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(what):
            self.stop()
            raise RuntimeError(f"The sink says {line!r}, not {what}.")
        return line

    def events(self, *names: str) -> list[dict[str, Any]]:
        """What happened (*accepted*, *refused*, *dropped*, *connected*), in order; all of it without names."""
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        events = [json.loads(line) for line in lines]
        return [event for event in events if not names or event["event"] in names]

    def accepted(self) -> list[Accepted]:
        """The mails that were accepted, in order."""
        return [
            Accepted(event["time"], event["from"], event["to"], event["message_id"], event["size"])
            for event in self.events("accepted")
        ]

    def copies(self) -> Counter[str]:
        """How many copies each recipient has."""
        return Counter(mail.recipient for mail in self.accepted())

    def messages(self) -> list[bytes]:
        """The mails that were accepted, whole, in order; `keep` must be given."""
        assert self.keep is not None, "start it with keep="
        return [path.read_bytes() for path in sorted(self.keep.iterdir())]

    def set_faults(self, faults: Mapping[str, float]) -> None:
        """From now on, these faults and no others."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(dict(faults)) + "\n")
        self.process.stdin.flush()
        self._line("FAULTS")

    def pause(self) -> None:
        """Answer nothing; the system still takes connections."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, as `kill -9` would: connections break, new ones are refused."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


@contextmanager
def running_sink(
    log: Path, *, faults: Mapping[str, float] | None = None, keep: Path | None = None, **options: Any
) -> Iterator[Sink]:
    """A sink for the block. `options` are those of the command line, such as `delay=0.01` or `pipelining=False`.

    One that is given the port and the log of a stopped one takes its place.
    """
    command = [sys.executable, "-m", "newsletter.tests.sink", "--commands", f"--log={log}"]
    command.append(f"--faults={json.dumps(dict(faults or {}))}")
    if keep:
        keep.mkdir(exist_ok=True)
        command.append(f"--keep={keep}")
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            command.append(f"--{flag}={value}")
    process = subprocess.Popen(
        command,
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    sink = Sink(Path(log), process, keep)
    try:
        yield sink
    finally:
        sink.stop()


if __name__ == "__main__":
    main(read_options(sys.argv[1:]))
