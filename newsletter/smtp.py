"""The dialogue with the relay (RFC 5321), up to the final dot and after it.

Django's backend and `smtplib.sendmail` cannot tell "not sent" from "perhaps sent": after the dot, a time-out and a
lost connection look as they do before it. So the steps are ours, over smtplib's connection, TLS and authentication:
`offer` does everything up to the dot, `finish` writes it. MAIL, RCPT and DATA go in one packet where the relay takes
that (PIPELINING, RFC 2920).
"""

from __future__ import annotations

import email
import re
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import get_connection

# Seconds, of RFC 5321 4.5.3.2 where a person can wait for them: it asks for 5 minutes a command, which would be most
# of a sender's lease. After the dot nothing is gained by giving up early, only certainty lost: its full 10 minutes.
CONNECT_SECONDS = 15
REPLY_SECONDS = 30
FINAL_SECONDS = 600

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

_LEADING_DOT = re.compile(rb"(?m)^\.")
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True)
class Reply:
    """What the relay said: its code (RFC 5321, 4.2), the enhanced status (RFC 3463; "" if none) and its text."""

    code: int
    text: str

    @property
    def status(self) -> str:
        found = _ENHANCED.match(self.text)
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class RelayDown(Exception):
    """The relay does not serve us: no connection, no TLS, no log-in, or it refuses our own address."""


