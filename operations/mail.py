"""Reading the mail that Django's file backend caught on a developer's machine."""

import email
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default as policy
from pathlib import Path

# What the file backend writes after each message.
SEPARATOR = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class CaughtMail:
    """One message: its key in addresses, its bytes as caught, and the parsed message."""

    key: str
    raw: bytes
    message: EmailMessage

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers in their order."""
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        """The plain text, or an empty string where a message has none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML, or an empty string where a message has none."""
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""

    @property
    def parts(self) -> list[str]:
        """The content types of what the message holds."""
        return [part.get_content_type() for part in self.message.walk() if not part.is_multipart()]


def caught_mail(folder: Path) -> list[CaughtMail]:
    """Return the messages caught in this folder, newest first; none where there is no such folder."""
    found: list[CaughtMail] = []
    # The backend names its files by time of creation.
    for path in sorted(folder.glob("*.log")):
        for number, raw in enumerate(path.read_bytes().split(SEPARATOR)):
            if raw.strip():
                message = email.message_from_bytes(raw, _class=EmailMessage, policy=policy)
                found.append(CaughtMail(f"{path.stem}-{number}", raw, message))
    return found[::-1]
