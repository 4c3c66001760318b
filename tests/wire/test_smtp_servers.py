"""The SMTP transport on real sockets: several servers, their limits, and what they do when they misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress

import pytest

from campaigns.delivery.providers import Brake, Effect
from campaigns.delivery.providers.smtp import Server, SmtpProvider, relays, session
from tests.fakes.scripted_smtp_server import Reply, Rule, ScriptedServer, Talk, scripted_smtp_server
from tests.waiting import wait_until
from tests.wire.recording import Recorder, hand_over, message, readers
from tests.wire.test_provider_contract import closed_port


def at(port: int, **options: int) -> Server:
    return Server("127.0.0.1", port, security="none", **options)  # type: ignore[arg-type]


@pytest.fixture
def stack():
    with ExitStack() as open_things:
        yield open_things


def serving(stack: ExitStack, rule: Rule | None = None, **options: bytes) -> tuple[ScriptedServer, int]:
    return stack.enter_context(scripted_smtp_server(*([rule] if rule else []), **options))


def provider_for(stack: ExitStack, *servers: Server, timeout_s: float = 5) -> SmtpProvider:
    provider = SmtpProvider(servers, timeout_s=timeout_s)
    stack.callback(provider.close)
    return provider


def test_messages_are_shared_out_by_weight(stack: ExitStack) -> None:
    big, small = serving(stack), serving(stack)
    provider = provider_for(stack, at(big[1], weight=3), at(small[1], weight=1))
    assert set(hand_over(provider, readers(40))) == {"accepted"}
    assert (len(big[0].taken), len(small[0].taken)) == (30, 10)


def test_small_batches_keep_to_the_weights_too(stack: ExitStack) -> None:
    big, small = serving(stack), serving(stack)
    provider = provider_for(stack, at(big[1], weight=3), at(small[1], weight=1))
    for number in range(8):
        hand_over(provider, [message(f"r{number}@example.org")])
    assert (len(big[0].taken), len(small[0].taken)) == (6, 2)


def test_turns_are_taken_smoothly() -> None:
    three = [relays.Relay(Server("x", weight=weight)) for weight in (5, 1, 1)]
    rota = relays.Rota(three)
    turns = [next(three.index(relay) for relay, got in rota.share_out([0], three).items() if got) for _ in range(7)]
    assert turns == [0, 0, 1, 0, 2, 0, 0]


def test_a_server_that_is_away_leaves_its_share_to_the_others_and_is_tried_again_later(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, port = serving(stack)
    is_away = threading.Event()
    is_away.set()

    def away_at_first(_talk: Talk, what: str) -> Reply | None:
        return Reply(b"421 later\r\n", hangs_up=True) if is_away.is_set() and what == "CONNECT" else None

    other, other_port = serving(stack, away_at_first)
    provider = provider_for(stack, at(port), at(other_port))

    assert set(hand_over(provider, readers(20))) == {"accepted"}
    assert (len(there.taken), len(other.taken)) == (20, 0)
    tries = len(other.talks)
    hand_over(provider, readers(10))
    assert len(other.talks) == tries, "it is left alone for a while"

    is_away.clear()
    now = time.monotonic()
    monkeypatch.setattr(relays.time, "monotonic", lambda: now + relays.AWAY_S + 1)
    hand_over(provider, readers(20))
    monkeypatch.undo()
    assert len(other.taken) == 10


def test_when_all_are_away_one_message_says_so_and_nothing_is_in_doubt(stack: ExitStack) -> None:
    provider = provider_for(stack, at(closed_port()), at(closed_port()))
    brake = Brake(deadline=time.monotonic() + 20)
    for _ in range(2):
        outcomes = provider.send_batch(readers(30), brake=Brake(deadline=time.monotonic() + 20), witness=Recorder())
        assert Counter(outcome.code for outcome in outcomes) == {"connection_refused": 1, "not_sent": 29}
    provider.send_batch(readers(2), brake=brake, witness=Recorder())
    assert brake.tripped_by is not None
    assert brake.tripped_by.answer.effect is Effect.DOWN


def test_a_refused_password_counts_only_when_no_server_may_come_back(stack: ExitStack) -> None:
    ehlo = b"250-fake\r\n250 AUTH PLAIN\r\n"
    _, port = serving(stack, lambda _talk, what: Reply(b"535 no\r\n") if what.startswith("AUTH") else None, ehlo=ehlo)
    refusing = Server("127.0.0.1", port, "maya", "wrong", "none")
    assert hand_over(provider_for(stack, refusing), readers(2)) == ["smtp_auth_5xx", "not_sent"]
    both = provider_for(stack, refusing, at(closed_port()))
    assert hand_over(both, readers(2)).count("connection_refused") == 1


def test_a_server_that_wants_fewer_connections_gets_fewer(stack: ExitStack) -> None:
    def at_most_two(talk: Talk, what: str) -> Reply | None:
        too_many = what == "CONNECT" and talk.number >= 2
        return Reply(b"421 4.7.0 too many connections\r\n", hangs_up=True) if too_many else None

    server, port = serving(stack, at_most_two)
    provider = provider_for(stack, at(port, max_connections=10))
    assert set(hand_over(provider, readers(200))) == {"accepted"}
    with socket.create_connection(("127.0.0.1", port)) as last:
        assert last.recv(100).startswith(b"421"), "whoever asked before has been answered"
    wait_until(lambda: server.open_now <= 2)
    tries = len(server.talks)
    assert set(hand_over(provider, readers(200))) == {"accepted"}
    assert len(server.talks) == tries, "it does not ask for more at once"
    assert len(server.taken) == 400


def test_no_more_connections_than_allowed_are_opened_even_by_two_batches_at_once(stack: ExitStack) -> None:
    server, port = serving(stack)
    provider = provider_for(stack, at(port, max_connections=3))
    codes: list[str] = []
    threads = [threading.Thread(target=lambda: codes.extend(hand_over(provider, readers(100)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Counter(codes) == {"accepted": 300}
    assert server.most_open <= 3


def test_a_connection_carries_no_more_messages_than_allowed(stack: ExitStack) -> None:
    server, port = serving(stack)
    provider = provider_for(stack, at(port, max_connections=2, messages_per_connection=7))
    assert set(hand_over(provider, readers(30))) == {"accepted"}
    assert set(hand_over(provider, readers(12))) == {"accepted"}
    assert max(talk.taken for talk in server.talks) == 7
    assert len(server.taken) == 42
    wait_until(lambda: server.goodbyes >= 42 // 7 - 2)


def test_a_server_that_closes_after_each_few_messages_costs_nobody_an_attempt(stack: ExitStack) -> None:
    def five_each(talk: Talk, what: str) -> Reply | None:
        is_over = talk.taken == 5 and what.startswith("MAIL")
        return Reply(b"421 4.4.2 enough for one session\r\n", hangs_up=True) if is_over else None

    server, port = serving(stack, five_each)
    witness = Recorder()
    assert set(hand_over(provider_for(stack, at(port, max_connections=2)), readers(40), witness=witness)) == {
        "accepted"
    }
    assert server.addresses == sorted(f"r{number}@example.org" for number in range(40))
    assert set(witness.started.values()) == {1}


def test_connections_that_the_server_closed_meanwhile_are_noticed_before_use(stack: ExitStack) -> None:
    server, port = serving(stack)
    provider = provider_for(stack, at(port, max_connections=1))
    hand_over(provider, readers(30))
    server.hang_up_on_all()
    wait_until(lambda: server.open_now == 0)
    before = len(server.commands)
    assert set(hand_over(provider, readers(30))) == {"accepted"}
    assert len(server.taken) == 60
    assert server.commands[before] == "EHLO"


def test_a_connection_that_was_idle_for_long_is_not_trusted(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    server, port = serving(stack)
    provider = provider_for(stack, at(port, max_connections=1))
    hand_over(provider, readers(1))
    monkeypatch.setattr(session, "IDLE_S", -1.0)
    hand_over(provider, readers(1))
    assert len(server.talks) == 2


def answering(local: str, what: str, reply: Reply) -> Rule:
    """Return a rule that answers so, once the recipient is the one that is meant."""

    def rule(talk: Talk, said: str) -> Reply | None:
        is_meant = talk.recipient.startswith(local) or f"<{local.upper()}@" in said
        return reply if is_meant and said.startswith(what) else None

    return rule


@pytest.mark.parametrize(
    ("what", "reply", "code"),
    [
        (".", Reply(hangs_up=True), "dropped_after_data"),
        (".", Reply(resets=True), "dropped_after_data"),
        (".", Reply(b"hello?\r\n"), "garbled_after_data"),
        (".", Reply(b"250", hangs_up=True), "dropped_after_data"),
        (".", Reply(b"421 4.3.2 restarting\r\n", hangs_up=True), "smtp_closing"),
        (".", Reply(b"250-2.0.0 Ok\r\n250 and thank you\r\n"), "accepted"),
        ("DATA", Reply(hangs_up=True), "dropped_before_data"),
        ("RCPT", Reply(resets=True), "dropped_before_data"),
        ("RCPT", Reply(b"what\r\n"), "garbled_before_data"),
        ("RCPT", Reply(b"550-5.1.1 no such user\r\n550 5.1.1 try another\r\n"), "smtp_rcpt_5xx"),
    ],
)
def test_a_misfortune_is_told_and_the_others_arrive(stack: ExitStack, what: str, reply: Reply, code: str) -> None:
    server, port = serving(stack, answering("odd", what, reply))
    witness = Recorder()
    batch = [*readers(5), message("odd@example.org"), *[message(f"s{number}@example.org") for number in range(5)]]
    codes = hand_over(provider_for(stack, at(port, max_connections=1)), batch, witness=witness)
    assert codes[5] == code
    assert codes[:5] + codes[6:] == ["accepted"] * 10
    assert witness.started["odd@example.org"] == (1 if what == "." else 0)
    if reply.hangs_up and what == ".":
        assert server.addresses.count("odd@example.org") <= 1, "never a second time"


@pytest.mark.parametrize(("what", "code"), [(".", "timeout"), ("RCPT", "timeout_before_data")])
def test_silence_ends_with_our_own_patience(stack: ExitStack, what: str, code: str) -> None:
    has_given_up = threading.Event()

    def silent(talk: Talk, said: str) -> Reply | None:
        if said.startswith(what) and (talk.recipient.startswith("odd") or "<ODD@" in said):
            has_given_up.wait()
            return Reply(hangs_up=True)
        return None

    _, port = serving(stack, silent)
    stack.callback(has_given_up.set)
    provider = provider_for(stack, at(port, max_connections=1), timeout_s=1)
    assert hand_over(provider, [message("odd@example.org"), message("a@example.org")]) == [code, "accepted"]


def test_a_dribbling_server_does_not_outlast_our_patience(stack: ExitStack) -> None:
    # If each byte started the time anew, all of them would come and the message would count as accepted.
    dribble = Reply(b"250 2.0.0 Ok: queued as 123456, which is a long name\r\n", byte_delay_s=0.05)
    _, port = serving(stack, answering("odd", ".", dribble))
    provider = provider_for(stack, at(port, max_connections=1), timeout_s=1)
    assert hand_over(provider, [message("odd@example.org")]) == ["timeout"]


def test_what_does_not_speak_smtp_is_left_after_a_few_tries(stack: ExitStack) -> None:
    def breaks_off(_talk: Talk, what: str) -> Reply | None:
        return Reply(b"-ERR\r\n", hangs_up=True) if what.startswith("MAIL") else None

    server, port = serving(stack, breaks_off)
    codes = Counter(hand_over(provider_for(stack, at(port, max_connections=1)), readers(50)))
    assert codes == {"garbled_before_data": relays.USELESS_IN_A_ROW, "connection_failed": 1, "not_sent": 46}
    assert len(server.talks) == relays.USELESS_IN_A_ROW


def test_a_server_that_speaks_out_of_turn_is_not_believed(stack: ExitStack) -> None:
    def talkative(_talk: Talk, what: str) -> Reply | None:
        return Reply(b"250 fake\r\n250 Ok\r\n250 Ok\r\n354 go on\r\n") if what.startswith("EHLO") else None

    server, port = serving(stack, talkative)
    codes = hand_over(provider_for(stack, at(port, max_connections=1)), readers(3))
    assert codes.count("accepted") == len(server.taken)
    assert set(codes) <= {"accepted", "connection_failed", "not_sent", "garbled_before_data"}


def test_large_messages_arrive_whole(stack: ExitStack) -> None:
    server, port = serving(stack)
    mime = b"Subject: x\r\n\r\n" + b".a line that begins with a dot, to be doubled\r\n" * 18_000
    assert set(hand_over(provider_for(stack, at(port, max_connections=3)), readers(12, mime))) == {"accepted"}
    assert {content for _address, content in server.taken} == {mime}


def test_a_larger_message_than_the_server_takes_is_not_even_offered(stack: ExitStack) -> None:
    server, port = serving(stack)
    batch = [message("big@example.org", b"x" * 1_000_001), message("a@example.org")]
    assert hand_over(provider_for(stack, at(port)), batch) == ["smtp_size", "accepted"]
    assert server.addresses == ["a@example.org"]


def test_a_pulled_brake_ends_the_batch_without_waiting_for_envelopes(stack: ExitStack) -> None:
    def slow(_talk: Talk, what: str) -> Reply | None:
        time.sleep(0.5 if what.startswith("RCPT") else 0)
        return None

    server, port = serving(stack, slow)
    provider = provider_for(stack, at(port, max_connections=2), timeout_s=30)
    codes = hand_over(provider, readers(20), within_s=0.8)
    assert Counter(codes)["not_sent"] >= 14
    assert len(server.taken) == Counter(codes)["accepted"]


def test_many_connections_open_side_by_side(stack: ExitStack) -> None:
    greetings = threading.Barrier(4)

    def greet_together(_talk: Talk, what: str) -> Reply | None:
        if what == "CONNECT" and not greetings.broken:
            with suppress(threading.BrokenBarrierError):
                greetings.wait(10)
                greetings.abort()  # four stood here at the same time; the others need not wait
        return None

    server, port = serving(stack, greet_together)
    assert set(hand_over(provider_for(stack, at(port, max_connections=10)), readers(100))) == {"accepted"}
    assert server.most_open >= 4


def test_a_batch_of_a_few_opens_one_connection(stack: ExitStack) -> None:
    server, port = serving(stack)
    hand_over(provider_for(stack, at(port, max_connections=10)), readers(4))
    assert len(server.talks) == 1


def test_an_empty_batch_does_nothing(stack: ExitStack) -> None:
    server, port = serving(stack)
    assert hand_over(provider_for(stack, at(port)), []) == []
    assert server.talks == []
