"""Finished mail, read back by Python's own parser: structure, encodings, headers, nothing that could be injected."""

from __future__ import annotations

import re
import time
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import unquote
from typing import cast

import chevron
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.content import mustache
from campaigns.delivery.headers import FixedHeaders, ascii_address, mailbox, one_line, refuse_injection, unstructured
from campaigns.delivery.mime import Skeleton, one_line_end, quoted_printable
from pulsequill.core.errors import Invalid
from tests.campaigns.test_mustache import NAMES, contexts, nested, templates

HTML = (
    "<html><body><p>Hello {{first_name}}, grüezi</p>\n"
    "{{#city}}<p>Rain in {{city}}?</p>\n{{/city}}{{^city}}<p>Wherever you are</p>{{/city}}"
    f"<p>{'A long paragraph about coffee. ' * 40}</p>\n.\n..\n.dot at the start   \n"
    '<a href="{{{pq_link_0}}}">Beans</a>{{{pq_open_pixel}}}</body></html>'
)
TEXT = "Hello {{{first_name}}}\n\n{{{pq_link_0}}}\n-- \nbye\n"


def make_headers(**changes: str) -> FixedHeaders:
    return FixedHeaders.build(
        **{
            "from_name": "Northwind",
            "from_email": "hello@northwind.example",
            "reply_to": "team@northwind.example",
            "workspace_name": "Northwind Coffee",
            "workspace_slug": "northwind-coffee",
            "stream": "c0ffee",
            **changes,
        }
    )


def make_skeleton(
    subject: str = "Beans, {{{first_name}}}", html: str = HTML, text: str = TEXT, **headers: str
) -> Skeleton:
    return Skeleton(
        headers=make_headers(**headers),
        subject=mustache.compile(subject),
        html=mustache.compile(html),
        text=mustache.compile(text),
    )


def compose(skeleton: Skeleton, context: dict[str, str] | None = None, to: str = "reader@example.org") -> bytes:
    return skeleton.mime(
        message_id=42,
        to=to,
        date="Mon, 23 Nov 2026 09:00:00 +0000",
        list_headers=skeleton.headers.list_headers("https://pq.example/u/tokentoken"),
        context=context or {},
    )


def read(raw: bytes) -> EmailMessage:
    return cast("EmailMessage", message_from_bytes(raw, policy=default))


def content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


CONTEXTS = [
    {},
    {"first_name": "Zoë", "city": "Kraków", "pq_link_0": "https://pq.example/t/c/abc", "pq_open_pixel": "<img>"},
    {"first_name": 'A <b> & "c" = d', "city": "x" * 500, "pq_link_0": "https://pq.example/" + "y" * 300},
    {"first_name": "two\nlines\r\nand three", "city": " lead and trail ", "pq_link_0": "="},
    {"first_name": "👩‍🌾" * 30, "city": ".", "pq_link_0": "."},
]


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_is_read_back_is_what_was_rendered(context: dict[str, str]) -> None:
    mail = read(compose(make_skeleton(), context))
    for kind, source in (("html", HTML), ("plain", TEXT)):
        wanted = mustache.compile(source).render(context).replace("\r\n", "\n")
        assert content(mail, kind) == wanted
    assert mail.defects == []
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.get_content_type() == "multipart/alternative"


_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    max_size=200,
)


@settings(max_examples=60, deadline=None)
@given(first=_TEXTS, city=_TEXTS)
def test_no_value_can_break_the_encoding(first: str, city: str) -> None:
    context = {"first_name": first, "city": city, "pq_link_0": "https://pq.example/t/c/x"}
    raw = compose(make_skeleton(), context)
    mail = read(raw)
    assert content(mail, "html") == mustache.compile(HTML).render(context)
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 78
    assert re.search(rb"[^\r]\n|\r[^\n]", raw) is None, "every line ends with CRLF"


@settings(max_examples=400, deadline=None)
@given(html=templates, text=templates, context=contexts, fixed_names=st.frozensets(st.sampled_from(NAMES)))
def test_finished_mail_says_byte_for_byte_what_chevron_renders(
    html: str, text: str, context: dict[str, str], fixed_names: frozenset[str]
) -> None:
    try:
        for source in (html, text):
            mustache.validate(source)
    except Invalid:
        return  # literals next to each other can form what is not allowed; refusals have their own tests
    # which tags stand alone on a line depends on what ends a line, so sources have one kind here
    html, plain = one_line_end(html), mustache.unescaped(one_line_end(text))
    skeleton = Skeleton(
        headers=make_headers(),
        subject=mustache.compile("x"),
        html=mustache.compile(html),
        text=mustache.compile(plain),
        fixed={name: context.get(name, "") for name in fixed_names},
    )
    own = {name: value for name, value in context.items() if name not in fixed_names}
    parts = [part.get_payload(decode=True) for part in message_from_bytes(compose(skeleton, own)).walk()]
    values = nested({name: one_line_end(value) for name, value in context.items()})
    wanted = [chevron.render(source, values, partials_path=None) for source in (plain, html)]
    assert parts[1:] == [written.replace("\n", "\r\n").encode() for written in wanted]


@pytest.mark.parametrize("value", ["\r", "\n", "\r\n"])
def test_a_line_end_in_a_value_is_one_line_end_whatever_follows_it(value: str) -> None:
    mail = read(compose(make_skeleton(), {"first_name": value, "pq_link_0": "x"}))
    assert content(mail, "plain") == "Hello \n\n\nx\n-- \nbye\n"


@pytest.mark.parametrize("text", ["", "plain", "ends with space ", "a\tb\t", "=", "ü" * 100, "line\n" * 3, "x" * 200])
def test_quoted_printable_is_undone_by_the_standard_library(text: str) -> None:
    import quopri

    encoded = quoted_printable(text)
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").decode() == text
    assert max(map(len, encoded.split(b"\r\n"))) <= 76


