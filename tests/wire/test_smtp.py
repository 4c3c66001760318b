"""The SMTP provider against a real SMTP server: TLS, signing in, pipelining, and every way a server can say no."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.providers import NO_WITNESS, Brake, Effect, Outcome, OutgoingMessage, Verdict
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from tests.fakes.smtp_server import Sink, make_certificate, smtp_server


def message(address: str, mime: bytes = b"Subject: x\r\n\r\nhello\r\n") -> OutgoingMessage:
    return OutgoingMessage(
        message_id=1,
        attempt_id=None,
        workspace_id=None,
        campaign_id=None,
        to=address,
        mail_from="hello@northwind.example",
        mime=mime,
    )


def provider_for(
    port: int, *, connections: int = 1, timeout_s: float = 5, context: ssl.SSLContext | None = None, **server: Any
) -> SmtpProvider:
    options = {"host": "127.0.0.1", "security": "auto", **server}
    return SmtpProvider(
        [Server(port=port, max_connections=connections, **options)], timeout_s=timeout_s, context=context
    )


def send(provider: SmtpProvider, *messages: OutgoingMessage) -> list[Outcome]:
    try:
        return provider.send_batch(messages, brake=Brake(deadline=time.monotonic() + 20), witness=NO_WITNESS)
    finally:
        provider.close()


@pytest.fixture(params=[True, False], ids=["pipelining", "one by one"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Sink, int]]:
    with smtp_server(is_pipelining=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 587, security="auto")),
        ("smtps://mail.example", Server("mail.example", 465, security="tls")),
        ("smtp://a%40b.example:p%2Fw@mail.example:2525", Server("mail.example", 2525, "a@b.example", "p/w", "auto")),
    ],
)
def test_it_reads_the_address_of_the_server(url: str, server: Server) -> None:
    assert Server.from_url(url) == server


@pytest.mark.parametrize("url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example:99999"])
def test_it_says_what_an_address_must_look_like(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="smtp://user:password@host:port"):
        Server.from_url(url)


def test_bytes_arrive_as_they_left(server: tuple[Sink, int]) -> None:
    sink, port = server
    mime = b"Subject: dots\r\n\r\n.\r\n..two\r\n.end of lines\r\nlast without break"
    send(provider_for(port), message("a@example.org", mime))
    assert sink.taken == [("hello@northwind.example", "a@example.org", mime + b"\r\n")]


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("full", "smtp_rcpt_4xx"),
        ("gone", "smtp_rcpt_5xx"),
        ("spam", "smtp_data_5xx"),
        ("later", "smtp_data_4xx"),
        ("drop", "dropped_after_data"),
        ("dropbefore", "dropped_before_data"),
        ("closing", "smtp_closing"),
    ],
)
def test_a_misfortune_touches_its_own_message_only(server: tuple[Sink, int], local: str, code: str) -> None:
    sink, port = server
    provider = provider_for(port, timeout_s=5)

    outcomes = send(
        provider,
        message("a@example.org"),
        message(f"{local}@example.org"),
        message("b@example.org"),
        message("c@example.org"),
    )

    codes = [outcome.code for outcome in outcomes]
    assert codes[:2] == ["accepted", code]
    assert set(codes[2:]) <= {"accepted", "not_sent"}
    assert [address for address in sink.addresses if address.startswith(("a", "b", "c"))] == [
        address
        for address, outcome in zip(("a@example.org", "", "b@example.org", "c@example.org"), codes, strict=True)
        if outcome == "accepted"
    ]


def test_the_server_words_and_queue_id_are_kept(server: tuple[Sink, int]) -> None:
    _sink, port = server
    accepted, refused = send(
        provider_for(port),
        message("a@example.org"),
        message("gone@example.org"),
    )
    assert accepted.provider_message_id == "000001"
    assert "550 5.1.1 no such user" in refused.reason


def test_connections_are_kept_for_the_next_batch(server: tuple[Sink, int]) -> None:
    sink, port = server
    provider = provider_for(port, connections=2)
    for _ in range(3):
        provider.send_batch(
            [message("a@example.org")] * 6, brake=Brake(deadline=time.monotonic() + 20), witness=NO_WITNESS
        )
    provider.close()
    assert len(sink.taken) == 18
    assert sink.sessions <= 2


def test_a_connection_that_died_in_between_is_replaced() -> None:
    with smtp_server() as (sink, port):
        provider = provider_for(port, timeout_s=5)
        provider.send_batch([message("a@example.org")], brake=Brake(deadline=time.monotonic() + 20), witness=NO_WITNESS)
        provider._relays[0]._idle[0].sock.shutdown(socket.SHUT_RDWR)
        outcomes = send(provider, message("b@example.org"))
        assert [outcome.code for outcome in outcomes] == ["accepted"]
        assert sink.sessions == 2


def test_it_switches_to_tls_when_the_server_offers_it_and_signs_in(certificate: Path) -> None:
    with smtp_server(tls="starttls", certificate=certificate, login=("maya", "s3cret")) as (sink, port):
        provider = provider_for(port, user="maya", password="s3cret", host="localhost", context=trusting(certificate))
        assert [outcome.code for outcome in send(provider, message("a@example.org"))] == ["accepted"]
        assert sink.addresses == ["a@example.org"]


def test_it_speaks_tls_from_the_first_byte(certificate: Path) -> None:
    with smtp_server(tls="wrapped", certificate=certificate) as (_sink, port):
        provider = provider_for(port, host="localhost", security="tls", context=trusting(certificate))
        assert [outcome.code for outcome in send(provider, message("a@example.org"))] == ["accepted"]


@pytest.mark.parametrize("tls", ["starttls", "wrapped"])
def test_large_messages_arrive_whole_over_tls(certificate: Path, tls: str) -> None:
    mime = b"Subject: x\r\n\r\n" + b"more than a socket's buffer and a TLS record hold, many times over\r\n" * 30_000
    with smtp_server(tls=tls, certificate=certificate) as (sink, port):
        security = "tls" if tls == "wrapped" else "starttls"
        provider = provider_for(
            port, connections=2, host="localhost", security=security, context=trusting(certificate), timeout_s=20
        )
        outcomes = send(provider, *[message(f"r{number}@example.org", mime) for number in range(6)])
        assert {outcome.code for outcome in outcomes} == {"accepted"}
        assert [content == mime for _sender, _address, content in sink.taken] == [True] * 6


@pytest.mark.parametrize("tls", ["starttls", "wrapped"])
def test_a_certificate_that_cannot_be_trusted_stops_everything(certificate: Path, tls: str) -> None:
    with smtp_server(tls=tls, certificate=certificate) as (sink, port):
        security = "tls" if tls == "wrapped" else "starttls"
        outcomes = send(provider_for(port, host="localhost", security=security), message("a@example.org"))
        assert [outcome.code for outcome in outcomes] == ["tls"]
        assert sink.taken == []


def test_a_wrong_password_is_about_the_account_and_not_about_the_message(certificate: Path) -> None:
    with smtp_server(tls="starttls", certificate=certificate, login=("maya", "s3cret")) as (sink, port):
        provider = provider_for(port, user="maya", password="wrong", host="localhost", context=trusting(certificate))
        outcomes = send(provider, message("a@example.org"), message("b@example.org"))
        assert [outcome.code for outcome in outcomes] == ["smtp_auth_5xx", "not_sent"]
        assert outcomes[0].answer.effect is Effect.STOP
        assert sink.taken == []


def test_a_server_that_must_offer_tls_and_does_not_gets_nothing() -> None:
    with smtp_server() as (sink, port):
        outcomes = send(provider_for(port, security="starttls"), message("a@example.org"))
        assert [outcome.code for outcome in outcomes] == ["tls_required"]
        assert sink.taken == []


def test_a_claim_is_large_enough_for_each_connection() -> None:
    assert provider_for(25, connections=4).claim_size == 1000
    assert provider_for(25, connections=100).claim_size == 3000


def test_a_password_never_leaves_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.delivery.providers.smtp.session.LOCAL_HOSTS", frozenset())
    with smtp_server() as (sink, port):
        outcomes = send(provider_for(port, user="maya", password="s3cret", host="localhost"), message("a@example.org"))
        assert [outcome.code for outcome in outcomes] == ["tls_required"]
        assert sink.taken == []


def test_an_address_beyond_ascii_goes_out_as_smtputf8(server: tuple[Sink, int]) -> None:
    sink, port = server
    mime = "To: zoë@example.org\r\nSubject: x\r\n\r\nhello\r\n".encode()
    outcomes = send(provider_for(port), message("zoë@example.org", mime))
    assert [outcome.code for outcome in outcomes] == ["accepted"]
    assert sink.addresses == ["zoë@example.org"]


@contextmanager
def listener(greeting: bytes | None) -> Iterator[int]:
    """Something that takes connections: it says `greeting` and hangs up, or with None stays silent. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as taking:
        port = int(taking.getsockname()[1])

        def answer() -> None:
            while True:
                try:
                    caller, _ = taking.accept()
                except OSError:
                    return
                with caller:
                    caller.sendall(greeting or b"")
                    caller.shutdown(socket.SHUT_WR)
                    while caller.recv(1024):  # until the caller hangs up too: a reset could overtake what was said
                        pass

        thread = threading.Thread(target=answer, daemon=True)
        if greeting is not None:
            thread.start()
        yield port
        taking.shutdown(socket.SHUT_RDWR)
    if greeting is not None:
        thread.join(5)


