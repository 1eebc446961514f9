"""The SMTP server of the tests: what it says it did, it did."""

from __future__ import annotations

import json
import shutil
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from newsletter.tests.processes import wait_until
from newsletter.tests.sink import Sink, running_sink

pytestmark = pytest.mark.once

MAIL = "Subject: Backs\r\nMessage-ID: <1-abc@news.example>\r\n\r\nThree things.\r\n"
SENDER = "bounces+1-abc@news.example"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@contextmanager
def client(sink: Sink) -> Iterator[smtplib.SMTP]:
    """A client that is gone at the end, also where the sink hung up on it."""
    smtp = smtplib.SMTP("127.0.0.1", sink.port, timeout=20)
    try:
        smtp.ehlo()
        yield smtp
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        smtp.close()


def send(sink: Sink, recipient: str = "reader@example.org", mail: str = MAIL) -> tuple[int, bytes]:
    """The sink's last answer to a mail, by a connection of its own. Raises SMTPException where there is none."""
    with client(sink) as smtp:
        code, text = smtp.mail(SENDER)
        if code == 250:
            code, text = smtp.rcpt(recipient)
        if code != 250:
            return code, text
        return smtp.data(mail)


def test_mail_is_in_the_log_when_the_answer_comes(log: Path) -> None:
    with running_sink(log) as sink:
        assert send(sink)[0] == 250
        [mail] = sink.accepted()
    assert (mail.sender, mail.recipient) == (SENDER, "reader@example.org")
    assert mail.message_id == "<1-abc@news.example>"
    assert mail.size == len(MAIL)
    assert sink.copies() == {"reader@example.org": 1}, "also after its end"


def test_folded_message_id_is_found(log: Path) -> None:
    with running_sink(log) as sink:
        send(sink, mail="X: y\r\nMessage-Id:\r\n <2-def@news.example>\r\n\r\n<no@no>\r\n")
        assert sink.accepted()[0].message_id == "<2-def@news.example>"


def test_whole_message_is_kept_without_the_dots_that_shield(log: Path, tmp_path: Path) -> None:
    mail = ".first\r\n..two\r\n.\r\nlast\r\n"
    with running_sink(log, keep=tmp_path / "mails") as sink:
        send(sink, mail=mail)
        send(sink, mail=MAIL)
        assert sink.messages() == [mail.encode(), MAIL.encode()]


def test_each_recipient_of_a_mail_is_a_line(log: Path) -> None:
    with running_sink(log) as sink, client(sink) as smtp:
        smtp.sendmail(SENDER, ["a@example.org", "b@example.org"], MAIL)
        assert sink.copies() == {"a@example.org": 1, "b@example.org": 1}


def test_commands_and_text_may_come_in_one_packet(log: Path) -> None:
    command = b"MAIL FROM:<a@b.example> SIZE=70 BODY=8BITMIME\r\nRCPT TO:<%s>\r\nDATA\r\n"
    with running_sink(log) as sink, socket.create_connection(("127.0.0.1", sink.port), 20) as sock:
        text = sock.makefile("rb")
        assert text.readline().startswith(b"220")
        sock.sendall(
            command % b"one@example.org" + b"\xc3\xa4\r\n.\r\n" + command % b"two@example.org" + b".\r\nQUIT\r\n"
        )
        assert [line[:3] for line in text] == [b"250", b"250", b"354", b"250", b"250", b"250", b"354", b"250", b"221"]
        text.close()
        assert [mail.recipient for mail in sink.accepted()] == ["one@example.org", "two@example.org"]
        assert [mail.size for mail in sink.accepted()] == [4, 0]


def test_text_may_come_octet_by_octet(log: Path) -> None:
    with running_sink(log) as sink, socket.create_connection(("127.0.0.1", sink.port), 20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n..x\r\n.\r\nQUIT\r\n":
            sock.sendall(bytes([octet]))
        with sock.makefile("rb") as text:
            assert text.readlines()[-1].startswith(b"221")
        assert [mail.size for mail in sink.accepted()] == [len(".x\r\n")]


def test_extensions_are_those_of_the_options(log: Path) -> None:
    with running_sink(log) as sink, client(sink) as smtp:
        assert {"pipelining", "8bitmime", "size", "enhancedstatuscodes"} <= smtp.esmtp_features.keys()
        assert not smtp.has_extn("starttls")
        assert not smtp.has_extn("auth")
    with running_sink(log, pipelining=False, auth="name:secret") as sink, client(sink) as smtp:
        assert not smtp.has_extn("pipelining")
        assert smtp.has_extn("auth")


def test_without_the_password_no_mail_is_taken(log: Path) -> None:
    with running_sink(log, auth="name:secret") as sink, client(sink) as smtp:
        assert smtp.mail(SENDER)[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("name", "guess")
        smtp.login("name", "secret")
        smtp.sendmail(SENDER, "reader@example.org", MAIL)
        assert len(sink.accepted()) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls_can_be_had(log: Path, tmp_path: Path) -> None:
    pem = tmp_path / "sink.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with pem.open("a") as file:
        file.write((tmp_path / "cert.pem").read_text())
    with running_sink(log, starttls=pem) as sink, client(sink) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=str(tmp_path / "cert.pem")))
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        smtp.sendmail(SENDER, "reader@example.org", MAIL)
        assert len(sink.accepted()) == 1


@pytest.mark.parametrize(
    "mail",
    [b"a\nb\r\n", b"a\rb\r\n", b"\xc3\xa4\r\n", b"x" * 999 + b"\r\n"],
    ids=["bare line feed", "bare carriage return", "eight bits", "long line"],
)
def test_text_against_the_rules_is_refused(log: Path, mail: bytes) -> None:
    with running_sink(log) as sink, socket.create_connection(("127.0.0.1", sink.port), 20) as sock:
        sock.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n" + mail + b".\r\nQUIT\r\n")
        with sock.makefile("rb") as text:
            assert text.readlines()[-2].startswith(b"55")
        assert not sink.accepted()


