"""Headers of every kind, read back by two parsers that share no code: Python's `email` and Rust's `mailparse`."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from urllib.parse import unquote

import pytest
from fast_mail_parser import PyMail, parse_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.content import mustache
from campaigns.delivery.headers import ascii_address, mailbox, one_line, unstructured
from campaigns.delivery.mime import one_line_end
from tests.campaigns.test_mime import HTML, TEXT, compose, make_headers, make_skeleton

#: Every character that a database row can hold; line breaks and controls among them.
ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=160)
HARD_ONES = [
    "Grüße ☕ aus Bristol, " * 8,
    "👩‍🌾🏽‍🚀👨‍👩‍👧‍👦" * 20,
    "e\u0301" * 90,
    "שלום עולם " * 15,
    "日本のコーヒー店" * 14,
    "x" * 400,
    "word  two   blanks    " * 9 + "end",
    "a " * 150 + "end",
    "=?utf-8?q?not=20encoded?= " * 5,
    'quotes " and \\ and (comments) <angles>, @; ' * 4,
    "ends with ü",
    "-" * 70 + " " + "ü" * 60,
    "\u2028 \u2029 \u0085 \u00a0x\ufeff",
]


def lines_of(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def by_python(raw: bytes, name: str) -> str:
    field = message_from_bytes(raw)[name]
    return str(make_header(decode_header(re.sub(r"\r\n(?=[ \t])", "", field)))) if "=?utf-8?" in field else field


def by_rust(raw: bytes, name: str) -> str:
    (value,) = parse_email(raw).headers[name]
    return str(value)


def unfolded(text: str) -> str:
    """Both parsers may keep or drop the break of a folded line; the words between are what counts."""
    return re.sub(r"\r\n[ \t]", " ", text)


def check_headers(raw: bytes) -> PyMail:
    assert max(map(len, lines_of(raw))) <= 998, "RFC 5322 section 2.1.1"
    assert all(re.match(rb"[!-9;-~]+:|[ \t]+\S", line) for line in lines_of(raw)), "a field or its continuation"
    assert raw.isascii()
    names = [line.partition(b":")[0].lower() for line in lines_of(raw) if line[:1] not in b" \t"]
    assert len(names) == len(set(names)), "no field twice, so none slipped in"
    parsed = parse_email(raw)
    assert parsed.warnings == []
    assert message_from_bytes(raw).defects == []
    return parsed


@settings(max_examples=150, deadline=None)
@given(subject=ANYTHING)
def test_any_subject_is_read_back_alike_by_both_parsers(subject: str) -> None:
    check_subject(subject)


@pytest.mark.parametrize("subject", HARD_ONES)
def test_hard_subjects_are_read_back_alike_by_both_parsers(subject: str) -> None:
    check_subject(subject)


def check_subject(subject: str) -> None:
    raw = compose(make_skeleton(subject="{{{first_name}}}"), {"first_name": subject})
    check_headers(raw)
    wanted = one_line(subject)
    assert unfolded(by_python(raw, "Subject")) == wanted
    assert unfolded(by_rust(raw, "Subject")) == wanted
    assert all(len(line) <= 78 for line in lines_of(raw) if b"=?utf-8?" in line), "RFC 2047 section 2"


@settings(max_examples=150, deadline=None)
@given(name=ANYTHING.filter(lambda text: not re.search(r"[\r\n]", text)))
@example("A, B")
@example('say "hi" \\ there')
@example("\x0b\x1b[31mred")
def test_any_senders_name_is_read_back_alike_by_both_parsers(name: str) -> None:
    raw = compose(make_skeleton(from_name=name))
    parsed = check_headers(raw)
    wanted = one_line(name)
    assert parsed.from_.address == "hello@northwind.example"
    assert (parsed.from_.display_name or "").strip() == wanted.strip()
    words, address = parseaddr(unfolded(message_from_bytes(raw)["From"]))
    assert address == "hello@northwind.example"
    assert str(make_header(decode_header(words))) == wanted


@pytest.mark.parametrize("name", HARD_ONES)
def test_a_workspace_of_any_name_has_a_list_id(name: str) -> None:
    raw = compose(make_skeleton(workspace_name=name))
    check_headers(raw)
    assert by_rust(raw, "List-Id").endswith("<northwind-coffee.localhost>")


@settings(max_examples=80, deadline=None)
@given(first=ANYTHING, city=ANYTHING)
@example(first="", city="00<\x1f" + "\x80" * 5 + "\U00010000" * 3 + "0")
@example(first="x" * 76, city="x" * 75 + ".")
@example(first="x" * 75 + "é", city="x" * 73 + "é")
def test_any_body_is_read_back_alike_by_both_parsers(first: str, city: str) -> None:
    context = {"first_name": first, "city": city, "pq_link_0": "https://pq.example/t/c/x"}
    raw = compose(make_skeleton(), context)
    parsed = check_headers(raw)
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76, "RFC 2045 section 6.7"
    for source, parts in ((HTML, parsed.text_html), (TEXT, parsed.text_plain)):
        wanted = mustache.compile(source).render({name: one_line_end(value) for name, value in context.items()})
        assert [part.replace("\r\n", "\n") for part in parts] == [wanted]


def test_the_list_headers_are_what_mailboxes_look_for() -> None:
    raw = compose(make_skeleton())
    parsed = check_headers(raw)
    assert parsed.headers["List-Unsubscribe-Post"] == ["List-Unsubscribe=One-Click"]
    uris = re.findall(r"<([^>]+)>", parsed.headers["List-Unsubscribe"][0])
    assert [uri.partition(":")[0] for uri in uris] == ["https", "mailto"], "RFC 8058 wants https, and it comes first"
    assert parsed.headers["Feedback-ID"] == ["c0ffee:northwind-coffee:campaign:pulsequill"]
    assert parsed.headers["Feedback-ID"][0].count(":") == 3


def test_an_odd_reply_address_stays_one_address_in_the_unsubscribe_link() -> None:
    headers = make_headers(reply_to="team?bcc=all&x=%41+news@northwind.example").list_headers(
        "https://pq.example/u/tok"
    )
    mailto = headers["List-Unsubscribe"].rpartition("<mailto:")[2].rstrip(">")
    address, _, query = mailto.partition("?")
    assert unquote(address) == "team?bcc=all&x=%41+news@northwind.example"
    assert query == "subject=unsubscribe%20tok"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("hallo@Bücher.example", "hallo@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@faß。example", "a@xn--fa-hia.example"),
        ("a@例え.example", "a@xn--r8jz45g.example"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("a@" + "ü" * 70 + ".example", "a@" + "ü" * 70 + ".example"),
        ("Plain@Example.org", "Plain@Example.org"),
    ],
)
def test_domains_are_written_as_the_registries_of_today_know_them(given: str, written: str) -> None:
    assert ascii_address(given) == written


def test_short_names_and_subjects_are_left_alone() -> None:
    assert mailbox("Northwind Coffee", "a@b.example") == "Northwind Coffee <a@b.example>"
    assert unstructured("Subject", "Beans are here") == "Beans are here"
