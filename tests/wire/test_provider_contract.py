"""What every provider must get right: order, refusals, outages, silence after acceptance, the brake, odd addresses."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest

from campaigns.content import mustache
from campaigns.delivery.headers import FixedHeaders, ascii_address
from campaigns.delivery.mime import Skeleton
from campaigns.delivery.providers import ANSWERS, NO_WITNESS, Brake, OutgoingMessage, Provider, Verdict
from campaigns.delivery.providers.capture import CaptureProvider
from campaigns.delivery.providers.sendgrid.send import SendGridProvider
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from campaigns.models import CapturedMessage
from tests.campaigns.sending import make_launched, rows_of
from tests.fakes.sendgrid_server import API_KEY, sendgrid_server
from tests.fakes.smtp_server import smtp_server

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
    #: Local parts that make the far end misbehave, by what they stand for.
    gone: str = ""
    busy: str = ""
    silent: str = ""
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

    def send(self, *addresses: str, brake: Brake | None = None, provider: Provider | None = None) -> list[str]:
        brake = brake or Brake(deadline=time.monotonic() + 20)
        chosen = provider or self.provider
        return [
            outcome.code for outcome in chosen.send_batch(self.messages(*addresses), brake=brake, witness=NO_WITNESS)
        ]


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


def smtp_bench(stack: ExitStack, *, is_pipelining: bool = True) -> Bench:
    sink, port = stack.enter_context(smtp_server(is_pipelining=is_pipelining))
    provider = SmtpProvider([Server("127.0.0.1", port, security="auto", max_connections=3)], timeout_s=5)
    stack.callback(provider.close)
    down = SmtpProvider([Server("127.0.0.1", closed_port(), security="auto", max_connections=3)], timeout_s=5)
    return Bench(provider, lambda: sink.addresses, down, gone="gone", busy="full", silent="drop")


def sendgrid_bench(stack: ExitStack) -> Bench:
    fake, url = stack.enter_context(sendgrid_server())
    provider = SendGridProvider(api_key=API_KEY, base_url=url, concurrency=3, timeout_s=5)
    down = SendGridProvider(api_key=API_KEY, base_url=f"http://127.0.0.1:{closed_port()}", concurrency=3)
    return Bench(provider, lambda: fake.addresses, down, gone="e400", busy="e429", silent="drop")


PROVIDERS_UNDER_TEST: dict[str, Callable[[ExitStack], Bench]] = {
    "capture": capture_bench,
    "smtp": smtp_bench,
    "smtp without pipelining": lambda stack: smtp_bench(stack, is_pipelining=False),
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


def test_every_answer_has_a_row_in_the_table(faulty: Bench) -> None:
    codes = faulty.send(f"{faulty.gone}@example.org", f"{faulty.busy}@example.org", "a@example.org")
    assert set(codes) <= set(ANSWERS)
