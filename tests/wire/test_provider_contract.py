"""What every provider must get right: order, refusals, outages, silence, the brake, the witness, odd addresses."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from campaigns.content import mustache
from campaigns.delivery.headers import FixedHeaders, ascii_address
from campaigns.delivery.mime import Skeleton
from campaigns.delivery.providers import ANSWERS, NO_WITNESS, Brake, OutgoingMessage, Provider, Verdict, Witness
from campaigns.delivery.providers.capture import CaptureProvider
from campaigns.delivery.providers.sendgrid.send import SendGridProvider
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from campaigns.delivery.providers.smtp.server import Security
from campaigns.models import CapturedMessage
from tests.campaigns.sending import make_launched, rows_of
from tests.fakes.sendgrid_server import API_KEY, sendgrid_server
from tests.fakes.smtp_server import make_certificate, smtp_server
from tests.wire.recording import Recorder

pytestmark = pytest.mark.django_db

HEADERS = FixedHeaders.build(
    from_name="Zoë Café",
    from_email="hello@northwind.example",
    reply_to="",
    workspace_name="Northwind",
    workspace_slug="northwind",
    stream="c1",
)
SKELETON = Skeleton(
    headers=HEADERS,
    subject=mustache.compile("Hello {{{name}}}"),
    html=mustache.compile("<p>Hello {{name}}</p>\n.dot\n"),
    text=mustache.compile("Hello {{{name}}}\n.\n..two\n"),
)


@dataclass
class Bench:
    """A provider and the far end that it talks to."""

    provider: Provider
    addresses: Callable[[], list[str]]
    down: Provider | None = None
    hasty: Provider | None = None
    """One with little patience."""
    #: Local parts that make the far end misbehave, by what they stand for.
    gone: str = ""
    busy: str = ""
    silent: str = ""
    slow: str = ""
    message_ids: tuple[int, ...] = ()

    def messages(self, *addresses: str) -> list[OutgoingMessage]:
        made = []
        for number, address in enumerate(addresses):
            message_id = self.message_ids[number] if self.message_ids else 1000 + number
            list_headers = HEADERS.list_headers("https://pq.example/u/token")
            context = {"name": f"Reader {number}"}
            is_mime = self.provider.content == "mime"
            made.append(
                OutgoingMessage(
                    message_id=message_id,
                    attempt_id=uuid4(),
                    workspace_id=None,
                    campaign_id=None,
                    to=ascii_address(address),
                    mail_from="hello@northwind.example",
                    subject=f"Hello Reader {number}",
                    mime=SKELETON.mime(
                        message_id=message_id, to=address, date="x", list_headers=list_headers, context=context
                    )
                    if is_mime
                    else b"",
                    parts=None
                    if is_mime
                    else SKELETON.parts(message_id=message_id, list_headers=list_headers, context=context),
                )
            )
        return made

    def send(
        self,
        *addresses: str,
        brake: Brake | None = None,
        provider: Provider | None = None,
        witness: Witness | None = None,
    ) -> list[str]:
        brake = brake or Brake(deadline=time.monotonic() + 20)
        chosen = provider or self.provider
        outcomes = chosen.send_batch(self.messages(*addresses), brake=brake, witness=witness or NO_WITNESS)
        return [outcome.code for outcome in outcomes]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def capture_bench(stack: ExitStack) -> Bench:
    campaign, _ = make_launched(8)
    return Bench(
        CaptureProvider(),
        lambda: sorted(CapturedMessage.objects.values_list("to", flat=True)),
        message_ids=tuple(row.pk for row in rows_of(campaign)),
    )


def smtp_bench(stack: ExitStack, *, is_pipelining: bool = True, tls: str = "", security: Security = "auto") -> Bench:
    certificate = make_certificate(Path(stack.enter_context(TemporaryDirectory()))) if tls else None
    login = ("maya", "s3cret") if tls == "starttls" else None
    context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
    sink, port = stack.enter_context(
        smtp_server(is_pipelining=is_pipelining, tls=tls, certificate=certificate, login=login)
    )

    def provider(at: int, timeout_s: float = 5) -> SmtpProvider:
        user, password = login or ("", "")
        server = Server("localhost", at, user, password, security, max_connections=3)
        made = SmtpProvider([server], timeout_s=timeout_s, context=context)
        stack.callback(made.close)
        return made

    return Bench(
        provider(port),
        lambda: sink.addresses,
        provider(closed_port()),
        provider(port, 0.5),
        gone="gone",
        busy="full",
        silent="drop",
        slow="slow",
    )


def sendgrid_bench(stack: ExitStack) -> Bench:
    fake, url = stack.enter_context(sendgrid_server())

    def provider(at: str, timeout_s: float = 5) -> SendGridProvider:
        made = SendGridProvider(api_key=API_KEY, base_url=at, concurrency=3, timeout_s=timeout_s)
        stack.callback(made.close)
        return made

    return Bench(
        provider(url),
        lambda: fake.addresses,
        provider(f"http://localhost:{closed_port()}"),
        provider(url, 0.5),
        gone="e400",
        busy="e429",
        silent="drop",
        slow="slow",
    )


PROVIDERS_UNDER_TEST: dict[str, Callable[[ExitStack], Bench]] = {
    "capture": capture_bench,
    "smtp": smtp_bench,
    "smtp without pipelining": partial(smtp_bench, is_pipelining=False),
    "smtp with STARTTLS and a password": partial(smtp_bench, tls="starttls", security="starttls"),
    "smtp with TLS": partial(smtp_bench, tls="wrapped", security="tls"),
    "sendgrid": sendgrid_bench,
}


#: The outbox refuses nobody and is never away.
FAULTY = {name: make for name, make in PROVIDERS_UNDER_TEST.items() if name != "capture"}


@pytest.fixture(params=PROVIDERS_UNDER_TEST.values(), ids=PROVIDERS_UNDER_TEST.keys())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield request.param(stack)


@pytest.fixture(params=FAULTY.values(), ids=FAULTY.keys())
def faulty(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield request.param(stack)


def test_it_hands_over_every_message_once_and_answers_in_order(bench: Bench) -> None:
    addresses = [f"reader{number}@example.org" for number in range(8)]
    assert bench.send(*addresses) == ["accepted"] * 8
    assert bench.addresses() == sorted(addresses)


def test_a_batch_of_one_works(bench: Bench) -> None:
    assert bench.send("reader@example.org") == ["accepted"]
    assert bench.addresses() == ["reader@example.org"]


def test_a_second_batch_works_on_what_the_first_left_open(bench: Bench) -> None:
    assert bench.send("a@example.org", "b@example.org") == ["accepted"] * 2
    assert bench.send("c@example.org", "d@example.org") == ["accepted"] * 2
    assert len(bench.addresses()) == 4


def test_nothing_is_started_after_the_deadline(bench: Bench) -> None:
    assert bench.send("a@example.org", "b@example.org", brake=Brake(deadline=0)) == ["not_sent"] * 2
    assert bench.addresses() == []


def test_an_internationalised_domain_arrives_in_ascii(bench: Bench) -> None:
    assert bench.send("jurgen@bücher.example") == ["accepted"]
    assert bench.addresses() == ["jurgen@xn--bcher-kva.example"]


def test_a_refused_recipient_fails_alone(faulty: Bench) -> None:
    codes = faulty.send("a@example.org", f"{faulty.gone}@example.org", "b@example.org", "c@example.org")
    assert [codes[0], codes[2], codes[3]] == ["accepted"] * 3
    assert codes[1] in ("smtp_rcpt_5xx", "http_400")
    assert faulty.addresses() == ["a@example.org", "b@example.org", "c@example.org"]


def test_a_busy_provider_is_tried_again_later(faulty: Bench) -> None:
    brake = Brake(deadline=time.monotonic() + 20)
    outcomes = faulty.provider.send_batch(
        faulty.messages(f"{faulty.busy}@example.org"), brake=brake, witness=NO_WITNESS
    )
    assert [outcome.verdict for outcome in outcomes] == [Verdict.RETRY]
    assert faulty.addresses() == []


def test_silence_after_acceptance_is_doubt_and_never_a_second_message(faulty: Bench) -> None:
    codes = faulty.send("a@example.org", f"{faulty.silent}@example.org", "b@example.org", "c@example.org")
    assert codes[1] in ("dropped_after_data", "reset")
    assert all(code in ("accepted", "not_sent") for code in codes[:1] + codes[2:])
    assert faulty.addresses().count(f"{faulty.silent}@example.org") == 1
    accepted = [code for code in codes if code == "accepted"]
    assert len(faulty.addresses()) == len(accepted) + 1


def test_five_silences_in_a_row_stop_the_batch(faulty: Bench) -> None:
    brake = Brake(deadline=time.monotonic() + 20)
    codes = faulty.send(*[f"{faulty.silent}{number}@example.org" for number in range(30)], brake=brake)
    in_doubt = sum(code not in ("accepted", "not_sent") for code in codes)
    assert brake.tripped_by is not None
    assert 5 <= in_doubt <= 5 + 3, "five, and what was under way on the other connections"
    assert len(faulty.addresses()) == in_doubt


def test_an_outage_costs_no_doubt_and_stops_the_batch(faulty: Bench) -> None:
    brake = Brake(deadline=time.monotonic() + 20)
    codes = faulty.send(*[f"r{number}@example.org" for number in range(20)], brake=brake, provider=faulty.down)
    assert set(codes) == {"connection_refused", "not_sent"}
    assert 1 <= codes.count("connection_refused") <= 3
    assert brake.tripped_by is not None


def test_a_slow_answer_is_doubt_and_never_a_second_message(faulty: Bench) -> None:
    codes = faulty.send(f"{faulty.slow}@example.org", "a@example.org", provider=faulty.hasty)
    assert codes == ["timeout", "accepted"]
    assert faulty.addresses().count(f"{faulty.slow}@example.org") <= 1


def test_the_witness_is_told_of_each_message_before_and_after(bench: Bench) -> None:
    witness = Recorder()
    addresses = [f"r{number}@example.org" for number in range(8)]
    bench.send(*addresses, witness=witness)
    assert all(witness.of(address) == ["starting", "settled"] for address in addresses)
    assert witness.codes == dict.fromkeys(addresses, "accepted")


def test_the_witness_knows_what_is_in_doubt(faulty: Bench) -> None:
    witness = Recorder()
    addresses = [f"{local}@example.org" for local in ("a", faulty.gone, faulty.silent, "b", "c")]
    codes = faulty.send(*addresses, witness=witness)
    for address, code in zip(addresses, codes, strict=True):
        if code == "not_sent":
            assert witness.of(address) == []
        else:
            assert witness.codes[address] == code
            assert witness.of(address)[-1] == "settled"
    assert witness.of(addresses[2]) == ["starting", "settled"]


def test_a_brake_that_is_pulled_in_the_middle_lets_nothing_more_start(bench: Bench) -> None:
    brake = Brake(deadline=time.monotonic() + 20)

    class Puller(Recorder):
        def starting(self, outgoing: OutgoingMessage) -> None:
            super().starting(outgoing)
            brake.stop()

    witness = Puller()
    codes = bench.send(*[f"r{number}@example.org" for number in range(8)], brake=brake, witness=witness)
    assert set(codes) <= {"accepted", "not_sent"}
    assert codes.count("accepted") == len(witness.started) == len(bench.addresses())
    assert codes.count("accepted") in ({8} if bench.provider.name == "capture" else {1, 2, 3})


def test_a_provider_works_again_after_it_was_closed(bench: Bench) -> None:
    assert bench.send("a@example.org", "b@example.org") == ["accepted"] * 2
    bench.provider.close()
    assert bench.send("c@example.org", "d@example.org") == ["accepted"] * 2


def test_every_answer_has_a_row_in_the_table(faulty: Bench) -> None:
    codes = faulty.send(f"{faulty.gone}@example.org", f"{faulty.busy}@example.org", "a@example.org")
    assert set(codes) <= set(ANSWERS)
