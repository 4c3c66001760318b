"""Addresses that are stopped in numbers: the same as one by one, for the price of one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Activity, WebhookAttempt, WebhookEndpoint, Workspace
from audiences import services
from audiences.addresses import erased_mark
from audiences.models import Suppression
from audiences.services import Stop
from pulsequill.core.errors import Invalid


def storm(name: str, size: int) -> list[Stop]:
    return [Stop(f"{name}{n}@example.com", "complaint", "sendgrid") for n in range(size)]


def test_a_storm_takes_as_many_statements_as_one_complaint(workspace: Workspace) -> None:
    spent = []
    for name, size in (("calm", 1), ("storm", 400)):
        with CaptureQueriesContext(connection) as queries:
            assert services.suppress_emails(workspace=workspace, stops=storm(name, size)) == size
        spent.append(len(queries))
    assert spent[0] == spent[1]
    assert Suppression.objects.count() == Activity.objects.filter(kind="email.suppressed").count() == 401


def test_each_address_is_logged_and_told_once_whatever_is_repeated(workspace: Workspace) -> None:
    WebhookEndpoint.objects.create(workspace=workspace, url="https://hooks.example/x", kinds=[])
    stops = [*storm("ana", 3), Stop(" ANA1@example.com", "unsubscribe", "page")]
    assert services.suppress_emails(workspace=workspace, stops=stops) == 3
    assert services.suppress_emails(workspace=workspace, stops=stops) == 0
    told = WebhookAttempt.objects.filter(kind="email.suppressed")
    assert sorted(attempt.payload["data"]["id"] for attempt in told) == sorted(
        str(pk) for pk in Suppression.objects.values_list("pk", flat=True)
    )
    assert {attempt.payload["data"]["reason"] for attempt in told} == {"complaint"}
    assert told.values("message_id").distinct().count() == 3


def test_the_strongest_reason_stays_in_whatever_order_they_come(workspace: Workspace) -> None:
    reasons = ("manual", "complaint", "hard_bounce", "unsubscribe")
    for turn in range(4):
        email = f"turn{turn}@example.com"
        stops = [Stop(email, reason, f"the {reason}") for reason in (*reasons[turn:], *reasons[:turn])]
        services.suppress_emails(workspace=workspace, stops=stops[:2])
        services.suppress_emails(workspace=workspace, stops=stops[2:])
    assert set(Suppression.objects.values_list("reason", "source")) == {("complaint", "the complaint")}


def test_erased_people_and_texts_that_are_no_address_are_not_listed(workspace: Workspace) -> None:
    mark = erased_mark("gone@example.com")
    Suppression.objects.create(workspace=workspace, email_normalized=mark, reason="manual")
    stops = [
        Stop("Gone@example.com", "complaint", "t"),
        Stop(mark, "complaint", "t"),
        Stop("ana@example.com", "manual", "t"),
    ]
    assert services.suppress_emails(workspace=workspace, stops=stops) == 1
    assert set(Suppression.objects.values_list("email_normalized", flat=True)) == {mark, "ana@example.com"}
    with pytest.raises(Invalid):
        services.suppress_emails(
            workspace=workspace, stops=[Stop("eve@example.com", "manual", "t"), Stop("no", "manual", "t")]
        )
    assert Suppression.objects.count() == 2
