"""The talk on one SMTP connection, without a network: what is said when, and what each answer means."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.delivery.providers import ANSWERS, Brake, Outcome, OutgoingMessage, Verdict
from campaigns.delivery.providers.smtp.batch import Batch, Share
from campaigns.delivery.providers.smtp.exchange import Exchange, Features, content_of
from campaigns.delivery.providers.smtp.replies import Garbled, ReplyReader
from tests.wire.recording import Recorder, message, readers

PIPELINING = Features(pipelines=True, takes_utf8=True)
ONE_BY_ONE = Features(takes_utf8=True)
ENVELOPE_TAKEN = b"250 ok\r\n250 ok\r\n354 go on\r\n"
TAKEN = b"250 2.0.0 Ok: queued as 4F1A\r\n"


class Talk:
    """An exchange, and a server that says what the test wants."""

    def __init__(
        self, *messages: OutgoingMessage, features: Features = PIPELINING, quota: int = 0, is_proven: bool = False
    ) -> None:
        self.witness = Recorder()
        self.brake = Brake(deadline=time.monotonic() + 60)
        self.batch = Batch(messages or readers(3), brake=self.brake, witness=self.witness)
        self.share = Share(self.batch, range(len(self.batch.messages)))
        self.exchange = Exchange(self.share, features, quota=quota, is_proven=is_proven)

    def hears(self) -> bytes:
        """Write everything; return it."""
        said, self.exchange.out = self.exchange.out, b""
        return said

    def says(self, data: bytes) -> bytes:
        """Let the server speak; return what it hears then."""
        self.exchange.receive(data)
        return self.hears()

    @property
    def codes(self) -> list[str]:
        return [outcome.code for outcome in self.batch.outcomes]


def envelope(number: int) -> bytes:
    return b"MAIL FROM:<hello@northwind.example>\r\nRCPT TO:<r%d@example.org>\r\nDATA\r\n" % number


CONTENT = b"Subject: x\r\n\r\nhello\r\n.\r\n"


def test_one_write_carries_the_content_of_one_message_and_the_envelope_of_the_next() -> None:
    talk = Talk()
    assert talk.hears() == envelope(0)
    assert talk.says(ENVELOPE_TAKEN) == CONTENT + envelope(1)
    assert talk.says(TAKEN + ENVELOPE_TAKEN) == CONTENT + envelope(2)
    assert talk.says(TAKEN + ENVELOPE_TAKEN) == CONTENT
    assert talk.says(TAKEN) == b""
    assert talk.exchange.is_idle
    assert talk.exchange.is_open
    assert talk.codes == ["accepted"] * 3
    assert talk.batch.outcomes[0].provider_message_id == "4F1A"


def test_without_pipelining_each_command_waits_for_its_answer() -> None:
    talk = Talk(*readers(2), features=ONE_BY_ONE)
    heard = [talk.hears()]
    for answer in (b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", TAKEN) * 2:
        heard.append(talk.says(answer))  # noqa: PERF401 - said in turn
    commands = [line + b"\r\n" for line in envelope(0).split(b"\r\n")[:-1]]
    again = [line + b"\r\n" for line in envelope(1).split(b"\r\n")[:-1]]
    assert heard == [*commands, CONTENT, *again, CONTENT, b""]
    assert talk.codes == ["accepted"] * 2


def test_the_witness_is_told_just_before_the_content_and_right_after_the_answer() -> None:
    talk = Talk(*readers(1))
    talk.hears()
    assert talk.witness.told == []
    talk.says(ENVELOPE_TAKEN)
    assert talk.witness.told == [("starting", "r0@example.org", "")]
    talk.says(TAKEN)
    assert talk.witness.told[1:] == [("settled", "r0@example.org", "accepted")]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (b"250 ok\r\n550 5.1.1 gone\r\n554 no valid recipients\r\n", "smtp_rcpt_5xx"),
        (b"250 ok\r\n452 full\r\n503 need RCPT\r\n", "smtp_rcpt_4xx"),
        (b"550 no\r\n503 MAIL first\r\n503 MAIL first\r\n", "smtp_mail_5xx"),
        (b"451 later\r\n503 MAIL first\r\n503 MAIL first\r\n", "smtp_mail_4xx"),
        (b"250 ok\r\n250 ok\r\n451 not now\r\n", "smtp_data_4xx"),
        (b"250 ok\r\n250 ok\r\n554 no\r\n", "smtp_data_5xx"),
    ],
)
def test_a_refused_envelope_is_followed_by_the_next_in_the_same_write(answers: bytes, code: str) -> None:
    talk = Talk(*readers(2))
    talk.hears()
    assert talk.says(answers) == b"RSET\r\n" + envelope(1)
    assert talk.says(b"250 reset\r\n" + ENVELOPE_TAKEN) == CONTENT
    talk.says(TAKEN)
    assert talk.codes == [code, "accepted"]
    assert talk.witness.started == {"r1@example.org": 1}


def test_content_that_a_server_wants_for_nobody_is_an_empty_message() -> None:
    talk = Talk(*readers(2))
    talk.hears()
    heard = talk.says(b"250 ok\r\n550 gone\r\n354 go on\r\n")
    assert heard == b".\r\nRSET\r\n" + envelope(1), "RFC 2920 section 3.1"
    talk.says(b"554 nobody\r\n250 reset\r\n" + ENVELOPE_TAKEN)
    talk.says(TAKEN)
    assert talk.codes == ["smtp_rcpt_5xx", "accepted"]


@pytest.mark.parametrize(("step", "code"), [(0, "smtp_mail_5xx"), (1, "smtp_rcpt_5xx"), (2, "smtp_data_5xx")])
def test_without_pipelining_nothing_follows_a_refusal_but_a_reset(step: int, code: str) -> None:
    talk = Talk(*readers(1), features=ONE_BY_ONE)
    talk.hears()
    for _ in range(step):
        talk.says(b"250 ok\r\n")
    assert talk.says(b"550 no\r\n") == b"RSET\r\n"
    talk.says(b"250 ok\r\n")
    assert talk.exchange.is_idle
    assert talk.codes == [code]


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_goodbye_in_the_envelope_of_a_fresh_connection_is_this_messages_own(taken: int) -> None:
    talk = Talk()
    talk.hears()
    talk.says(b"250 ok\r\n" * taken + b"421 4.3.2 shutting down\r\n")
    assert not talk.exchange.is_open
    assert talk.codes == ["smtp_closing", "not_sent", "not_sent"]
    assert talk.exchange.is_useless


@pytest.mark.parametrize("goodbye", [b"421 enough\r\n", b""], ids=["421", "without a word"])
def test_a_proven_connection_that_goes_gives_its_envelope_back(goodbye: bytes) -> None:
    talk = Talk()
    talk.hears()
    talk.says(ENVELOPE_TAKEN)
    talk.says(TAKEN)
    if goodbye:
        talk.says(goodbye)
    else:
        talk.exchange.lost("dropped")
    assert talk.codes == ["accepted", "not_sent", "not_sent"]
    assert list(talk.share.waiting) == [1, 2], "another connection carries it"
    assert not talk.exchange.is_useless


def test_a_goodbye_after_the_content_is_a_refusal() -> None:
    talk = Talk()
    talk.hears()
    talk.says(ENVELOPE_TAKEN)
    talk.says(b"421 4.7.0 try again later\r\n")
    assert talk.codes[0] == "smtp_closing"
    assert talk.batch.outcomes[0].verdict is Verdict.RETRY
    assert list(talk.share.waiting) == [1, 2]


@pytest.mark.parametrize(
    ("unsent", "how", "code"),
    [
        (0, "dropped", "dropped_after_data"),
        (0, "timeout", "timeout"),
        (0, "garbled", "garbled_after_data"),
        (len(envelope(1)), "dropped", "dropped_after_data"),
        (len(envelope(1)) + 1, "dropped", "dropped_before_data"),
        (len(envelope(1)) + 1, "timeout", "timeout_before_data"),
        (len(CONTENT + envelope(1)), "dropped", "dropped_before_data"),
    ],
)
def test_doubt_begins_with_the_last_byte_of_the_final_dot(unsent: int, how: str, code: str) -> None:
    talk = Talk(*readers(2))
    talk.hears()
    talk.exchange.receive(ENVELOPE_TAKEN)
    talk.exchange.out = talk.exchange.out[len(talk.exchange.out) - unsent :]
    talk.exchange.lost(how)  # type: ignore[arg-type]
    assert talk.codes == [code, "not_sent"]
    assert list(talk.share.waiting) == [1]


def test_a_refusal_in_the_middle_of_the_content_is_taken_and_ends_the_connection() -> None:
    talk = Talk(*readers(2))
    talk.hears()
    talk.exchange.receive(ENVELOPE_TAKEN)
    talk.exchange.out = talk.exchange.out[5:]
    talk.exchange.receive(b"552 5.3.4 too large\r\n")
    assert talk.codes == ["smtp_data_5xx", "not_sent"]
    assert not talk.exchange.is_open
    assert list(talk.share.waiting) == [1]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "garbled_after_data"),
        (b"350 what?\r\n", "garbled_after_data"),
        (b"2500 ok\r\n", "garbled_after_data"),
        (b"250-one\r\n550 two\r\n", "garbled_after_data"),
        (b"\xff\xfe\r\n", "garbled_after_data"),
        (b"x" * 9000, "garbled_after_data"),
        (b"250-on and on\r\n" * 300, "garbled_after_data"),
    ],
)
def test_an_answer_that_is_none_leaves_the_message_in_doubt(said: bytes, code: str) -> None:
    talk = Talk(*readers(1))
    talk.hears()
    talk.says(ENVELOPE_TAKEN)
    talk.says(said)
    assert talk.codes == [code]
    assert not talk.exchange.is_open


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n", b"354 go on\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n"])
def test_nonsense_in_the_envelope_costs_no_doubt(said: bytes) -> None:
    talk = Talk(*readers(1))
    talk.hears()
    talk.says(said)
    assert talk.codes == ["garbled_before_data"]
    assert talk.witness.started == {}


def test_an_answer_that_comes_before_its_question_is_not_believed() -> None:
    talk = Talk(*readers(2))
    talk.hears()
    talk.exchange.receive(ENVELOPE_TAKEN + TAKEN)
    assert talk.codes == ["garbled_before_data", "not_sent"], "not a byte of the content had left"


def test_a_brake_that_is_pulled_between_envelope_and_content_stops_the_message() -> None:
    talk = Talk(*readers(1))
    talk.hears()
    talk.brake.note(Outcome("http_401"))
    assert talk.says(ENVELOPE_TAKEN) == b""
    assert talk.codes == ["not_sent"]
    assert talk.witness.started == {}
    assert not talk.exchange.is_open, "the server waits for content: the connection cannot be used"


def test_a_connection_starts_no_more_than_its_quota() -> None:
    talk = Talk(quota=2)
    talk.hears()
    talk.says(ENVELOPE_TAKEN)
    talk.says(TAKEN + ENVELOPE_TAKEN)
    assert talk.says(TAKEN) == b""
    assert talk.exchange.is_idle
    assert talk.exchange.started == 2
    assert list(talk.share.waiting) == [2]


@pytest.mark.parametrize(
    ("unfit", "features", "code"),
    [
        (message("zoë@example.org"), Features(pipelines=True), "smtputf8"),
        (message("big@example.org", b"x" * 2000), Features(pipelines=True, size_limit=1999), "smtp_size"),
        (message("a@example.org>\r\nRCPT TO:<b@example.org"), PIPELINING, "bad_message"),
        (message("<>@example.org"), PIPELINING, "bad_message"),
    ],
)
def test_what_the_server_cannot_take_is_not_offered(unfit: OutgoingMessage, features: Features, code: str) -> None:
    talk = Talk(unfit, *readers(1), features=features)
    assert talk.hears() == envelope(0)
    assert talk.codes[0] == code


def test_letters_beyond_ascii_are_announced() -> None:
    talk = Talk(message("zoë@example.org"))
    assert talk.hears().startswith(b"MAIL FROM:<hello@northwind.example> SMTPUTF8\r\nRCPT TO:<zo\xc3\xab@example.org>")


# properties

texts = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=40)
statuses = st.integers(200, 599)
replies = st.tuples(statuses, st.lists(texts, min_size=1, max_size=4))


def written(reply: tuple[int, list[str]]) -> bytes:
    status, lines = reply
    marks = ["-"] * (len(lines) - 1) + [" "]
    return "".join(f"{status}{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True)).encode()


def read_in_pieces(data: bytes, cuts: list[int]) -> list[tuple[int, bytes]] | None:
    reader, found = ReplyReader(), []
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    try:
        for start, end in pairwise(places):
            found.extend(reader.read(data[start:end]))
    except Garbled:
        return None
    return found


@given(st.lists(replies, max_size=6), st.lists(st.integers(0, 2000), max_size=8))
def test_replies_are_read_whatever_the_pieces(said: list[tuple[int, list[str]]], cuts: list[int]) -> None:
    found = read_in_pieces(b"".join(map(written, said)), cuts)
    assert found == [(status, b" ".join(line.strip().encode() for line in lines)) for status, lines in said]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_are_replies_or_garbled_and_nothing_else(data: bytes, cuts: list[int]) -> None:
    found = read_in_pieces(data, cuts)
    assert found == read_in_pieces(data, [])
    assert all(200 <= status < 600 for status, _ in found or [])


@given(st.lists(st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"x", b"..", b" "]), max_size=30).map(b"".join))
def test_content_comes_out_as_it_went_in_and_never_ends_early(mime: bytes) -> None:
    content = content_of(mime)
    assert content.endswith(b"\r\n.\r\n") or content == b".\r\n"
    assert (b"\r\n" + content).find(b"\r\n.\r\n") == len(content) - 3, "a strict server"
    lenient = b"\n" + content.replace(b"\r\n", b"\n")
    assert lenient.find(b"\n.\n") == len(lenient) - 3, "a server that takes a bare line feed for a line end"
    taken = content[:-3]
    lines = [line[1:] if line.startswith(b".") else line for line in taken.split(b"\n")]
    assert b"\n".join(lines) in (mime, mime + b"\r\n")


steps = st.one_of(
    st.sampled_from([b"250 ok\r\n", b"354 go on\r\n", b"550 no\r\n", b"451 later\r\n", ENVELOPE_TAKEN, TAKEN]),
    st.sampled_from([b"421 bye\r\n", b"250-more\r\n", b"nonsense\r\n", b"\x00"]),
    st.sampled_from(["write", "write a little", "timeout", "drop"]),
)


@given(st.lists(steps, max_size=40), st.booleans(), st.integers(0, 3))
def test_whatever_a_server_does_no_message_is_lost_or_started_twice(said: list, pipelines: bool, quota: int) -> None:
    talk = Talk(*readers(4), features=Features(pipelines=pipelines), quota=quota)
    for step in said:
        if not talk.exchange.is_open:
            break
        if isinstance(step, bytes):
            talk.exchange.receive(step)
        elif step == "write":
            talk.exchange.out = b""
        elif step == "write a little":
            talk.exchange.out = talk.exchange.out[7:]
        else:
            talk.exchange.lost("timeout" if step == "timeout" else "dropped")
    if talk.exchange.is_open and not talk.exchange.is_idle:
        talk.exchange.lost("dropped")
    settled = set(talk.witness.codes)
    waiting = {talk.batch.messages[index].to for index in talk.share.waiting}
    assert settled | waiting == {outgoing.to for outgoing in talk.batch.messages}
    assert not settled & waiting
    assert len(talk.witness.told) == len(set(talk.witness.told)), "told twice"
    assert max(talk.witness.started.values(), default=0) <= 1
    assert set(talk.witness.started) <= settled, "what was started has an outcome"
    for address, code in talk.witness.codes.items():
        if ANSWERS[code].verdict in (Verdict.ACCEPTED, Verdict.UNCERTAIN):
            assert talk.witness.of(address) == ["starting", "settled"]
