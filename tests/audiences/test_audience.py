"""Who may be mailed: the single definition, case by case."""

from __future__ import annotations

import pytest
from django.db import connection

from audiences import selectors, services
from audiences.models import ContactList, Segment, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def club(workspace) -> ContactList:
    return ContactList.objects.create(workspace=workspace, name="Brew club")


@pytest.fixture
def everybody(workspace) -> Segment:
    return Segment.objects.create(
        workspace=workspace, name="All", rules={"field": "email", "op": "ends_with", "value": "@example.com"}
    )


def reasons(workspace, **choice) -> dict[str, str]:
    sql, params = selectors.audience_sql(workspace_id=workspace.pk, **choice)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    assert len(rows) == len({row[0] for row in rows}), "one row a contact"
    return {row[2].split("@")[0]: row[3] for row in rows}


def set_status(contact, list_, status) -> None:
    Subscription.objects.filter(contact=contact, list=list_).update(status=status)


def test_every_reason_to_skip_is_told_apart(workspace, newsletter, make_contact):
    for name in ("fine", "bounced", "complained", "left_all", "by_hand", "left", "waiting"):
        make_contact(f"{name}@example.com", lists=[newsletter])
    for name, reason in [
        ("bounced", "hard_bounce"), ("complained", "complaint"), ("left_all", "unsubscribe"), ("by_hand", "manual"),
    ]:  # fmt: skip
        services.suppress_email(workspace=workspace, email=f"{name}@example.com", reason=reason, source="t")
    Subscription.objects.filter(contact__email="left@example.com").update(status="unsubscribed")
    Subscription.objects.filter(contact__email="waiting@example.com").update(status="pending")
    make_contact("elsewhere@example.com")
    assert reasons(workspace, lists=[newsletter]) == {
        "fine": "",
        "bounced": "suppressed_hard_bounce",
        "complained": "suppressed_complaint",
        "left_all": "suppressed_unsubscribe",
        "by_hand": "suppressed_manual",
        "left": "unsubscribed",
        "waiting": "pending_confirmation",
    }
    count = selectors.count_audience(workspace_id=workspace.pk, lists=[newsletter.pk])
    assert (count.included, sum(count.skipped.values()), count.skipped["unsubscribed"]) == (1, 6, 1)


def test_one_active_place_on_any_chosen_list_is_enough(workspace, newsletter, club, make_contact):
    contact = make_contact("a@example.com", lists=[newsletter, club])
    set_status(contact, newsletter, "unsubscribed")
    assert reasons(workspace, lists=[newsletter, club]) == {"a": ""}
    assert reasons(workspace, lists=[newsletter]) == {"a": "unsubscribed"}


def test_a_segment_reaches_subscribers_and_people_without_any_list(workspace, newsletter, everybody, make_contact):
    make_contact("subscriber@example.com", lists=[newsletter])
    make_contact("no_list@example.com")
    left = make_contact("left@example.com", lists=[newsletter])
    set_status(left, newsletter, "unsubscribed")
    waiting = make_contact("waiting@example.com", lists=[newsletter])
    set_status(waiting, newsletter, "pending")
    assert reasons(workspace, segments=[everybody]) == {
        "subscriber": "", "no_list": "", "left": "unsubscribed", "waiting": "pending_confirmation",
    }  # fmt: skip


def test_who_left_a_chosen_list_is_not_reached_through_a_segment(workspace, newsletter, club, everybody, make_contact):
    contact = make_contact("a@example.com", lists=[newsletter, club])
    set_status(contact, newsletter, "unsubscribed")
    assert reasons(workspace, lists=[newsletter], segments=[everybody]) == {"a": "unsubscribed"}
    assert reasons(workspace, segments=[everybody]) == {"a": ""}


def test_exclusions_by_list_and_segment_skip_with_their_own_reason(
    workspace, newsletter, club, everybody, make_contact
):
    make_contact("a@example.com", lists=[newsletter, club])
    make_contact("b@example.com", lists=[newsletter])
    former = make_contact("c@example.com", lists=[newsletter, club])
    set_status(former, club, "unsubscribed")
    assert reasons(workspace, lists=[newsletter], exclude_lists=[club]) == {"a": "excluded", "b": "", "c": ""}
    assert set(reasons(workspace, lists=[newsletter], exclude_segments=[everybody]).values()) == {"excluded"}


def test_another_workspaces_lists_and_segments_match_nobody(workspace, other_workspace, make_contact):
    theirs = ContactList.objects.create(workspace=other_workspace, name="Theirs")
    segment = Segment.objects.create(workspace=other_workspace, name="All", rules={"field": "email", "op": "is_set"})
    make_contact("them@example.com", workspace=other_workspace, lists=[theirs])
    assert reasons(workspace, lists=[theirs], segments=[segment]) == {}


def test_nothing_chosen_reaches_nobody(workspace, make_contact):
    make_contact("a@example.com")
    assert reasons(workspace) == {}
    assert selectors.count_audience(workspace_id=workspace.pk).included == 0


def test_contact_values_and_merge_tags_know_custom_fields(workspace, make_contact):
    services.create_field(workspace=workspace, key="plan", label="Plan", fallback="free")
    contact = make_contact("a@example.com", first_name="Ana", attributes={"plan": "pro"})
    assert list(selectors.contact_values([contact.pk])) == [(contact.pk, "a@example.com", "Ana", "", {"plan": "pro"})]
    tags = selectors.known_merge_tags(workspace)
    assert list(tags) == ["first_name", "last_name", "email", "plan"]
    assert tags["plan"] == ("plan", "Plan", "free")
