"""Fetches one page or picture from another site, and never from this machine or its neighbours.

A name is resolved once, every address it has must be public, and the connection goes to that very address; so no
resolver that answers otherwise the second time, and no redirect, leads inside. No cookie, proxy or password is used.
robots.txt is not asked: a person named the page, one at a time.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.utils.translation import gettext as _

from blog.importing.blocks import Source, UnreadableSource

MOST_BYTES = 10 * 1024 * 1024
MOST_SECONDS = 10.0
MOST_REDIRECTS = 3
PORTS = {"http": 80, "https": 443}
AGENT = "Bedside-import/1 (fetches a page that an editor asked for)"
_CHUNK = 64 * 1024
# RFC 6052: the last 32 bits are the IPv4 address that a gateway goes on to.
_NAT64 = IPv6Network("64:ff9b::/96")


class FetchRefused(UnreadableSource):
    """It was not fetched; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL led to, after redirects, and what was there."""

    url: str
    content: bytes
    content_type: str


@dataclass(frozen=True)
class Network:
    """Where `fetch` meets the world: which ports it may use, which addresses are public, whom TLS trusts."""

    resolve: Callable[[str, int], list[str]]
    is_public: Callable[[str], bool]
    ports: frozenset[int]
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet, also behind every way to write IPv4 in IPv6."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    inner = _inner(ip) if isinstance(ip, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    site_local = isinstance(ip, IPv6Address) and ip.is_site_local
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or site_local)


def _inner(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo[1] if ip.teredo else None
    # ::a.b.c.d, long out of use (RFC 4291, 2.5.5.1).
    compatible = IPv4Address(int(ip)) if int(ip) < 2**32 else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or compatible


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


INTERNET = Network(_resolve, is_public, frozenset(PORTS.values()))


def fetch(url: str, *, limit: int = MOST_BYTES, seconds: float = MOST_SECONDS, network: Network = INTERNET) -> Fetched:
    """Fetch an http or https URL with one GET, following up to three redirects, each checked like the first.

    Takes `limit` in bytes and `seconds` for everything together, name resolution and redirects too. Raises
    FetchRefused, with a sentence, for every address that is not public and whatever goes wrong on the way.
    """
    deadline = time.monotonic() + seconds
    for _turn in range(MOST_REDIRECTS + 1):
        target = _target(url, network)
        answer = _ask(target, limit, deadline, network)
        if isinstance(answer, Fetched):
            return answer
        url = urljoin(target.geturl(), answer)
    raise FetchRefused(_("“%s” leads on to another address too often.") % _shown(url))


def fetched_source(url: str) -> Source:
    """Fetch a URL as a source for the readers. Raises FetchRefused."""
    found = fetch(url)
    return Source(found.url, lambda: BytesIO(found.content), len(found.content))


def _target(url: str, network: Network) -> SplitResult:
    """The URL in parts, its host in ASCII. Raises FetchRefused for what is no plain web address."""
    plain = _("“%s” is no web address that can be fetched.") % _shown(url)
    if len(url) > 2000 or any(ord(letter) <= 32 or ord(letter) == 127 or letter == "\\" for letter in url):
        raise FetchRefused(plain)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or ""), parts.port
        if ":" not in host:
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise FetchRefused(plain) from None
    if parts.scheme not in PORTS or not host or "%" in host:
        raise FetchRefused(plain)
    if "@" in parts.netloc:
        raise FetchRefused(_("“%s” holds a name or password. Give the address without.") % _shown(url))
    port = port if port is not None else PORTS[parts.scheme]
    if port not in network.ports:
        raise FetchRefused(_("“%s” names a port that web sites do not use.") % _shown(url))
    netloc = f"[{host}]" if ":" in host else host
    netloc += "" if port == PORTS[parts.scheme] else f":{port}"
    path, query = quote(parts.path, safe="/%:@!$&'()*+,;=~-._"), quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    return SplitResult(parts.scheme, netloc, path or "/", query, "")


def _ask(target: SplitResult, limit: int, deadline: float, network: Network) -> Fetched | str:
    """Ask once. Returns what is there, or where it says to go on."""
    name = _shown(target.geturl())
    connection = _connection(target, deadline, network)
    # Every single wait of a socket may be short and the whole endless: at the deadline the line is cut.
    late = threading.Event()
    lines: list[socket.socket] = []

    def cut() -> None:
        late.set()
        for line in lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        lines.append(connection.sock)  # an answer takes it from the connection
        found = _answer(connection, target, limit, name)
        if not late.is_set():  # else it may be cut off
            return found
    except FetchRefused:
        if not late.is_set():
            raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if not late.is_set() and not isinstance(error, TimeoutError):
            raise FetchRefused(_("“%(url)s” could not be fetched: %(why)s") % {"url": name, "why": error}) from None
    finally:
        watch.cancel()
        connection.close()
    raise FetchRefused(_("“%s” took too long.") % name)


def _answer(connection: http.client.HTTPConnection, target: SplitResult, limit: int, name: str) -> Fetched | str:
    path = f"{target.path}?{target.query}" if target.query else target.path
    headers = {"Host": target.netloc, "User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    if response.status in (301, 302, 303, 307, 308):
        return response.headers.get("Location") or ""
    if response.status != 200:
        raise FetchRefused(
            _("“%(url)s” answered %(status)d instead of a page.") % {"url": name, "status": response.status}
        )
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchRefused(_("“%s” answers compressed where that was not asked for.") % name)
    content = bytearray()
    while chunk := response.read(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise FetchRefused(
                _("“%(url)s” is larger than %(limit)d MB.") % {"url": name, "limit": limit // 1024 // 1024}
            )
    if response.length:
        raise FetchRefused(_("“%s” broke off before its end.") % name)
    return Fetched(target.geturl(), bytes(content), response.headers.get_content_type())


def _connection(target: SplitResult, deadline: float, network: Network) -> http.client.HTTPConnection:
    """A connection to an address of the host that was found public, and to no other."""
    host, port = target.hostname or "", target.port or PORTS[target.scheme]
    address = _public_address(host, port, deadline, network)
    seconds = max(0.01, deadline - time.monotonic())
    connection: http.client.HTTPConnection = http.client.HTTPConnection(address, port, timeout=seconds)
    if target.scheme == "https":
        secure = http.client.HTTPSConnection(address, port, timeout=seconds)

        def connect() -> None:
            line = socket.create_connection((address, port), seconds)
            # The certificate is to be that of the name, though the line goes to a number.
            secure.sock = network.tls().wrap_socket(line, server_hostname=host.rstrip("."))

        secure.connect = connect  # type: ignore[method-assign]
        connection = secure
    return connection


def _public_address(host: str, port: int, deadline: float, network: Network) -> str:
    """Resolve a host, within the time. Raises FetchRefused if any of its addresses is not public."""
    found: list[str] = []

    def ask() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(network.resolve(host, port))

    # The system's resolver knows no time limit.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(0.0, deadline - time.monotonic()))
    if asking.is_alive():
        raise FetchRefused(_("“%s” took too long.") % host)
    if not found:
        raise FetchRefused(_("There is no site at “%s”.") % host)
    if not all(map(network.is_public, found)):
        raise FetchRefused(_("“%s” is not on the public internet, so it is not fetched.") % host)
    return found[0]


def _shown(url: str) -> str:
    """A URL for a sentence: short, without a password or control characters."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in url[:200])
    scheme, mark, rest = shown.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else shown
