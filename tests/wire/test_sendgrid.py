"""The SendGrid provider: the real SDK against a server that checks every body by the v3 rules."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.providers import NO_WITNESS, Brake, Outcome, OutgoingMessage, Parts
from campaigns.delivery.providers.sendgrid.send import SendGridProvider, body_of
from tests.fakes.sendgrid_server import API_KEY, FakeSendGrid, problems_of, sendgrid_server

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


def send(url: str, *messages: OutgoingMessage, **options: object) -> list[Outcome]:
    provider = SendGridProvider(**{"api_key": API_KEY, "base_url": url, "concurrency": 4, "timeout_s": 5, **options})  # type: ignore[arg-type]
    return provider.send_batch(messages, brake=Brake(deadline=time.monotonic() + 20), witness=NO_WITNESS)


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
    started = time.monotonic()
    outcomes = send(url, message("slow@example.org"), timeout_s=0.3)
    assert [outcome.code for outcome in outcomes] == ["timeout"]
    assert time.monotonic() - started < 5
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


def test_too_many_requests_waits_as_long_as_it_is_told(server: tuple[FakeSendGrid, str]) -> None:
    fake, url = server
    fake.reset_after_s = 120
    provider = SendGridProvider(api_key=API_KEY, base_url=url, concurrency=1, timeout_s=5)
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
