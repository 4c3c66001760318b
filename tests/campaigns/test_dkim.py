"""DKIM signatures: judged by dkimpy, which shares no code with what signs."""

from __future__ import annotations

import re
import time
from email import message_from_bytes

import dkim as judge
import pytest
from django.utils import timezone
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.delivery.dkim import SIGNED, Signer, make_key, record_of, relaxed_body, signer_for
from campaigns.models import SendingDomain
from pulsequill.core import signing
from tests.campaigns.making import make_workspace
from tests.campaigns.test_mime import CONTEXTS, compose, make_skeleton

DOMAIN = "northwind.example"
KEY = make_key()
SIGNER = Signer(domain=DOMAIN, selector="pulsequill", private_key=signing.decrypt(KEY.private_key_encrypted))


def published(name: bytes, timeout: int = 5) -> bytes | None:
    """What the DNS of the test says."""
    return record_of(KEY.public_key).encode() if name == b"pulsequill._domainkey.northwind.example." else None


def signed(mime: bytes) -> bytes:
    return SIGNER.sign(mime) + mime


def is_valid(mail: bytes) -> bool:
    return bool(judge.verify(mail, dnsfunc=published))


@pytest.mark.parametrize("context", CONTEXTS)
def test_dkimpy_verifies_every_mail_that_we_compose(context: dict[str, str]) -> None:
    assert is_valid(signed(compose(make_skeleton(subject="Grüße ☕ " * 12), context)))


@settings(max_examples=40, deadline=None)
@given(first=st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
def test_dkimpy_verifies_whatever_a_contact_is_called(first: str) -> None:
    assert is_valid(signed(compose(make_skeleton(), {"first_name": first})))


@settings(max_examples=300, deadline=None)
@given(st.text(" \tab.\n=", max_size=60))
def test_bodies_are_relaxed_as_dkimpy_relaxes_them(text: str) -> None:
    body = text.replace("\n", "\r\n").encode() + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


def test_what_readers_and_mailboxes_act_upon_is_covered() -> None:
    field = str(message_from_bytes(signed(compose(make_skeleton())))["DKIM-Signature"])
    names = re.sub(r"\s", "", field.partition("h=")[2].partition(";")[0]).split(":")
    assert names == list(SIGNED)
    assert {"list-unsubscribe", "list-unsubscribe-post", "feedback-id", "list-id", "mime-version"} <= set(names)
    assert {name for name in names if names.count(name) == 2} == {
        "from", "to", "subject", "date", "reply-to", "content-type"
    }  # fmt: skip
    assert "message-id" not in names
    assert "c=relaxed/relaxed" in field
    assert f"d={DOMAIN}" in field
    assert max(map(len, SIGNER.sign(b"From: a@b.example\r\n\r\nx\r\n").split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "name", ["From", "To", "Subject", "Date", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"]
)
def test_a_changed_or_removed_field_breaks_the_signature(name: str) -> None:
    mail = signed(compose(make_skeleton()))
    assert is_valid(mail)
    field = re.compile(rb"(?m)^" + name.encode() + rb":(?:.*\r\n)(?:[ \t].*\r\n)*")
    assert field.search(mail)
    assert not is_valid(field.sub(name.encode() + b": changed@evil.example\r\n", mail, count=1))
    assert not is_valid(field.sub(b"", mail, count=1))


@pytest.mark.parametrize("name", ["From", "Subject", "To", "Reply-To", "Content-Type"])
def test_a_second_field_cannot_be_slipped_in(name: str) -> None:
    assert not is_valid(f"{name}: evil@evil.example\r\n".encode() + signed(compose(make_skeleton())))


def test_a_reply_address_cannot_be_added_to_a_mail_without_one() -> None:
    mail = signed(compose(make_skeleton(reply_to="")))
    assert is_valid(mail)
    assert not is_valid(b"Reply-To: evil@evil.example\r\n" + mail)


def test_a_changed_body_breaks_the_signature_and_refolded_blanks_do_not() -> None:
    mail = signed(compose(make_skeleton(text="Hello  there\n")))
    assert not is_valid(mail.replace(b"coffee", b"poison"))
    assert is_valid(mail.replace(b"Hello  there", b"Hello there ") + b"\r\n")
    assert is_valid(mail.replace(b"\r\nSubject: ", b"\r\nSUBJECT:\r\n\t  "))


def test_signing_takes_a_fraction_of_what_dkimpy_takes() -> None:
    mime, pem = compose(make_skeleton(), CONTEXTS[1]), signing.decrypt(KEY.private_key_encrypted).encode()

    def seconds(run: object, times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            run()  # type: ignore[operator]
        return (time.perf_counter() - started) / times

    ours = min(seconds(lambda: SIGNER.sign(mime), 20) for _ in range(3))
    theirs = seconds(lambda: judge.sign(mime, b"pulsequill", DOMAIN.encode(), pem), 5)
    assert theirs > 4 * ours


@pytest.mark.django_db
def test_a_domain_signs_once_its_key_was_seen_in_the_dns() -> None:
    workspace = make_workspace()
    domain = SendingDomain.objects.create(
        workspace=workspace,
        name=DOMAIN,
        dkim_selector="pulsequill",
        dkim_private_key_encrypted=KEY.private_key_encrypted,
        dkim_public_key=KEY.public_key,
    )
    assert signer_for(workspace.pk, DOMAIN) is None, "a key that nobody can look up must not sign"
    domain.dkim_verified_at = timezone.now()
    domain.save()
    for host in (DOMAIN, "news.Northwind.example"):
        signer = signer_for(workspace.pk, host)
        assert signer is not None
        assert signer.domain == DOMAIN
        mail = compose(make_skeleton())
        assert is_valid(signer.sign(mail) + mail)
    assert signer_for(workspace.pk, "northwind.test") is None
    assert signer_for(make_workspace().pk, DOMAIN) is None, "a key is its workspace's own"


def test_the_private_key_is_not_readable_at_rest() -> None:
    assert b"PRIVATE KEY" not in KEY.private_key_encrypted
    assert "PRIVATE KEY" in signing.decrypt(KEY.private_key_encrypted)
    assert make_key().public_key != KEY.public_key
