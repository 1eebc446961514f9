"""Fetches one page or picture that a person asked for, from public addresses only.

Whoever gives an address may mean the machine itself or its network, so nothing is believed: the name is resolved once,
every address it has must be public, and the connection goes to the address that was checked. Redirects are checked in
the same way. There are no cookies, no proxies and no passwords. robots.txt is not asked: it is for programs that follow
links by themselves, and this one takes what a person names, once.
"""

from __future__ import annotations

import re
import socket
import ssl
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from functools import cache
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore
from django.utils.translation import gettext as _

from .blocks import Source, UnreadableSource

LIMIT = 10 * 1024 * 1024  # bytes
SECONDS = 10.0
REDIRECTS = 3
PORTS = {"http": 80, "https": 443}
_LONGEST = 2000  # characters of an address
_HEADERS = {
    "User-Agent": "Bedside-import/1.0 (one page, asked for by a person)",
    "Accept": "text/html, application/xhtml+xml, application/xml, text/*, image/*, */*;q=0.1",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
# What an article, a feed, a Word file or a picture is sent as. Servers that do not know say octet-stream.
_TYPES = re.compile(
    r"text/.+|image/.+|application/(?:.+\+)?(?:xml|json)|application/feed\+json|application/octet-stream"
    r"|application/(?:x-)?zip(?:-compressed)?|application/vnd\.openxmlformats-officedocument\.wordprocessingml\.document"
)
_REDIRECTS = {301, 302, 303, 307, 308}
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2000-\u200f\u2028-\u202f\ufeff]")
_PATH = "/%:@!$&'()*+,;=~-._"

_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")  # is_global before Python 3.13
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: on networks without IPv4, what all IPv4 addresses look like
_OWN_HOST = IPv4Address("168.63.129.16")  # public by its number, but at Azure it is the host of the machine


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address led to. ``url`` is where it was in the end, after redirects."""

    url: str
    content: bytes
    content_type: str = ""


def fetch(url: str, *, limit: int = LIMIT, seconds: float = SECONDS) -> Fetched:
    """Fetch one web address over HTTP or HTTPS on their own ports, with at most three redirects.

    ``limit`` is in bytes, also of what is unpacked; ``seconds`` is for everything together, from the first name that is
    resolved to the last byte. Raises UnreadableSource with a sentence that names the address where it may not be
    asked, does not answer in time, or answers with anything but a page, a file that can be imported or a picture.
    """
    ends = monotonic() + seconds
    base = ""
    for _turn in range(REDIRECTS + 1):
        address = _Address.of(url, base)
        answer = _ask(address, limit, ends)
        if isinstance(answer, Fetched):
            return answer
        url, base = answer, address.url
    reason = _("it leads on to another address too often.")
    raise UnreadableSource(_("%(url)s was not fetched: %(reason)s") % {"url": _shown(url), "reason": reason})


def fetched_source(url: str) -> Source:
    """Fetch a page and return it for the readers; raises as ``fetch`` does.

    The encoding that only the server knows is kept: the text is handed on in UTF-8 with a byte order mark.
    """
    found = fetch(url)
    content = found.content
    header = Message()
    header["Content-Type"] = found.content_type
    charset = header.get_content_charset("")
    if charset and header.get_content_maintype() == "text":
        with suppress(LookupError, UnicodeError):  # then the readers find out for themselves
            content = content.decode(charset).encode("utf-8-sig")
    return Source(found.url, lambda: BytesIO(content), len(content))


def is_public(address: str) -> bool:
    """Tell whether an IP address, as the resolver writes it, is one that everybody on the internet reaches."""
    ip = ip_address(address)  # with a zone it is in no public network
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return is_public(str(IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _UNICAST or ip in _DOCUMENTATION or ip.sixtofour or ip.teredo:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip != _OWN_HOST


def resolve(host: str, port: int) -> list[str]:
    """Return every IP address of a name; a test puts its own in this place."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


class _Refused(Exception):
    """An address that may not be asked; the message says why, and follows the address in a sentence."""


@dataclass(frozen=True, slots=True)
class _Address:
    """A web address in parts, as it is asked for."""

    url: str
    scheme: str
    host: str
    target: str

    @classmethod
    def of(cls, url: str, base: str = "") -> _Address:
        try:
            return cls._of(urljoin(base, url) if base and not _INVISIBLE.search(url) else url)
        except _Refused as refused:
            reason = str(refused)
        except ValueError:  # brackets, ports, labels of a name
            reason = _("this is not a web address.")
        raise UnreadableSource(_("%(url)s was not fetched: %(reason)s") % {"url": _shown(url), "reason": reason})

    @classmethod
    def _of(cls, url: str) -> _Address:
        if len(url) > _LONGEST:
            raise _Refused(_("the address is too long."))
        if _INVISIBLE.search(url):
            raise _Refused(_("there is a space, a backslash or an invisible character in it."))
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            raise _Refused(_("only addresses with http:// or https:// are."))
        if "@" in parts.netloc:
            raise _Refused(_("there is a name or a password in it."))
        if parts.port not in (None, PORTS[parts.scheme]):
            raise _Refused(_("only the usual ports of the web are asked, 80 and 443."))
        host = (parts.hostname or "").rstrip(".")
        if ":" not in host:
            host = host.encode("idna").decode()
        elif "%" in host:
            raise _Refused(_("it is an address of this network only."))
        target = quote(parts.path or "/", safe=_PATH)
        if parts.query:
            target += f"?{quote(parts.query, safe=_PATH + '?')}"
        name = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
        return cls(f"{parts.scheme}://{name}{port}{target}", parts.scheme, host, target)


