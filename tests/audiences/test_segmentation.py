"""Rules: what they refuse, what they mean, and that values never become SQL."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences import services
from audiences.models import Contact, Subscription
from audiences.segmentation import OPERATORS, compile_rules, describe, fields_of
from audiences.selectors import explain_segment, preview_segment
from pulsequill.core.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(workspace, make_contact, newsletter) -> None:
    for key, kind in (("plan", "text"), ("spent", "number"), ("born", "date"), ("vip", "boolean")):
        services.create_field(workspace=workspace, key=key, type=kind)
    today = date.today()
    make_contact(
        "ana@example.com", first_name="Ana", last_name="Øst", lists=[newsletter],
        attributes={"plan": "pro", "spent": 120.5, "born": today.isoformat(), "vip": True},
    )  # fmt: skip
    make_contact(
        "ben@example.org", first_name="Ben",
        attributes={"plan": "50%_\\off", "spent": -3, "born": (today - timedelta(days=40)).isoformat(), "vip": False},
    )  # fmt: skip
    make_contact("cleo@example.net", attributes={})
    # Values of a wrong type (a field that was deleted and made again) must not break a question.
    Contact.objects.filter(email="cleo@example.net").update(
        attributes={"spent": "n/a", "born": "someday", "vip": "x", "plan": 3}
    )
    now = timezone.now()
    Contact.objects.filter(first_name="Ana").update(last_opened_at=now, last_sent_at=now)
    Contact.objects.filter(first_name="Ben").update(last_opened_at=now - timedelta(days=100))


def members(workspace, rules) -> str:
    services.check_rules(workspace=workspace, rules=rules)
    sql, params = compile_rules(rules, fields=fields_of(workspace), workspace_id=workspace.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT left(email, 1) FROM audiences_contact c WHERE workspace_id = %s AND {sql} ORDER BY 1",
            [workspace.pk, *params],
        )
        return "".join(row[0] for row in cursor.fetchall())


TODAY = date.today().isoformat()


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("first_name", "is", "ANA", "a"),
        ("first_name", "is_not", "ana", "bc"),
        ("first_name", "in", ["Ana", "ben"], "ab"),
        ("first_name", "is_set", None, "ab"),
        ("first_name", "is_not_set", None, "c"),
        ("last_name", "contains", "ØS", "a"),
        ("email", "ends_with", "@EXAMPLE.org", "b"),
        ("email", "not_contains", "example.org", "ac"),
        ("plan", "is", "pro", "a"),
        ("plan", "is_not", "pro", "bc"),
        ("plan", "in", ["pro", "50%_\\off"], "ab"),
        ("plan", "contains", "%_\\", "b"),
        ("plan", "contains", "5%", ""),
        ("plan", "starts_with", "P", "a"),
        ("spent", "equals", 120.5, "a"),
        ("spent", "not_equals", 120.5, "bc"),
        ("spent", "greater_than", -3, "a"),
        ("spent", "at_least", -3, "ab"),
        ("spent", "less_than", 0, "b"),
        ("spent", "between", [-5, 500], "ab"),
        ("spent", "is_not_set", None, "c"),
        ("born", "on", TODAY, "a"),
        ("born", "before", TODAY, "b"),
        ("born", "in_last_days", 30, "a"),
        ("born", "not_in_last_days", 30, "bc"),
        ("born", "in_next_days", 1, "a"),
        ("born", "between", ["2020-01-01", TODAY], "ab"),
        ("vip", "is_true", None, "a"),
        ("vip", "is_false", None, "b"),
        ("vip", "is_set", None, "ab"),
        ("created_at", "in_last_days", 1, "abc"),
        ("created_at", "before", "2020-01-01", ""),
    ],
)
def test_each_operator_means_what_it_says(workspace, people, field, op, value, expected):
    assert members(workspace, {"field": field, "op": op, "value": value}) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"engagement": "opened", "op": "in_last_days", "value": 30}, "a"),
        ({"engagement": "opened", "op": "not_in_last_days", "value": 30}, "bc"),
        ({"engagement": "opened", "op": "ever"}, "ab"),
        ({"engagement": "clicked", "op": "never"}, "abc"),
        ({"engagement": "sent", "op": "in_last_days", "value": 1}, "a"),
    ],
)
def test_engagement_asks_the_columns_of_the_contact(workspace, people, rule, expected):
    assert members(workspace, rule) == expected


def test_list_membership_means_an_active_place(workspace, people, newsletter):
    on = {"list": str(newsletter.pk), "op": "is_on"}
    assert members(workspace, on) == "a"
    assert members(workspace, {"list": str(newsletter.pk), "op": "is_not_on"}) == "bc"
    Subscription.objects.update(status="unsubscribed")
    assert members(workspace, on) == ""


def test_groups_nest_and_not_counts_the_unknown_as_no(workspace, people):
    spent = {"field": "spent", "op": "greater_than", "value": 0}
    assert members(workspace, {"not": spent}) == "bc"
    nested = {"all": [{"any": [spent, {"field": "vip", "op": "is_false"}]}, {"not": {"all": [spent]}}]}
    assert members(workspace, nested) == "b"


@pytest.mark.parametrize(
    "rules",
    [
        None, [], "x", {}, {"all": []}, {"all": {}}, {"any": [1]}, {"not": None},
        {"all": [{"field": "email", "op": "is_set"}], "any": []},
        {"field": "nope", "op": "is", "value": "x"},
        {"field": "email", "op": "equals", "value": "x"},
        {"field": "email", "op": ["is"], "value": "x"},
        {"field": "email", "op": "is"},
        {"field": "email", "op": "is", "value": ""},
        {"field": "email", "op": "is", "value": "a\0b"},
        {"field": "email", "op": "is", "value": "\ud800"},
        {"field": "email", "op": "is", "value": "x" * 201},
        {"field": "email", "op": "in", "value": ["x"] * 101},
        {"field": "email", "op": "is", "value": "x", "sql": "1=1"},
        {"field": "spent", "op": "equals", "value": "12"},
        {"field": "spent", "op": "equals", "value": True},
        {"field": "spent", "op": "equals", "value": float("inf")},
        {"field": "spent", "op": "equals", "value": 10**400},
        {"field": "spent", "op": "between", "value": [1]},
        {"field": "born", "op": "on", "value": "2026-13-01"},
        {"field": "born", "op": "in_last_days", "value": -1},
        {"field": "born", "op": "in_last_days", "value": 1.5},
        {"list": "not-an-id", "op": "is_on"},
        {"list": "01900000-0000-7000-8000-000000000000", "op": "is_on"},
        {"engagement": "looked", "op": "ever"},
        {"not": {"not": {"not": {"not": {"not": {"not": {"field": "email", "op": "is_set"}}}}}}},
        {"all": [{"field": "email", "op": "is_set"}] * 51},
    ],
)  # fmt: skip
def test_faulty_rules_are_refused_with_a_path(workspace, people, rules):
    with pytest.raises(Invalid) as caught:
        services.check_rules(workspace=workspace, rules=rules)
    assert all(error.field.startswith("rules") for error in caught.value.errors)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=60),
    op=st.sampled_from([name for name, operator in OPERATORS["text"].items() if operator.arity == "one"]),
    field=st.sampled_from(["first_name", "plan", "email"]),
)
def test_no_text_can_break_out_of_its_parameter(workspace, people, value, op, field):
    count, _sample = preview_segment({"field": field, "op": op, "value": value}, workspace_id=workspace.pk)
    assert 0 <= count.value <= 3


GONE = "01900000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "shoe_size", "op": "is", "value": "44"},
        {"list": GONE, "op": "is_on"},
        {"list": GONE, "op": "is_not_on"},
        {"campaign": GONE, "op": "opened"},
        {"campaign": GONE, "op": "was_not_sent"},
    ],
)
def test_what_was_deleted_makes_a_segment_smaller_and_never_larger(workspace, people, condition):
    known = {"field": "first_name", "op": "is", "value": "ana"}

    def found(rules) -> str:
        _count, sample = preview_segment(rules, workspace_id=workspace.pk)
        for contact in Contact.objects.filter(workspace=workspace):
            assert explain_segment(rules, contact=contact).passed is (contact in sample)
        return "".join(sorted(contact.email[0] for contact in sample))

    assert found(condition) == found({"not": condition}) == found({"not": {"not": condition}}) == ""
    assert found({"all": [known, condition]}) == found({"not": {"any": [known, condition]}}) == ""
    assert found({"any": [known, condition]}) == "a"
    assert found({"not": {"all": [known, condition]}}) == "bc"


def test_rules_read_as_a_sentence(workspace, people, newsletter):
    rules = {
        "all": [
            {"field": "plan", "op": "is", "value": "pro"},
            {
                "any": [
                    {"engagement": "opened", "op": "in_last_days", "value": 30},
                    {"list": str(newsletter.pk), "op": "is_on"},
                ]
            },
        ]
    }
    sentence = describe(rules, fields=fields_of(workspace), lists={str(newsletter.pk): "Newsletter"})
    assert sentence == "Plan is “pro” and (opened a mail in the last 30 days or is on the list Newsletter)"


def test_explaining_shows_which_condition_fails(workspace, people):
    rules = {
        "any": [
            {"field": "plan", "op": "is", "value": "pro"},
            {"not": {"field": "spent", "op": "less_than", "value": 0}},
        ]
    }
    trace = explain_segment(rules, contact=Contact.objects.get(first_name="Ben")).as_dict()
    assert trace["passed"] is False
    assert [child["passed"] for child in trace["children"]] == [False, False]
    assert trace["children"][1]["children"][0]["passed"] is True
