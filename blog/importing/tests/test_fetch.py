"""Fetching (I13, threat 17, U8): nothing inside is ever reached, and what is outside cannot hold us up."""

# ruff: noqa: RUF001 -- digits and full stops that only look like those of ASCII are among the tricks
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from blog.importing.blocks import Source, SourceArticle
from blog.importing.fetch import INTERNET, FetchRefused, Network, fetch, is_public
from blog.importing.readers import read

pytestmark = pytest.mark.once

PUBLIC = "93.184.215.14"


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port on this machine, IPv4 and IPv6, that writes down whoever knocks."""
    knocks: list[object] = []
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def wait() -> None:
            while not over.is_set():
                try:
                    knocks.append(server.accept())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=wait)
        thread.start()
        yield server.getsockname()[1], knocks
        time.sleep(0.1)
        over.set()
        thread.join()


NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "inside.example": ["10.0.0.5"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "mixed6.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nowhere.example": [],
}


def resolve(host: str, port: int) -> list[str]:
    """Numbers as the system reads them, in every way it reads them; names from the list."""
    if host in NAMES:
        return NAMES[host]
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]


# {port} is the listener's, which counts as a port of the web here, so that a way in would end there.
INSIDE = [
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://0:{port}/",
    "http://0.0.0.0:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/", "http://017700000001:{port}/", "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://127.0.0.1.:{port}/", "http://127.127.127.127:{port}/", "http://localhost:{port}/",
    "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://[::1]:{port}/", "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::127.0.0.1]:{port}/", "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/", "http://[fe80::1]:{port}/", "http://[fe80::1%25lo]:{port}/",
    "http://[fc00::1]:{port}/", "http://[fec0::1]:{port}/", "http://[ff02::1]:{port}/",
    "http://10.0.0.1:{port}/", "http://172.16.0.1:{port}/", "http://192.168.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1:{port}/", "http://192.0.0.1:{port}/",
    "http://198.18.0.1:{port}/", "http://224.0.0.1:{port}/", "http://255.255.255.255:{port}/",
    "http://240.0.0.1:{port}/", "http://１２７.0.0.1:{port}/", "http://127。0。0。1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/", "http://user@127.0.0.1:{port}/", "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@example.org/", "http://example.org#@127.0.0.1:{port}/x y",
    "http://127.0.0.1:{port}\\@example.org/", "http://inside.example:{port}/", "http://mixed.example:{port}/",
    "http://mixed6.example:{port}/", "http://metadata.example/", "http://mapped.example:{port}/",
    "http://nowhere.example/", "https://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "127.0.0.1:{port}",
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/", "http://127.0.0.1:22/",
    "http:///", "http://", "", "http://127.0.0.1:{port}/\r\nHost: inside", "http://[::1", "http://example.org:99999/",
    "http://example.org:-1/", "jar:http://127.0.0.1:{port}!/", "http://\x00127.0.0.1:{port}/", "http://a..b/",
    "http://" + "a" * 70 + ".example/", "http://" + "1" * 5000,
]  # fmt: skip


def test_no_way_leads_to_this_machine_or_its_neighbours(listener: tuple[int, list[object]]) -> None:
    port, knocks = listener
    network = Network(resolve, is_public, frozenset({80, 443, port}))
    for url in INSIDE:
        with pytest.raises(FetchRefused, match=r"\.$|: ") as refused:
            fetch(url.format(port=port), seconds=3, network=network)
        assert str(refused.value).isprintable()
    assert knocks == []
    assert len(INSIDE) >= 60


def test_a_port_of_no_web_site_is_refused_before_anything_is_asked() -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError("resolved")

    with pytest.raises(FetchRefused, match="port"):
        fetch("http://example.org:8080/", network=replace(INTERNET, resolve=never))


def test_addresses_of_the_public_internet_are_public() -> None:
    for address in (PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"):
        assert is_public(address), address
    assert not is_public("no address")


# --- What is outside, played by this machine ---------------------------------------------------------------------

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def site(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *args: None  # type: ignore[method-assign]
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def outside(port: int, **changes: object) -> Network:
    """Only here 127.0.0.1 counts as public; 127.0.0.2 does not."""
    network = Network(
        lambda host, port: {"inside.example": ["127.0.0.2"]}.get(host, ["127.0.0.1"]),
        lambda address: address == "127.0.0.1",
        frozenset({port, 80, 443}),
    )
    return replace(network, **changes)  # type: ignore[arg-type]


def say(handler: http.server.BaseHTTPRequestHandler, body: bytes, **headers: str) -> None:
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_page_comes_with_its_address_and_kind_and_the_reader_can_read_it() -> None:
    seen: list[dict[str, str]] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        seen.append(dict(handler.headers.items()))
        if handler.path.startswith("/old"):
            handler.send_response(301)
            handler.send_header("Location", "/new%20page?a=ü".encode().decode("latin-1"))
            handler.end_headers()
        else:
            say(handler, b"<h1>Sore feet</h1><p>They hurt after a day.</p>", Content_Type="text/html; charset=utf-8")

    with site(answer) as port:
        found = fetch(f"http://pages.example:{port}/old", network=outside(port))
    assert found.url.startswith(f"http://pages.example:{port}/new%20page?a=")
    assert found.content_type == "text/html"
    assert seen[0]["Host"] == f"pages.example:{port}"
    assert not {"Cookie", "Authorization", "Referer"} & set(seen[0])
    (article,) = read(Source(found.url, lambda: BytesIO(found.content), len(found.content)))
    assert isinstance(article, SourceArticle)
    assert [block.text for block in article.blocks] == ["Sore feet", "They hurt after a day."]


@pytest.mark.parametrize("to", ["http://inside.example:{port}/", "http://127.0.0.2:{port}/", "file:///etc/passwd"])
def test_a_redirect_is_checked_like_the_first_address(to: str) -> None:
    asked: list[str] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", to.format(port=handler.server.server_address[1]))  # type: ignore[index]
        handler.end_headers()

    with site(answer) as port:
        network = outside(port, resolve=lambda host, port: ["127.0.0.1" if host == "pages.example" else "127.0.0.2"])
        with pytest.raises(FetchRefused):
            fetch(f"http://pages.example:{port}/", network=network)
    assert asked == ["/"]


def test_a_resolver_that_changes_its_mind_is_asked_once() -> None:
    """The second answer would lead to a site inside; at the first one nobody is at home."""
    answers = iter([["127.0.0.9"], ["127.0.0.1"], ["127.0.0.1"]])
    knocks: list[str] = []
    with site(lambda handler: knocks.append(handler.path)) as port:
        network = Network(lambda host, port: next(answers), lambda ip: ip == "127.0.0.9", frozenset({port}))
        with pytest.raises(FetchRefused, match="could not be fetched"):
            fetch(f"http://rebinding.example:{port}/", seconds=2, network=network)
    assert knocks == []
    assert next(answers) == ["127.0.0.1"]


def test_three_redirects_are_followed_and_no_more() -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        left = int(handler.path.strip("/"))
        if left:
            handler.send_response(307)
            handler.send_header("Location", f"/{left - 1}")
            handler.end_headers()
        else:
            say(handler, b"here")

    with site(answer) as port:
        assert fetch(f"http://pages.example:{port}/3", network=outside(port)).content == b"here"
        with pytest.raises(FetchRefused, match="too often"):
            fetch(f"http://pages.example:{port}/4", network=outside(port))


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


def declared(handler: http.server.BaseHTTPRequestHandler) -> None:
    say(handler, b"short", Content_Length="500")


def compressed(handler: http.server.BaseHTTPRequestHandler) -> None:
    say(handler, b"\x1f\x8b", Content_Encoding="gzip")


def missing(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_error(404)


def slow_body(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def slow_head(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def garbage(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff nothing of the kind\r\n\r\n")


def many_heads(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (endless, "larger than 1 MB"),
        (declared, "could not be fetched|broke off"),
        (compressed, "compressed"),
        (missing, "404"),
        (slow_body, "too long"),
        (slow_head, "too long"),
        (garbage, "could not be fetched"),
        (many_heads, "could not be fetched"),
    ],
)
def test_a_site_that_misbehaves_gets_a_sentence_and_no_more_time_than_there_is(answer: Answer, why: str) -> None:
    with site(answer) as port, pytest.raises(FetchRefused, match=why):
        fetch(f"http://pages.example:{port}/", limit=1024 * 1024, seconds=0.6, network=outside(port))


def test_a_resolver_that_never_answers_is_given_up() -> None:
    network = replace(INTERNET, resolve=lambda host, port: time.sleep(2) or [])  # type: ignore[func-returns-value]
    with pytest.raises(FetchRefused, match="too long"):
        fetch("http://pages.example/", seconds=0.2, network=network)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for pages.example, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=pages.example"
    extra = ["-addext", "subjectAltName=DNS:pages.example", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *extra], cwd=folder, check=True, capture_output=True)
    return folder


def test_a_certificate_has_to_be_that_of_the_name(certificate: Path) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusting = lambda: ssl.create_default_context(cafile=str(certificate / "cert.pem"))  # noqa: E731
    with site(lambda handler: say(handler, b"safe"), served) as port:
        network = outside(port, tls=trusting)
        assert fetch(f"https://pages.example:{port}/", network=network).content == b"safe"
        with pytest.raises(FetchRefused, match="certificate"):
            fetch(f"https://other.example:{port}/", network=network)
        with pytest.raises(FetchRefused, match="certificate"):
            fetch(f"https://pages.example:{port}/", network=outside(port))