def _shown(url: str) -> str:
    """An address that may hold anything, on one line and not endless."""
    return "".join(character if character.isprintable() else "?" for character in url[:200])


def _ask(address: _Address, limit: int, ends: float) -> Fetched | str:
    """Ask one address; the answer is what it sends, or the address that it leads on to."""
    try:
        with (
            httpcore.ConnectionPool(ssl_context=certificates(), network_backend=_Checked(ends)) as pool,
            pool.stream(
                "GET",
                httpcore.URL(
                    scheme=address.scheme, host=address.host, port=PORTS[address.scheme], target=address.target
                ),
                headers=[*_HEADERS.items(), ("Host", urlsplit(address.url).netloc)],
            ) as response,
        ):
            headers = {
                name.decode("latin-1").lower(): value.decode(errors="replace") for name, value in response.headers
            }
            if response.status in _REDIRECTS and headers.get("location"):
                return headers["location"]
            if response.status != 200:
                raise _Refused(_("the server answered with %(status)d.") % {"status": response.status})
            content_type = headers.get("content-type", "")
            kind = content_type.partition(";")[0].strip().lower()
            if kind and not _TYPES.fullmatch(kind):
                raise _Refused(_("it is “%(type)s”, which cannot be imported.") % {"type": _shown(kind)})
            chunks = _unpacked(response.iter_stream(), headers.get("content-encoding", ""), limit)
            return Fetched(address.url, _joined(chunks, limit), content_type)
    except _Refused as refused:
        reason = str(refused)
    except (httpcore.TimeoutException, TimeoutError):
        reason = _("it took too long.")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, zlib.error) as error:
        reason = _("there was no answer that can be read.")
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
            reason = _("its certificate is not valid.")
    raise UnreadableSource(_("%(url)s was not fetched: %(reason)s") % {"url": _shown(address.url), "reason": reason})


@cache
def certificates() -> ssl.SSLContext:
    """Return what a server has to prove who it is with; a test puts its own in this place."""
    return httpcore.default_ssl_context()


def _joined(chunks: Iterable[bytes], limit: int) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise _Refused(_("it is larger than %(megabytes)d MB.") % {"megabytes": max(1, limit >> 20)})
    return bytes(content)


def _unpacked(chunks: Iterable[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """Unpack what a server sends packed though it was asked not to, never more at a time than one byte too many."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        yield from chunks
    elif encoding in {"gzip", "x-gzip", "deflate"}:
        unpacker = zlib.decompressobj(wbits=47 if "gzip" in encoding else 15)
        for chunk in chunks:
            yield unpacker.decompress(chunk, limit + 1)
        if not unpacker.eof:
            raise _Refused(_("it ended too early."))
    else:
        raise _Refused(_("it is packed in a way that was not asked for."))


class _Checked(httpcore.NetworkBackend):
    """Connects to public addresses only, and has time until ``ends``."""

    def __init__(self, ends: float) -> None:
        self.ends = ends

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        thread = ThreadPoolExecutor(1)  # a resolver takes no deadline
        try:
            addresses = thread.submit(resolve, host, port).result(_left(self.ends))
        except socket.gaierror as error:
            raise _Refused(_("there is no such server.")) from error
        except UnicodeError as error:
            raise _Refused(_("this is not a web address.")) from error
        finally:
            thread.shutdown(wait=False)
        if not addresses or not all(map(is_public, addresses)):
            raise _Refused(_("it leads into a network that is not public."))
        for number, address in enumerate(addresses, 1):
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, _left(self.ends))
                return _Timed(stream, self.ends)
            except httpcore.ConnectError:  # perhaps there is no IPv6 here
                if number == len(addresses):
                    raise
        raise AssertionError


class _Timed(httpcore.NetworkStream):
    """A connection on which every step has only the time that is left for all."""

    def __init__(self, stream: httpcore.NetworkStream, ends: float) -> None:
        self.stream, self.ends = stream, ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(self.ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(self.ends))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self.stream.start_tls(ssl_context, server_hostname, _left(self.ends)), self.ends)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _left(ends: float) -> float:
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
