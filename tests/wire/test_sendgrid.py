"""The SendGrid provider: the real SDK against a server that checks every body by the v3 rules."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.providers import NO_WITNESS, Brake, Outcome, OutgoingMessage, Parts
from campaigns.delivery.providers.sendgrid import transport
from campaigns.delivery.providers.sendgrid.rate import RateGate
from campaigns.delivery.providers.sendgrid.send import SendGridProvider, body_of
from tests.fakes.sendgrid_server import API_KEY, FakeSendGrid, problems_of, sendgrid_server
from tests.fakes.smtp_server import make_certificate
from tests.waiting import wait_until
from tests.wire.recording import Recorder, hand_over

PARTS = Parts(
    subject="Grüße, Zoë",
    from_name="Northwind Café",
    from_email="hello@northwind.example",
    reply_to="team@northwind.example",
    html="<p>Hello</p>",
    text="Hello",
    headers={
        "Message-ID": "<1@northwind.example>",
        "List-Unsubscribe": "<https://pq.example/u/t>, <mailto:x@northwind.example>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
)


def message(address: str = "reader@example.org", parts: Parts = PARTS, message_id: int = 7) -> OutgoingMessage:
    return OutgoingMessage(
        message_id=message_id,
        attempt_id=uuid4(),
        workspace_id=uuid4(),
        campaign_id=uuid4(),
        to=address,
        mail_from=parts.from_email,
        parts=parts,
    )


@pytest.fixture
def server() -> Iterator[tuple[FakeSendGrid, str]]:
    with sendgrid_server() as running:
        yield running


@pytest.fixture
def provider_at() -> Iterator[Callable[..., SendGridProvider]]:
    with ExitStack() as stack:

        def make(url: str, **options: object) -> SendGridProvider:
            provider = SendGridProvider(**{"api_key": API_KEY, "base_url": url, "timeout_s": 5, **options})  # type: ignore[arg-type]
            stack.callback(provider.close)
            return provider

        yield make


def send(url: str, *messages: OutgoingMessage, **options: object) -> list[Outcome]:
    provider = SendGridProvider(**{"api_key": API_KEY, "base_url": url, "concurrency": 4, "timeout_s": 5, **options})  # type: ignore[arg-type]
    try:
        return provider.send_batch(messages, brake=Brake(deadline=time.monotonic() + 20), witness=NO_WITNESS)
    finally:
        provider.close()


def test_the_body_keeps_every_rule_and_says_everything(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    sent = message()
    outcomes = send(url, sent)

    assert outcomes == [Outcome("accepted", provider_message_id="sg-1")]
    body = fake.accepted[0]
    assert body["personalizations"] == [{"to": [{"email": "reader@example.org"}]}]
    assert body["from"] == {"email": "hello@northwind.example", "name": "Northwind Café"}
    assert body["reply_to"] == {"email": "team@northwind.example"}
    assert body["subject"] == "Grüße, Zoë"
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert not any(setting["enable"] for setting in body["tracking_settings"].values())
    assert fake.requests[0][1]["User-Agent"].startswith("sendgrid/"), "the official SDK"


def test_only_opaque_ids_go_along(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    sent = message()
    send(url, sent)
    arguments = fake.accepted[0]["custom_args"]
    assert arguments == {"pq_message": "7", "pq_attempt": str(sent.attempt_id)}
    assert UUID(arguments["pq_attempt"]) == sent.attempt_id


def test_headers_that_sendgrid_writes_itself_are_left_out() -> None:
    headers = {"Subject": "x", "To": "y", "DKIM-Signature": "z", "List-Id": "kept"}
    assert body_of(message(parts=replace(PARTS, headers=headers)))["headers"] == {"List-Id": "kept"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"headers": {"Reply-To": "x@y.example"}}, "reserved"),
        ({"headers": {"X-Odd": "a\r\nb"}}, "not valid"),
        ({"personalizations": [{"to": [{"email": "a@b.example"}, {"email": "A@b.example"}]}]}, "unique"),
        ({"personalizations": [{"to": [{"email": f"r{n}@b.example"}]} for n in range(1001)]}, "1 to 1000"),
        ({"custom_args": {"long": "x" * 10_000}}, "10,000"),
        ({"custom_args": {"number": 1}}, "strings"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "first"),
        ({"categories": [str(n) for n in range(11)]}, "categories"),
        ({"subject": ""}, "subject"),
    ],
)
def test_the_fake_refuses_what_the_real_one_refuses(change: dict[str, object], problem: str) -> None:
    body = body_of(message())
    assert problems_of(body) == []
    assert any(problem in text for text in problems_of({**body, **change}))


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("e400@example.org", "http_400"),
        ("e401@example.org", "http_401"),
        ("e403@example.org", "http_403"),
        ("e413@example.org", "http_413"),
        ("e429@example.org", "http_429"),
        ("e500@example.org", "http_5xx"),
        ("e503@example.org", "http_5xx"),
        ("e418@example.org", "http_4xx"),
        ("drop@example.org", "reset"),
    ],
)
def test_every_answer_means_what_the_rules_say(server: tuple[FakeSendGrid, str], address: str, code: str) -> None:
    _fake, url = server
    assert [outcome.code for outcome in send(url, message(address))] == [code]


def test_the_words_of_a_refusal_are_kept(server: tuple[FakeSendGrid, str]) -> None:
    _fake, url = server
    assert "told to answer 400" in send(url, message("e400@example.org"))[0].reason


def test_a_wrong_key_stops_the_rest(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    outcomes = send(url, *[message(f"r{n}@example.org") for n in range(20)], api_key="SG.wrong")
    codes = [outcome.code for outcome in outcomes]
    assert set(codes) == {"http_401", "not_sent"}
    assert codes.count("http_401") <= 4
    assert fake.accepted == []


def test_a_slow_answer_is_doubt_after_our_own_timeout(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    outcomes = send(url, message("slow@example.org"), timeout_s=0.3)
    assert [outcome.code for outcome in outcomes] == ["timeout"]
    fake.stop_waiting.set()


def test_calls_run_side_by_side_up_to_the_limit(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    fake.delay_s = 0.05
    outcomes = send(url, *[message(f"r{n}@example.org") for n in range(12)])
    assert {outcome.code for outcome in outcomes} == {"accepted"}
    assert 2 <= fake.most_in_flight <= 4


def test_it_obeys_the_rate_headers(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    fake.reset_after_s = 2
    started = time.monotonic()
    outcomes = send(url, message("empty@example.org"), message("next@example.org"), concurrency=1)
    assert {outcome.code for outcome in outcomes} == {"accepted"}
    assert time.monotonic() - started >= 0.9, "the reset is in whole seconds"


def test_too_many_requests_waits_as_long_as_it_is_told(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    fake, url = server
    fake.reset_after_s = 120
    provider = provider_at(url, concurrency=1)
    brake = Brake(deadline=time.monotonic() + 20)
    outcomes = provider.send_batch(
        [message("e429@example.org"), message("a@example.org")], brake=brake, witness=NO_WITNESS
    )
    assert outcomes[0].code == "http_429"
    assert 100 < (outcomes[0].retry_after_s or 0) <= 121
    assert outcomes[1].code == "not_sent", "its turn comes after the deadline of this batch"


def test_without_a_key_it_says_so(settings) -> None:
    settings.SENDGRID_API_KEY = ""
    with pytest.raises(ImproperlyConfigured, match="SENDGRID_API_KEY"):
        SendGridProvider()


# the pool


def test_connections_are_kept_between_calls_and_batches(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    fake, url = server
    provider = provider_at(url, concurrency=3)
    for _ in range(3):
        assert set(hand_over(provider, [message(f"r{n}@example.org") for n in range(20)])) == {"accepted"}
    assert len(fake.accepted) == 60
    assert fake.connections <= 3


def test_a_connection_that_the_server_closed_meanwhile_is_noticed_before_it_is_used(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    fake, url = server
    provider = provider_at(url, concurrency=1)
    hand_over(provider, [message("a@example.org")])
    fake.hang_up_on_all()
    wait_until(lambda: not fake.open)
    assert hand_over(provider, [message("b@example.org")]) == ["accepted"]
    assert fake.connections == 2


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    server: tuple[FakeSendGrid, str],
    provider_at: Callable[..., SendGridProvider],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake, url = server
    provider = provider_at(url, concurrency=1)
    hand_over(provider, [message("a@example.org")])
    monkeypatch.setattr(transport, "IDLE_S", -1.0)
    hand_over(provider, [message("b@example.org")])
    assert fake.connections == 2


def test_a_connection_that_the_server_says_it_closes_is_not_kept(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    fake, url = server
    provider = provider_at(url, concurrency=1)
    assert hand_over(provider, [message("last@example.org"), message("a@example.org")]) == ["accepted"] * 2
    assert fake.connections == 2


def test_a_call_that_breaks_on_a_kept_connection_is_doubt_and_is_not_made_again(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    fake, url = server
    provider = provider_at(url, concurrency=1)
    hand_over(provider, [message("a@example.org")])
    assert hand_over(provider, [message("drop@example.org")]) == ["reset"]
    assert fake.addresses == ["a@example.org", "drop@example.org"]
    assert fake.connections == 1, "it left on the kept connection"


def test_a_dribbling_answer_does_not_outlast_our_patience(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    _fake, url = server
    assert hand_over(provider_at(url, timeout_s=0.4), [message("dribble@example.org")]) == ["timeout"]


def test_nothing_is_in_doubt_when_no_connection_was_made(tmp_path: Path) -> None:
    with sendgrid_server(make_certificate(tmp_path)) as (fake, url):
        outcomes = send(url, message("a@example.org"))
        assert [outcome.code for outcome in outcomes] == ["tls"], "nobody trusts this certificate"
        assert send("http://no-such-host.invalid", message("a@example.org"))[0].code == "dns"
        assert fake.accepted == []


def test_tls_connections_are_kept_too(
    tmp_path: Path, provider_at: Callable[..., SendGridProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(transport.ssl, "create_default_context", lambda: trusting)
    with sendgrid_server(certificate) as (fake, url):
        provider = provider_at(url, concurrency=1)
        for number in range(3):
            assert hand_over(provider, [message(f"r{number}@example.org")]) == ["accepted"]
        assert fake.connections == 1


def test_each_call_is_told_before_it_leaves_and_after_its_answer(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    _fake, url = server
    witness = Recorder()
    addresses = ["a@example.org", "e400@example.org", "drop@example.org"]
    hand_over(provider_at(url, concurrency=1), [message(address) for address in addresses], witness=witness)
    assert [event for event, _, _ in witness.told] == ["starting", "settled"] * 3
    assert witness.codes == dict(zip(addresses, ["accepted", "http_400", "reset"], strict=True))


def test_no_more_than_fifty_calls_run_at_once() -> None:
    provider = SendGridProvider(api_key=API_KEY, base_url="http://127.0.0.1:1", concurrency=500)
    assert provider.claim_size == 50 * 20


# the rate limit


def test_calls_of_all_threads_stop_when_none_is_left(
    server: tuple[FakeSendGrid, str], provider_at: Callable[..., SendGridProvider]
) -> None:
    fake, url = server
    fake.left, fake.reset_after_s, fake.delay_s = 12, 300, 0.01
    codes = Counter(hand_over(provider_at(url, concurrency=4), [message(f"r{n}@example.org") for n in range(40)]))
    assert codes["accepted"] == 12
    assert codes["accepted"] + codes["not_sent"] + codes["http_429"] == 40
    assert fake.overrun <= 3, "only calls that were under way before the first answer"


def test_a_closed_gate_opens_at_the_reset() -> None:
    gate = RateGate()
    assert gate.enter(time.monotonic() + 5)
    reset_at = time.time() + 0.3
    gate.leave({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset_at)})
    assert gate.enter(time.monotonic() + 20)
    assert time.time() > reset_at - 0.1


def test_a_closed_gate_turns_away_who_cannot_wait_for_the_reset() -> None:
    gate = RateGate()
    assert gate.enter(time.monotonic() + 5)
    gate.leave({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(time.time() + 60)})
    assert not gate.enter(time.monotonic() + 0.1)


def test_calls_under_way_are_taken_off_what_is_left() -> None:
    gate = RateGate()
    for _ in range(3):
        assert gate.enter(time.monotonic() + 5)
    gate.leave({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": str(time.time() + 60)})
    assert gate.enter(time.monotonic() + 5)
    assert not gate.enter(time.monotonic() + 0.01), "two are under way that SendGrid may not have counted"


@pytest.mark.parametrize(
    "headers",
    [None, {}, {"X-RateLimit-Remaining": "many"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "yesterday"}],
)
def test_headers_that_say_nothing_close_nothing(headers: dict[str, str] | None) -> None:
    gate = RateGate()
    assert gate.enter(time.monotonic() + 5)
    assert gate.leave(headers) is None
    assert gate.enter(time.monotonic() + 5)


def test_too_many_requests_without_a_time_waits_a_second() -> None:
    gate = RateGate()
    assert gate.enter(time.monotonic() + 5)
    assert gate.leave({}, is_refused=True) == 1.0
    assert not gate.enter(time.monotonic() + 0.05)
