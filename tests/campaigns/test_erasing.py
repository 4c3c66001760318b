"""Erasing a person: what the ledger and the outbox keep, and that it sends them nothing any more."""

from __future__ import annotations

import pytest
from django.test import Client

from audiences import services as audiences
from audiences.addresses import erased_mark
from audiences.models import Contact
from campaigns.delivery import pipeline
from campaigns.delivery.providers import Outcome
from campaigns.models import CapturedMessage, Message
from campaigns.selectors.ledger import TOTAL, count_by_status
from campaigns.services import messages, sending
from pulsequill.core.errors import WrongState
from tests.campaigns.making import make_member
from tests.campaigns.sending import captured, make_launched, make_ready, rows_of, statuses_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db


def test_an_erased_person_leaves_a_hash_in_the_ledger_and_no_captured_mail() -> None:
    campaign, (gone, other) = make_launched(2)
    pipeline.deliver(campaign_id=campaign.pk)
    before = count_by_status(campaign)[TOTAL]

    audiences.erase_contact(contact=gone)

    assert [(row.email, row.email_normalized) for row in rows_of(campaign)] == [
        (erased_mark(gone.email_normalized),) * 2,
        (other.email, other.email_normalized),
    ]
    assert [mail["To"] for mail in captured()] == [other.email]
    assert count_by_status(campaign)[TOTAL] == before


def test_former_addresses_and_the_servers_answer_go_too(told) -> None:
    told(lambda message: Outcome("http_400", detail=f"<{message.to}> is unknown"))
    campaign, (contact,) = make_launched(1)
    pipeline.deliver(campaign_id=campaign.pk)
    old = contact.email
    Message.objects.update(reason=f"The server said: {old.upper()} is unknown.")
    contact = audiences.update_contact(contact=contact, changes={"email": "new@example.org"})

    audiences.erase_contact(contact=contact)

    (row,) = rows_of(campaign)
    assert (row.email, row.reason, row.status) == (erased_mark(old), "", "failed")


def test_who_is_erased_before_their_turn_is_never_mailed(told) -> None:
    provider = told(lambda _message: Outcome("accepted"))
    campaign, (gone, other) = make_launched(2)

    audiences.erase_contact(contact=gone)
    pipeline.deliver(campaign_id=campaign.pk)

    assert [message.to for message in provider.given] == [other.email]
    assert statuses_of(campaign) == {"sent": 1, "skipped": 1}


def test_nobody_can_send_an_erased_persons_message_again(told, client: Client) -> None:
    told(lambda _message: Outcome("timeout"))
    campaign, (contact,) = make_launched(1)
    pipeline.deliver(campaign_id=campaign.pk)

    audiences.erase_contact(contact=contact)

    row = Message.objects.select_related("campaign", "workspace").get(campaign=campaign)
    with pytest.raises(WrongState, match="erased"):
        messages.resend(message=row, actor=None)
    client.force_login(make_member(campaign.workspace))
    page = client.get(f"/campaigns/{campaign.pk}/messages").content.decode()
    assert "an erased person" in page
    assert contact.email not in page


def test_a_test_send_keeps_the_colleagues_address_and_loses_the_persons_values() -> None:
    campaign, contacts = make_ready(1)
    sending.send_test(
        campaign=campaign, variant=campaign.variants.get(), to=["maya@northwind.io"], contact=contacts[0], actor=None
    )
    message = Message.objects.get(is_test=True)
    pipeline.deliver_one(message_id=message.pk)
    assert CapturedMessage.objects.count() == 1

    audiences.erase_contact(contact=contacts[0])

    message.refresh_from_db()
    assert message.email == "maya@northwind.io"
    assert CapturedMessage.objects.count() == 0


def test_the_same_address_in_another_workspace_is_another_person() -> None:
    (first, (gone,)), (second, (namesake,)) = make_launched(1), make_launched(1)
    Contact.objects.filter(pk=namesake.pk).update(email=gone.email, email_normalized=gone.email)
    Message.objects.filter(campaign=second).update(email=gone.email, email_normalized=gone.email)

    audiences.erase_contact(contact=gone)

    assert rows_of(second)[0].email == gone.email
    assert rows_of(first)[0].is_erased
