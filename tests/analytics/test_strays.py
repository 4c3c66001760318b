"""What could not be counted: kept for a while, and not about people who were erased."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from analytics.ingest import bounce_mail
from analytics.ingest.strays import forget_old_strays
from analytics.tasks import archive_events
from audiences.services import erase_contact
from pulsequill.core.event_log import append_durably, encode
from pulsequill.models import StrayEvent
from tests.analytics.making import make_mailing, make_workspace

pytestmark = pytest.mark.django_db

HOLIDAY = "From: {sender}\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday. {text}\r\n"


def holiday_answer(workspace_id: Any, sender: str, text: str = "") -> None:
    assert bounce_mail.take_in(HOLIDAY.format(sender=sender, text=text).encode(), workspace_id=workspace_id)


def test_strays_are_kept_for_their_days_and_what_waits_to_be_counted_stays(settings: Any) -> None:
    settings.STRAY_EVENT_DAYS = 30
    holiday_answer(None, "ana@example.com")
    append_durably([encode(kind="opened", message_id=1, source="tracking", dedupe_key="waiting")])
    StrayEvent.objects.update(received_at=timezone.now() - timedelta(days=31))
    holiday_answer(None, "eve@example.com")
    assert forget_old_strays(now=timezone.now() - timedelta(days=2)) == 0
    archive_events()
    assert sorted(stray.entry["kind"] for stray in StrayEvent.objects.all()) == ["mail", "opened"]
    assert "eve@example.com" in json.dumps(StrayEvent.objects.get(problem__gt="").entry)


def test_erasing_a_person_removes_the_strays_that_mention_them_and_no_others() -> None:
    mailing, other = make_mailing(size=2), make_workspace("Another")
    message = mailing.messages[0]
    assert message.contact is not None
    workspace_id, email = mailing.workspace.pk, message.email
    holiday_answer(workspace_id, email.upper())
    holiday_answer(None, "server@example.net", f"You wrote to {email}")
    holiday_answer(workspace_id, f"bounces+{email.replace('@', '=')}@lists.example")
    line = encode(kind="opened", message_id=message.pk, source="sendgrid", workspace_id=workspace_id)
    append_durably([line], problem="cannot be stored")
    holiday_answer(workspace_id, mailing.messages[1].email)
    holiday_answer(other.pk, email)
    erase_contact(contact=message.contact, actor=None)
    left = [json.dumps(stray.entry) for stray in StrayEvent.objects.order_by("id")]
    assert len(left) == 2
    assert mailing.messages[1].email in left[0]
    assert str(other.pk) in left[1]
