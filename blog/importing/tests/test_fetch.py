"""Only public addresses are asked, and the one that was checked; what answers badly costs neither time nor memory.

The tests put three things in place: which names there are (``resolve``), which ports are the web's (``PORTS``), and for
what must succeed that 127.0.0.1 counts as public (``is_public``); 127.0.0.2 is the machine that must never be reached.
"""

# ruff: noqa: RUF001 -- digits and dots of other scripts are the point

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic

import pytest

from blog.importing import fetch as fetching
from blog.importing.blocks import SourceArticle, UnreadableSource
from blog.importing.fetch import Fetched, fetch, fetched_source, is_public
from blog.importing.readers import read

pytestmark = pytest.mark.once

CERTIFICATE = Path(__file__).parent / "fixtures" / "fetch" / "site.example.pem"  # for these tests alone
PAGE = b"<html><body><h1>Cold feet</h1><p>Most cold feet are only cold.</p></body></html>"


# --- Who answers -------------------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """A web server of one page and many tricks; ``seen`` are the requests."""

    seen: list[tuple[str, dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        name, _, rest = self.path.strip("/").partition("/")
        getattr(self, f"answer_{name}", self.answer_page)(rest)

    def answer(self, content: bytes, status: int = 200, content_type: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        for header, value in {"Content-Type": content_type, **headers}.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def answer_page(self, rest: str) -> None:
        self.answer(PAGE, Set_Cookie="id=1")

    def answer_hop(self, rest: str) -> None:
        left = int(rest)
        self.answer(b"", 302, Location=f"/hop/{left - 1}" if left > 1 else "../page")

    def answer_to(self, rest: str) -> None:
        self.answer(b"", 301, Location=bytes.fromhex(rest).decode("latin-1"))

    def answer_missing(self, rest: str) -> None:
        self.answer(b"Not here", 404)

    def answer_film(self, rest: str) -> None:
        self.answer(b"....", content_type="video/mp4")

    def answer_chinese(self, rest: str) -> None:
        self.answer("头晕的七个原因".encode("gb18030"), content_type="text/plain; charset=GB18030")

    def answer_bomb(self, rest: str) -> None:
        self.answer(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")

    def answer_packed(self, rest: str) -> None:
        self.answer(gzip.compress(PAGE), Content_Encoding="gzip")

    def answer_torn(self, rest: str) -> None:
        self.answer(gzip.compress(PAGE)[:-12], Content_Encoding="gzip")

    def answer_short(self, rest: str) -> None:
        self.answer(PAGE, Content_Length="9000")

    def answer_brotli(self, rest: str) -> None:
        self.answer(PAGE, Content_Encoding="br")

    def answer_endless(self, rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip(bytes(65536), 0)

    def answer_slow(self, rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip(b"x", 0.02)

    def answer_headers(self, rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.drip(b"x", 0.02)

    def answer_wide(self, rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 500_000 + b"\r\n\r\n")

    def answer_noise(self, rest: str) -> None:
        self.wfile.write(bytes(range(256)))

    def drip(self, piece: bytes, pause: float) -> None:
        while not self.server.stopped.wait(pause):  # type: ignore[attr-defined]
            try:
                self.wfile.write(piece)
            except OSError:
                return

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def served(*, tls: bool = False) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # whoever hangs up is meant to
    server.stopped = threading.Event()  # type: ignore[attr-defined]
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.stopped.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()


NAMES = {
    "site.example": ["127.0.0.1"],
    "other.example": ["127.0.0.1"],
    "inside.example": ["127.0.0.2"],
    "mixed.example": ["127.0.0.1", "127.0.0.2"],
}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Handler]]:
    """A server that counts as public, at site.example."""
    Handler.seen = []
    with served() as port, served(tls=True) as tls_port:
        monkeypatch.setattr(fetching, "PORTS", {"http": port, "https": tls_port})
        monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
        monkeypatch.setattr(fetching, "resolve", lambda host, port: NAMES.get(host) or [host])
        yield Handler


@pytest.fixture
def inside(site: type[Handler]) -> Iterator[socket.socket]:
    """What must not be reached: it listens on the same port, at 127.0.0.2."""
    with listening("127.0.0.2", fetching.PORTS["http"]) as listener:
        yield listener


@contextmanager
def listening(host: str, port: int = 0) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind((host, port))
        listener.listen(200)
        listener.setblocking(False)
        yield listener


def connections(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def refused(url: str, **options: float) -> str:
    """What is said of an address that is not fetched: one sentence on one line that names it."""
    with pytest.raises(UnreadableSource) as raised:
        fetch(url, **options)  # type: ignore[arg-type]
    sentence = str(raised.value)
    assert " was not fetched: " in sentence
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert len(sentence) < 400
    return sentence.partition(" was not fetched: ")[2]


# --- Addresses that are never asked ------------------------------------------------------------------------------

NOT_PUBLIC = "it leads into a network that is not public."
HOSTILE = [
    # The machine itself, as numbers are written
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://0177.0000.0000.0001/",
    "http://017700000001/",
    "http://00000177.1/",
    "http://127.0.0.1./",
    "http://127.255.255.254/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0x0/",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://127．0｡0．1/",
    "http://%31%32%37.0.0.1/",
    "HTTP://127.0.0.1/",
    # IPv6, and IPv4 in it
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fe80::1%lo]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    # Networks of houses, providers and clouds
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/machine",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # Names
    "http://localhost/",
    "http://LOCALHOST./",
    "http://localhost.localdomain/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://wildcard.example/",
    "http://private-and-public.example/",
    "http://public-and-private.example/",
    "http://mapped.example/",
    "http://nothing.example/",
    "http://unknown.example/",
    "http://intranet/",
    # Names, passwords and other tricks of parsing
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1@wildcard.example/",
    "http://user:word@127.0.0.1/",
    "http://@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1?@example.org/",
    "http://127.0.0.1\t/",
    " http://127.0.0.1/",
    "http://127.0.0.1/ HTTP/1.1\r\nHost: example.org",
    "http://127.0.0.1%0d%0a/",
    "http://127.0.0.1%00.example.org/",
    "http://127.0.0.1\u200b/",
    "http://[::1",
    "http://::1/",
    "http://..127.0.0.1/",
    "http:///127.0.0.1/",
    "http:127.0.0.1/",
    "http://",
    "",
    f"http://{'a' * 70}.example/",
    f"http://127.0.0.1/{'a' * 3000}",
    # Ports
    "http://127.0.0.1:0/",
    "http://127.0.0.1:22/",
    "http://127.0.0.1:8000/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:８０/",
    "http://wildcard.example:6379/",
    # What is not the web
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/stat",
    "ldap://127.0.0.1/",
    "jar:http://127.0.0.1!/",
    "data:text/html,hello",
    "javascript:alert(1)",
    "//127.0.0.1/",
    "127.0.0.1",
]
RESOLVED = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.localdomain": ["127.0.0.1"],
    "wildcard.example": ["127.0.0.1"],
    "private-and-public.example": ["127.0.0.1", "93.184.215.14"],
    "public-and-private.example": ["93.184.215.14", "2606:2800:21f::1", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nothing.example": [],
    "intranet": ["10.1.2.3"],
}


def resolved(host: str, port: int) -> list[str]:
    if host in RESOLVED:
        return RESOLVED[host]
    if host.endswith(".example"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [
        str(found[4][0])
        for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    ]


def test_no_hostile_address_reaches_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "resolve", resolved)
    assert len(HOSTILE) >= 60
    with listening("127.0.0.1") as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(fetching, "PORTS", {"http": port, "https": port})
        reasons = {url: refused(url) for url in HOSTILE}
        assert connections(listener) == 0
    assert reasons["http://0x7f.1/"] == NOT_PUBLIC
    assert reasons["http://①②⑦.⓪.⓪.①/"] == NOT_PUBLIC
    assert reasons["http://public-and-private.example/"] == NOT_PUBLIC
    assert reasons["http://unknown.example/"] == "there is no such server."
    assert reasons["http://user:word@127.0.0.1/"] == "there is a name or a password in it."
    assert reasons["http://127.0.0.1:22/"] == "only the usual ports of the web are asked, 80 and 443."
    assert reasons["file:///etc/passwd"] == "only addresses with http:// or https:// are."
    assert reasons["http://[::1"] == "this is not a web address."


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_the_ports_are_those_of_the_web() -> None:
    assert fetching.PORTS == {"http": 80, "https": 443}


# --- Between the check and the connection ------------------------------------------------------------------------


def test_a_name_is_resolved_once_and_that_very_address_is_asked(
    site: type[Handler], inside: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    monkeypatch.setattr(fetching, "resolve", rebinding)
    assert fetch("http://rebinding.example/page").content == PAGE
    assert asked == ["rebinding.example"]
    assert refused("http://rebinding.example/page") == NOT_PUBLIC
    assert connections(inside) == 0


def test_a_redirect_resolves_and_checks_again(
    site: type[Handler], inside: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    monkeypatch.setattr(fetching, "resolve", lambda host, port: next(answers))
    assert refused("http://rebinding.example/hop/1") == NOT_PUBLIC
    assert connections(inside) == 0


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/",
        "//127.0.0.2/",
        "http://inside.example/",
        "http://mixed.example/",
        "http://site.example@127.0.0.2/",
        "http://127.0.0.2:22/",
        "https://inside.example/",
        "http://[::ffff:127.0.0.2]/",
        "http://[::1",
        "http://127.0.0.2\\@site.example/",
        "/\\127.0.0.2/",
        "file:///etc/passwd",
        "gopher://127.0.0.2/_x",
        "javascript:1",
    ],
)
def test_no_redirect_leads_inside(site: type[Handler], inside: socket.socket, location: str) -> None:
    refused(f"http://site.example/to/{location.encode().hex()}")
    assert len(site.seen) == 1
    assert connections(inside) == 0


def test_three_redirects_are_followed_and_no_more(site: type[Handler]) -> None:
    assert fetch("http://site.example/hop/3") == Fetched("http://site.example/page", PAGE, "text/html")
    assert refused("http://site.example/hop/4") == "it leads on to another address too often."


# --- What is sent and what comes back ----------------------------------------------------------------------------


def test_a_page_is_fetched_with_a_plain_request(site: type[Handler], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.2:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.2:9")
    fetch("http://site.example/hop/1")
    assert [path for path, _headers in site.seen] == ["/hop/1", "/page"]
    for _path, headers in site.seen:
        assert headers["host"] == "site.example"
        assert headers["user-agent"].startswith("Bedside")
        assert not {"cookie", "authorization", "referer"} & headers.keys()


def test_an_address_is_asked_for_as_it_was_meant(site: type[Handler]) -> None:
    fetch("http://site.example./käse%20brot/?q=ü&r=%C3%BC#part")
    assert site.seen[0][0] == "/k%C3%A4se%20brot/?q=%C3%BC&r=%C3%BC"


def test_a_page_that_was_fetched_is_read_as_an_article(site: type[Handler]) -> None:
    (article,) = read(fetched_source("http://site.example/hop/1"))
    assert isinstance(article, SourceArticle)
    assert article.name == "http://site.example/page"
    assert article.blocks[0].text == "Cold feet"


def test_the_encoding_that_only_the_server_knows_is_kept(site: type[Handler]) -> None:
    with fetched_source("http://site.example/chinese").open() as file:
        assert file.read().decode("utf-8-sig") == "头晕的七个原因"


def test_a_certificate_is_checked_for_the_name(site: type[Handler], monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused("https://site.example/page") == "its certificate is not valid."
    monkeypatch.setattr(fetching, "certificates", lambda: ssl.create_default_context(cafile=CERTIFICATE))
    assert fetch("https://site.example/page").content == PAGE
    assert refused("https://other.example/page") == "its certificate is not valid."


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "the server answered with 404."),
        ("film", "it is “video/mp4”, which cannot be imported."),
        ("bomb", "it is larger than 1 MB."),
        ("endless", "it is larger than 1 MB."),
        ("torn", "it ended too early."),
        ("short", "there was no answer that can be read."),
        ("brotli", "it is packed in a way that was not asked for."),
        ("wide", "there was no answer that can be read."),
        ("noise", "there was no answer that can be read."),
    ],
)
def test_a_bad_answer_is_a_sentence(site: type[Handler], path: str, reason: str) -> None:
    assert refused(f"http://site.example/{path}", limit=1024 * 1024) == reason


@pytest.mark.parametrize("path", ["slow", "headers"])
def test_whoever_answers_byte_by_byte_has_no_more_time_than_others(site: type[Handler], path: str) -> None:
    started = monotonic()
    assert refused(f"http://site.example/{path}", seconds=0.3) == "it took too long."
    assert monotonic() - started < 5  # and not as long as there are bytes


def test_a_resolver_that_does_not_answer_is_not_waited_for(
    site: type[Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(fetching, "resolve", lambda host, port: [str(answered.wait(30))])
    assert refused("http://site.example/page", seconds=0.1) == "it took too long."
    answered.set()


def test_a_server_that_does_not_listen_is_a_sentence(site: type[Handler], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(fetching, "PORTS", {"http": unused.getsockname()[1]})
        assert refused("http://site.example/page") == "there was no answer that can be read."


def test_what_is_packed_though_it_was_not_to_be_is_unpacked(site: type[Handler]) -> None:
    assert fetch("http://site.example/packed").content == PAGE