# --- Faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "at"),
    [("421", 421, "rcpt"), ("451", 451, "rcpt"), ("550", 550, "rcpt"), ("452", 452, "dot"), ("554", 554, "dot")],
)
def test_refusal_is_said_and_logged(log: Path, fault: str, code: int, at: str) -> None:
    with running_sink(log, faults={fault: 1}) as sink:
        assert send(sink)[0] == code
        [event] = sink.events("refused")
        assert not sink.accepted()
    assert (event["code"], event["at"]) == (code, at)


def test_after_421_the_connection_is_closed(log: Path) -> None:
    with running_sink(log, faults={"421": 1}) as sink, client(sink) as smtp:
        smtp.mail(SENDER)
        assert smtp.rcpt("reader@example.org")[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()


@pytest.mark.parametrize(
    ("fault", "at", "accepted"), [("drop_before", "data", 0), ("drop_before_250", "dot", 0), ("drop_after", "250", 1)]
)
def test_connection_is_dropped_and_only_the_log_knows_what_became_of_it(
    log: Path, fault: str, at: str, accepted: int
) -> None:
    with running_sink(log, faults={fault: 1}) as sink:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            send(sink)
        [event] = sink.events("dropped")
        assert len(sink.accepted()) == accepted
    assert (event["at"], event["to"]) == (at, "reader@example.org")


@pytest.mark.parametrize("options", [{"faults": {"slow": 1}, "slow_seconds": 60}, {"delay": 60}], ids=["slow", "delay"])
def test_slow_mail_is_recorded_before_it_is_answered(log: Path, options: dict[str, Any]) -> None:
    with running_sink(log, **options) as sink, socket.create_connection(("127.0.0.1", sink.port), 20) as sock:
        sock.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n.\r\n")
        wait_until(sink.accepted, "it is recorded")
        with sock.makefile("rb") as text:
            assert [text.readline()[:3] for _answer in range(4)] == [b"220", b"250", b"250", b"354"]
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(100)


def test_slow_mail_is_answered_in_the_end(log: Path) -> None:
    with running_sink(log, delay=0.01) as sink:
        assert send(sink)[0] == 250


def test_greylisted_recipient_passes_the_second_time(log: Path) -> None:
    with running_sink(log, faults={"greylist": 1}) as sink:
        assert [send(sink)[0], send(sink, "other@example.org")[0], send(sink)[0]] == [451, 451, 250]
        assert sink.copies() == {"reader@example.org": 1}


def test_connection_can_be_refused(log: Path) -> None:
    with running_sink(log, faults={"refuse": 1}) as sink:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            send(sink)
        assert len(sink.events("connected")) == 1


@pytest.mark.parametrize(("fault", "code"), [("421_greeting", 421), ("554_greeting", 554)])
def test_greeting_can_be_a_refusal(log: Path, fault: str, code: int) -> None:
    with running_sink(log, faults={fault: 1}) as sink:
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            send(sink)
        assert caught.value.smtp_code == code
        assert [event["code"] for event in sink.events("refused")] == [code]


def test_faults_change_while_it_runs(log: Path) -> None:
    with running_sink(log, faults={"550": 1}) as sink:
        assert send(sink)[0] == 550
        sink.set_faults({})
        assert send(sink)[0] == 250


def test_fault_that_there_is_none_of_is_an_error(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), running_sink(log, faults={"455": 1}):
        pass
    assert "There is no fault 455" in capfd.readouterr().err


def test_same_seed_makes_the_same_faults(tmp_path: Path) -> None:
    mix = {"421": 0.2, "451": 0.2, "550": 0.2, "554": 0.2}
    runs = []
    for number, seed in enumerate((7, 7, 8)):
        with running_sink(tmp_path / str(number), faults=mix, seed=seed) as sink:
            runs.append([send(sink, f"reader{count % 20}@example.org")[0] for count in range(40)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert {250, 421, 451, 550, 554} == set(runs[0])


def test_shares_are_those_asked_for(log: Path) -> None:
    with running_sink(log, faults={"451": 0.1, "554": 0.2}) as sink, client(sink) as smtp:
        for count in range(1000):
            smtp.rset()
            smtp.mail(SENDER)
            if smtp.rcpt(f"reader{count}@example.org")[0] == 250:
                smtp.data(MAIL)
        codes = [event["code"] for event in sink.events("refused")]
        assert 70 <= codes.count(451) <= 130
        assert 160 <= codes.count(554) <= 240
        assert len(codes) + len(sink.accepted()) == 1000


def test_paused_sink_answers_when_it_is_resumed(log: Path) -> None:
    with running_sink(log) as sink:
        sink.pause()
        with socket.create_connection(("127.0.0.1", sink.port), 20) as sock:
            sock.settimeout(0.3)
            with pytest.raises(TimeoutError):
                sock.recv(100)
            sink.resume()
            sock.settimeout(20)
            assert sock.recv(100).startswith(b"220")


def test_another_takes_the_place_of_a_stopped_one(log: Path) -> None:
    with running_sink(log) as first:
        send(first)
        first.stop()
        with pytest.raises(ConnectionRefusedError):
            send(first)
        with running_sink(log, port=first.port) as second:
            send(second)
            assert second.copies() == {"reader@example.org": 2}


def test_log_is_one_line_of_json_an_event(log: Path) -> None:
    with running_sink(log) as sink:
        send(sink)
    names = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert names == ["connected", "accepted"]
