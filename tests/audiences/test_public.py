"""Unsubscribing and the preference centre: what RFC 8058 and our own rules ask for."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from audiences import services
from audiences.models import Consent, Subscription, Suppression
from audiences.tokens import (
    preferences_token,
    read_preferences_token,
    read_unsubscribe_token,
    unsubscribe_token,
)
from pulsequill.core.signing import BadSignature
from pulsequill.models import StrayEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact(make_contact, newsletter, workspace):
    other = services.create_list(workspace=workspace, name="Brew club")
    return make_contact("ana@example.com", lists=[newsletter, other])


def unsubscribe_url(contact, message_id: int = 7) -> str:
    return reverse("audiences:unsubscribe", args=[unsubscribe_token(contact.pk, message_id)])


def preferences_url(contact) -> str:
    return reverse("audiences:preferences", args=[preferences_token(contact.pk, 7)])


def statuses() -> dict[str, str]:
    return dict(Subscription.objects.values_list("list__name", "status"))


def test_tokens_read_back_and_refuse_alteration_and_the_other_purpose():
    contact_id = uuid.uuid4()
    token = unsubscribe_token(contact_id, 2**62)
    assert read_unsubscribe_token(token) == (contact_id, 2**62)
    for bad in (token[:-1], token[:-2] + "AA", "", "ö", "a" * 500, preferences_token(contact_id, 1)):
        with pytest.raises(BadSignature):
            read_unsubscribe_token(bad)
    assert read_preferences_token(preferences_token(contact_id, 0)) == (contact_id, 0)


@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_a_link_never_unsubscribes(client, contact, method):
    for url in (unsubscribe_url(contact), preferences_url(contact)):
        for _ in range(2):
            answer = getattr(client, method)(url)
            assert answer.status_code == 200
            assert not answer.cookies
    assert set(statuses().values()) == {"active"}
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("data", "extra"),
    [
        ("List-Unsubscribe=One-Click", {"content_type": "application/x-www-form-urlencoded"}),
        ({"List-Unsubscribe": "One-Click"}, {}),  # multipart
    ],
)
def test_one_click_suppresses_at_once_with_a_plain_200(client, contact, data, extra):
    client.handler.enforce_csrf_checks = True
    answer = client.post(unsubscribe_url(contact), data, **extra)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert not answer.cookies
    assert "Location" not in answer
    assert Suppression.objects.get().reason == "unsubscribe"
    assert set(statuses().values()) == {"unsubscribed"}


def test_the_page_button_unsubscribes_and_offers_the_way_back(client, contact):
    client.handler.enforce_csrf_checks = True
    answer = client.post(unsubscribe_url(contact))
    assert answer.status_code == 200
    assert b"You are unsubscribed" in answer.content
    assert not answer.cookies
    assert Suppression.objects.get().source == "unsubscribe page"


def test_unsubscribing_twice_counts_once_and_appends_one_event(client, contact):
    for _ in range(3):
        assert client.post(unsubscribe_url(contact)).status_code == 200
    assert Suppression.objects.count() == 1
    events = [row.entry for row in StrayEvent.objects.all()]
    assert len(events) == 1
    assert (events[0]["kind"], events[0]["message"], events[0]["source"]) == ("unsubscribed", 7, "page")


def test_the_link_works_after_the_contact_was_deleted(client, contact, workspace):
    url = unsubscribe_url(contact)
    contact.source = "import"
    contact.save()
    services.delete_contact(contact=contact)
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 200
    assert Suppression.objects.get().email_normalized == "ana@example.com"
    again = services.create_contact(workspace=workspace, email="ana@example.com")
    assert client.post(unsubscribe_url(again)).status_code == 200


def test_the_link_of_an_erased_person_answers_200_and_reveals_nothing(client, contact):
    url = unsubscribe_url(contact)
    services.erase_contact(contact=contact)
    assert b"ana@example.com" not in client.get(url).content
    assert client.post(url).status_code == 200
    assert "@" not in Suppression.objects.get().email_normalized


@pytest.mark.parametrize("name", ["unsubscribe", "preferences"])
def test_a_forged_link_is_not_found_and_changes_nothing(client, contact, name):
    url = reverse(f"audiences:{name}", args=["forged-token"])
    assert client.get(url).status_code == 404
    assert client.post(url).status_code == 404
    assert not Suppression.objects.exists()


def test_the_preference_centre_switches_single_lists(client, contact, newsletter):
    client.post(preferences_url(contact), {"action": "save", "lists": [str(newsletter.pk)]})
    assert statuses() == {"Newsletter": "active", "Brew club": "unsubscribed"}
    assert not Suppression.objects.exists()
    every = [str(pk) for pk in Subscription.objects.values_list("list_id", flat=True)]
    client.post(preferences_url(contact), {"action": "save", "lists": every})
    assert set(statuses().values()) == {"active"}
    assert Consent.objects.get().source == "Preference centre"


def test_a_reader_cannot_join_a_list_that_was_never_offered(client, contact, workspace):
    secret = services.create_list(workspace=workspace, name="Staff")
    client.post(preferences_url(contact), {"action": "save", "lists": [str(secret.pk), "nonsense"]})
    assert "Staff" not in statuses()


def test_coming_back_takes_ones_own_confirmation(client, contact):
    client.post(preferences_url(contact), {"action": "unsubscribe"})
    assert Suppression.objects.exists()
    refused = client.post(preferences_url(contact), {"action": "save", "lists": list_ids()})
    assert b"Confirm that you want to come back" in refused.content
    assert set(statuses().values()) == {"unsubscribed"}
    assert b"Welcome back" in client.post(preferences_url(contact), {"action": "resubscribe"}).content
    assert not Suppression.objects.exists()
    assert set(statuses().values()) == {"active"}


def list_ids() -> list[str]:
    return [str(pk) for pk in Subscription.objects.values_list("list_id", flat=True)]


def test_a_bounced_address_cannot_come_back_by_itself(client, contact, workspace):
    services.suppress_email(workspace=workspace, email=contact.email, reason="hard_bounce", source="t")
    answer = client.post(preferences_url(contact), {"action": "resubscribe"})
    assert b"cannot be switched on here" in answer.content
    assert Suppression.objects.get().reason == "hard_bounce"


def test_leaving_outranks_a_bounce_but_not_a_complaint(contact, workspace):
    for reason in ("manual", "hard_bounce", "unsubscribe", "hard_bounce", "complaint", "unsubscribe"):
        services.suppress_email(workspace=workspace, email="ANA@example.com ", reason=reason, source=reason)
    assert Suppression.objects.get().reason == "complaint"