class Rejected(Exception):
    """The relay refused this mail before the dot."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Lost(Exception):
    """The connection ended before the dot: it was not sent."""


class Uncertain(Exception):
    """The connection ended after the dot: nobody knows."""


class Relay(Protocol):
    """Where mail is handed over: one mail at a time, in two steps."""

    def connect(self) -> None:
        """Be ready for the next mail. Raises RelayDown."""

    def offer(self, sender: str, recipient: str, message: bytes) -> None:
        """Hand over everything but the dot. Raises Rejected, Lost or RelayDown."""

    def finish(self) -> Reply:
        """Write the dot and return the relay's answer, which may be a refusal. Raises Uncertain, or Lost where the
        connection had ended before."""

    def close(self) -> None:
        """Let go of the connection, with no word to the relay where a mail is half handed over."""


def make_relay(heartbeat: Callable[[], None]) -> Relay:
    """The relay of the settings. `heartbeat` is called every second while waiting for an answer."""
    return SmtpRelay(heartbeat) if settings.EMAIL_BACKEND == SMTP_BACKEND else BackendRelay()


class SmtpRelay:
    """An SMTP server, by Django's EMAIL_ settings. Where they ask for TLS, nothing is sent without."""

    def __init__(self, heartbeat: Callable[[], None]) -> None:
        self.heartbeat = heartbeat
        self.server: smtplib.SMTP | None = None
        self.open_mail = False
        self.unread = b""
        self.final_seconds: float = FINAL_SECONDS

    def connect(self) -> None:
        if self.server is not None:
            return
        try:
            self.server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise RelayDown(_sentence(error)) from error
        self.open_mail, self.unread = False, b""

    def _connect(self) -> smtplib.SMTP:
        context = _verifying_context() if settings.EMAIL_USE_SSL or settings.EMAIL_USE_TLS else None
        at: dict[str, Any] = {
            "host": settings.EMAIL_HOST,
            "port": settings.EMAIL_PORT,
            "local_hostname": settings.MAIL_DOMAIN,
            "timeout": settings.EMAIL_TIMEOUT or CONNECT_SECONDS,
        }
        server = smtplib.SMTP_SSL(**at, context=context) if settings.EMAIL_USE_SSL else smtplib.SMTP(**at)
        try:
            if settings.EMAIL_USE_TLS:
                server.starttls(context=context)
            if settings.EMAIL_HOST_USER:
                server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
            server.ehlo_or_helo_if_needed()
            assert server.sock is not None
            # The dot is a small packet of its own: with Nagle's algorithm it waits 40 ms for the last one's ACK.
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sock.settimeout(REPLY_SECONDS)
        except BaseException:
            server.close()
            raise
        return server

    def offer(self, sender: str, recipient: str, message: bytes) -> None:
        self.connect()
        assert self.server is not None
        commands = [f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"]
        if self.open_mail:
            commands.insert(0, "RSET")
        self.open_mail = True
        try:
            replies = self._exchange(commands)
            for command, reply in zip(commands, replies, strict=False):
                if command.startswith("MAIL") and reply.code >= 500:
                    # It is our address that it refuses, for this mail as for all others.
                    raise RelayDown(str(reply))
                if reply.code >= 400:
                    if reply.code == 421 or replies[-1].code == 354:
                        self.close()  # it is going away, or waits for a text all the same and shall get none
                    raise Rejected(reply)
            self._send(_LEADING_DOT.sub(b"..", message))
        except Rejected:
            raise
        except RelayDown:
            self.close()
            raise
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Lost(_sentence(error)) from error

    def finish(self) -> Reply:
        assert self.server is not None
        assert self.server.sock is not None
        if select.select([self.server.sock], [], [], 0)[0]:
            # It has nothing to say before the dot: it is going away, and what it has is no mail.
            self.close()
            raise Lost("The relay closed the connection in the middle of the mail.")
        try:
            self._send(b".\r\n")
            reply = self._reply(self.final_seconds)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Uncertain(_sentence(error)) from error
        if reply.code == 421:
            self.close()
        self.open_mail = not 200 <= reply.code < 300
        return reply

    def close(self) -> None:
        if self.server is None:
            return
        server, self.server = self.server, None
        # QUIT only between mails: in the middle of a text it would be part of it.
        with suppress(OSError, smtplib.SMTPException):
            if not self.open_mail and server.sock is not None:
                server.sock.settimeout(1)
                server.putcmd("quit")
        server.close()

    def _exchange(self, commands: list[str]) -> list[Reply]:
        """Send the commands, all at once where the relay takes that; the replies up to the first refusal or all."""
        assert self.server is not None
        replies: list[Reply] = []
        if self.server.has_extn("pipelining"):
            self._send("".join(f"{command}\r\n" for command in commands).encode("ascii"))
            # 421 to any of them is the last answer there is.
            while len(replies) < len(commands) and (not replies or replies[-1].code != 421):
                replies.append(self._reply(REPLY_SECONDS))
            return replies
        for command in commands:
            self._send(f"{command}\r\n".encode("ascii"))
            replies.append(self._reply(REPLY_SECONDS))
            if replies[-1].code >= 400:
                break
        return replies

    def _send(self, data: bytes) -> None:
        assert self.server is not None
        assert self.server.sock is not None
        self.server.sock.sendall(data)

    def _reply(self, seconds: float) -> Reply:
        """The next answer, of one line or several. Raises OSError or SMTPException."""
        until = time.monotonic() + seconds
        texts: list[bytes] = []
        while True:
            line = self._line(until)
            if not line[:3].isdigit() or len(texts) > 100:
                raise smtplib.SMTPServerDisconnected("The relay answered nonsense.")
            texts.append(line[4:].strip())
            if line[3:4] != b"-":
                return Reply(int(line[:3]), _one_line(b" ".join(texts)))

    def _line(self, until: float) -> bytes:
        assert self.server is not None
        assert self.server.sock is not None
        while b"\n" not in self.unread:
            self._wait(until)
            data = self.server.sock.recv(8192)
            if not data or len(self.unread) > 65536:
                raise smtplib.SMTPServerDisconnected("The relay closed the connection.")
            self.unread += data
        line, _end, self.unread = self.unread.partition(b"\n")
        return line

    def _wait(self, until: float) -> None:
        """Return when there is something to read; a lease is kept meanwhile. Raises TimeoutError."""
        assert self.server is not None
        sock = self.server.sock
        assert sock is not None
        while not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            left = until - time.monotonic()
            if select.select([sock], [], [], min(1.0, max(0.0, left)))[0]:
                return
            if left <= 0:
                raise TimeoutError("The relay did not answer in time.")
            self.heartbeat()


def _verifying_context() -> ssl.SSLContext:
    """TLS that checks the relay's certificate, with our own where the settings have one."""
    context = ssl.create_default_context()
    if settings.EMAIL_SSL_CERTFILE:
        context.load_cert_chain(settings.EMAIL_SSL_CERTFILE, settings.EMAIL_SSL_KEYFILE)
    return context


class BackendRelay:
    """Any other of Django's mail backends: files in development, memory in tests. What it raises is uncertain."""

    def __init__(self) -> None:
        self.mail: _Ready | None = None

    def connect(self) -> None:
        pass

    def offer(self, sender: str, recipient: str, message: bytes) -> None:
        self.mail = _Ready(sender, recipient, message)

    def finish(self) -> Reply:
        assert self.mail is not None
        try:
            get_connection(fail_silently=False).send_messages([self.mail])  # type: ignore[list-item]
        except Exception as error:
            raise Uncertain(_sentence(error)) from error
        return Reply(250, "2.0.0 Taken by the mail backend")

    def close(self) -> None:
        self.mail = None


class _Ready:
    """As much of Django's EmailMessage as a backend asks for; the bytes are kept as they are."""

    def __init__(self, sender: str, recipient: str, message: bytes) -> None:
        self.from_email, self.to, self.bytes = sender, [recipient], message

    def recipients(self) -> list[str]:
        return self.to

    def message(self, **_options: Any) -> Message:
        return email.message_from_bytes(self.bytes)


def _sentence(error: BaseException) -> str:
    """What an exception says, in one line; smtplib keeps the relay's answer apart."""
    code, text = getattr(error, "smtp_code", None), getattr(error, "smtp_error", b"")
    said = f"{code} {_one_line(text)}" if code and isinstance(text, bytes) else str(error)
    return _one_line((said or type(error).__name__).encode())


def _one_line(text: bytes) -> str:
    """What a stranger wrote, as it may be stored: no control characters (PostgreSQL refuses NUL), 500 characters."""
    readable = "".join(letter if letter.isprintable() else " " for letter in text.decode("utf-8", "replace"))
    return " ".join(readable.split())[:500]