@pytest.mark.parametrize(
    ("greeting", "server", "code"),
    [
        (None, {}, "connection_timeout"),
        (None, {"security": "tls"}, "connection_timeout"),
        (b"", {}, "connection_dropped"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {}, "connection_garbled"),
        (b"220 here\r\n", {"security": "tls"}, "tls"),
        (b"554 no service for you\r\n", {}, "smtp_connect_5xx"),
        (b"421 too many connections\r\n", {}, "smtp_connect_4xx"),
        (None, {"host": "nowhere.invalid"}, "dns"),
        (None, {"host": "a" * 64 + ".example"}, "dns"),
    ],
)
def test_each_way_of_not_reaching_a_server_has_a_name_and_costs_no_doubt(
    greeting: bytes | None, server: dict[str, str], code: str
) -> None:
    with listener(greeting) as port:
        [outcome] = send(provider_for(port, timeout_s=0.3, **server), message("a@example.org"))
    assert (outcome.code, outcome.verdict) == (code, Verdict.RETRY)


def test_a_port_on_which_nobody_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    [outcome] = send(provider_for(port), message("a@example.org"))
    assert (outcome.code, outcome.verdict) == ("connection_refused", Verdict.RETRY)


def test_a_real_parser_reads_what_arrived(server: tuple[Sink, int]) -> None:
    sink, port = server
    send(provider_for(port), message("a@example.org"))
    parsed = message_from_bytes(sink.taken[0][2], policy=SMTP_POLICY)
    assert parsed["Subject"] == "x"