def test_it_carries_every_header_that_mailboxes_ask_for() -> None:
    raw = compose(make_skeleton(), {"first_name": "Ana"})
    mail = read(raw)
    assert mail["From"] == "Northwind <hello@northwind.example>"
    assert mail["Reply-To"] == "team@northwind.example"
    assert mail["To"] == "reader@example.org"
    assert mail["Subject"] == "Beans, Ana"
    assert mail["Date"].datetime.isoformat() == "2026-11-23T09:00:00+00:00"
    assert mail["Message-ID"] == "<42@northwind.example>"
    assert mail["List-Id"] == "Northwind Coffee <northwind-coffee.localhost>"
    assert mail["List-Unsubscribe"] == (
        "<https://pq.example/u/tokentoken>, <mailto:team@northwind.example?subject=unsubscribe%20tokentoken>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"] == "c0ffee:northwind-coffee:campaign:pulsequill"
    assert mail["MIME-Version"] == "1.0"
    assert (
        len(re.findall(rb"(?im)^(from|to|subject|date|message-id|list-id|reply-to):", raw.partition(b"\r\n\r\n")[0]))
        == 7
    )


@pytest.mark.parametrize(
    "name",
    ["Café Zoë", 'Maya "M" Okafor, Ltd', "日本のコーヒー店" * 6, "a@b (comment)", "=?utf-8?q?fake?=", "Ünï" * 30],
)
def test_senders_of_any_name_are_read_back_right(name: str) -> None:
    # By RFC 2047 section 6.2 and the older parser: the newer one of Python 3.11 keeps the blanks between encoded words.
    field = message_from_bytes(compose(make_skeleton(from_name=name)))["From"]
    words, _, address = field.rpartition(" <")
    plain = str(make_header(decode_header(words.replace("\r\n", "")))) if "=?utf-8?" in words else unquote(words)
    assert (plain, address) == (name, "hello@northwind.example>")


def test_internationalised_domains_are_written_in_ascii() -> None:
    mail = read(compose(make_skeleton(from_email="hallo@bücher.example", reply_to="x@exämple.org"), to="a@ünï.example"))
    assert mail["From"].addresses[0].addr_spec == "hallo@xn--bcher-kva.example"
    assert mail["Reply-To"] == "x@xn--exmple-cua.org"
    assert mail["To"] == "a@xn--n-nga1b.example"
    assert mail["Message-ID"] == "<42@xn--bcher-kva.example>"
    assert ascii_address("plain@example.org") == "plain@example.org"


@pytest.mark.parametrize(
    "subject",
    ["Grüße ☕ aus Bristol", "word " * 60, "x" * 300, "=?utf-8?q?not=20encoded?=", "ünï" * 90, "tab\tinside"],
)
def test_subjects_of_any_kind_are_read_back_right(subject: str) -> None:
    raw = compose(make_skeleton(subject=subject))
    assert read(raw)["Subject"] == one_line(subject)
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 998


@pytest.mark.parametrize("field", ["from_name", "from_email", "reply_to"])
@pytest.mark.parametrize("evil", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\x00b"])
def test_an_injected_header_line_is_refused(field: str, evil: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_headers(**{field: evil})
    assert refused.value.code == "header_injection"


def test_a_contact_cannot_inject_a_header_through_a_merge_value() -> None:
    mail = read(compose(make_skeleton(), {"first_name": "Eve\r\nBcc: all@victims.example\r\n\r\nbody"}))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Beans, Eve Bcc: all@victims.example body"


def test_refusing_and_flattening() -> None:
    assert refuse_injection("Name", "fine") == "fine"
    assert one_line(" a\r\n\tb\x00c ") == "a b c"
    assert unstructured("Subject", "plain") == "plain"
    assert mailbox("", "a@b.example") == "a@b.example"


def test_the_boundary_cannot_occur_in_the_content() -> None:
    probe = make_skeleton()
    boundary = read(compose(probe)).get_boundary()
    mail = read(compose(make_skeleton(html=HTML + f"\n--{boundary}\n--{boundary}--\n")))
    assert len(list(mail.iter_parts())) == 2


def test_a_provider_that_builds_its_own_mime_gets_the_same_words() -> None:
    skeleton = make_skeleton()
    context = {"first_name": "Zoë & Co", "city": "Kraków", "pq_link_0": "https://pq.example/t/c/x"}
    parts = skeleton.parts(
        message_id=42, list_headers=skeleton.headers.list_headers("https://pq.example/u/t"), context=context
    )
    mail = read(compose(skeleton, context))
    assert parts.subject == mail["Subject"]
    assert parts.html == content(mail, "html")
    assert parts.text == content(mail, "plain")
    assert parts.headers["Message-ID"] == mail["Message-ID"]
    assert not any("\r" in value or "\n" in value for value in parts.headers.values())


def test_composing_is_a_join_and_not_a_rendering() -> None:
    skeleton = make_skeleton()
    context = CONTEXTS[1]

    def seconds(run: object, times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            run()  # type: ignore[operator]
        return (time.perf_counter() - started) / times

    def slowly() -> bytes:
        mail = EmailMessage()
        mail["Subject"] = "x"
        mail.set_content(mustache.compile(TEXT).render(context))
        mail.add_alternative(mustache.compile(HTML).render(context), subtype="html")
        return mail.as_bytes()

    quick = min(seconds(lambda: compose(skeleton, context), 50) for _ in range(3))
    slow = min(seconds(slowly, 20) for _ in range(3))
    assert slow > 5 * quick
