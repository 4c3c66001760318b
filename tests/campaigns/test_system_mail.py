"""PulseQuill's own mail: marked as a machine's, right in its headers, and never a place for injected lines."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from django.core.mail import EmailMultiAlternatives

from campaigns.delivery.system_mail import EmailBackend
from campaigns.models import CapturedMessage

pytestmark = pytest.mark.django_db


def send(**changes: object) -> None:
    mail = EmailMultiAlternatives(
        **{
            "subject": "Set your password, Zoë ☕",
            "body": "Follow the link.",
            "from_email": "PulseQuill <no-reply@bücher.example>",
            "to": ["Maya <maya@northwind.io>"],
            **changes,
        }
    )
    mail.attach_alternative("<p>Follow the link.</p>", "text/html")
    assert EmailBackend().send_messages([mail]) == 1


def test_it_says_that_a_machine_wrote_it_so_that_no_machine_answers() -> None:
    send()
    mail = message_from_bytes(bytes(CapturedMessage.objects.get().raw), policy=default)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "Set your password, Zoë ☕"
    assert mail["List-Unsubscribe"] is None


def test_it_returns_to_its_sender_with_a_domain_that_smtp_can_carry() -> None:
    send()
    captured = CapturedMessage.objects.get()
    assert captured.workspace_id is None
    assert b"xn--bcher-kva.example" in bytes(captured.raw)


def test_an_injected_line_is_refused() -> None:
    with pytest.raises(ValueError, match="newline"):
        send(subject="Hello\r\nBcc: all@victims.example")
    assert not CapturedMessage.objects.exists()
