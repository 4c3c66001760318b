"""Goals: reached by reported events and by clicks, owed to the right mail, counted exactly once."""

from __future__ import annotations

import itertools
from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.ingest import consumer as consumer_module
from analytics.ingest import store as store_module
from analytics.ingest.consumer import Consumer
from analytics.ingest.conversions import recount_clicks
from analytics.ingest.store import store
from analytics.models import Conversion, ConversionStats, Event, Goal, GoalDay
from audiences.services import erase_contact
from campaigns.models import Message
from pulsequill.core.event_log import FIELD, STREAM, encode
from pulsequill.core.valkey import streams_client
from tests.analytics.making import SENT_AT, Mailing, make_mailing, make_member, make_workspace

pytestmark = pytest.mark.django_db

BROWSER, APPLE = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0"
_numbers = itertools.count()


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(make_workspace(), size=4, variants=2)


def make_goal(mailing: Mailing, key: str = "order", **fields: Any) -> Goal:
    return Goal.objects.create(workspace=mailing.workspace, key=key, name=key.title(), **fields)


def conversion(
    mailing: Mailing,
    *,
    message: Message | None = None,
    contact_id: Any = None,
    goal: str = "order",
    value: int | None = None,
    currency: str = "",
    at: datetime = SENT_AT + timedelta(hours=2),
    key: str = "",
) -> bytes:
    data: dict[str, Any] = {"goal": goal}
    if value is not None:
        data["value"] = value
    if currency:
        data["currency"] = currency
    if contact_id:
        data["contact"] = str(contact_id)
    return encode(
        kind="converted", message_id=message.pk if message else None, source="api", occurred_at=at,
        dedupe_key=key or f"conversion-{next(_numbers)}", workspace_id=mailing.workspace.pk, data=data,
    )  # fmt: skip


def act(kind: str, message: Message, *, link_id: int | None = None, agent: str = BROWSER, hours: float = 1.0) -> bytes:
    return encode(
        kind=kind, message_id=message.pk, source="tracking", user_agent=agent, link_id=link_id,
        occurred_at=SENT_AT + timedelta(hours=hours), dedupe_key=f"act-{next(_numbers)}",
    )  # fmt: skip


def stats(mailing: Mailing) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    return {
        (row.variant.label, row.currency): (row.messages, row.times, row.value, int(row.value_squares))
        for row in ConversionStats.objects.filter(campaign=mailing.campaign).select_related("variant")
    }


def test_an_order_counts_for_its_message_and_the_squares_stay_exact_when_it_orders_again(mailing: Mailing) -> None:
    make_goal(mailing)
    first, second = mailing.messages[0], mailing.messages[2]
    store([conversion(mailing, message=first, value=300, currency="GBP")])
    store([conversion(mailing, message=first, value=400, currency="GBP"),
           conversion(mailing, message=second, value=50, currency="GBP")])  # fmt: skip
    assert stats(mailing) == {("A", "GBP"): (2, 3, 750, 700**2 + 50**2)}
    kept = Conversion.objects.get(message=first)
    assert (kept.times, kept.value, kept.variant, kept.campaign) == (2, 700, first.variant, mailing.campaign)


def test_money_of_two_currencies_is_never_added_up(mailing: Mailing) -> None:
    make_goal(mailing)
    message = mailing.messages[0]
    store([conversion(mailing, message=message, value=300, currency="GBP"),
           conversion(mailing, message=message, value=500, currency="EUR"),
           conversion(mailing, message=message)])  # fmt: skip
    assert stats(mailing) == {
        ("A", "GBP"): (1, 1, 300, 90_000), ("A", "EUR"): (1, 1, 500, 250_000), ("A", ""): (1, 1, 0, 0),
    }  # fmt: skip


def test_a_refund_lowers_the_value_and_keeps_the_squares_exact(mailing: Mailing) -> None:
    make_goal(mailing)
    store([conversion(mailing, message=mailing.messages[0], value=300, currency="GBP")])
    store([conversion(mailing, message=mailing.messages[0], value=-100, currency="GBP")])
    assert stats(mailing) == {("A", "GBP"): (1, 2, 200, 40_000)}


def test_a_persons_click_on_a_goals_link_reaches_it_and_a_machines_does_not(mailing: Mailing) -> None:
    make_goal(mailing, link_prefix="https://shop.example/harvest")
    goal_link, other_link = (link for link in mailing.links if link.variant_id == mailing.variants[0].pk)
    human, machine = mailing.messages[0], mailing.messages[2]
    store([act("clicked", human, link_id=goal_link.pk), act("clicked", human, link_id=goal_link.pk),
           act("clicked", machine, link_id=goal_link.pk, agent=APPLE),
           act("clicked", machine, link_id=other_link.pk)])  # fmt: skip
    assert stats(mailing) == {("A", ""): (1, 2, 0, 0)}
    assert GoalDay.objects.get().owed_times == 2


def test_an_event_about_a_contact_is_owed_to_the_mail_that_they_clicked_last() -> None:
    first = make_mailing(make_workspace(), size=1, name="First")
    goal = make_goal(first, window_days=7)
    contact = first.messages[0].contact
    second = make_mailing(first.workspace, size=1, name="Second")
    third = make_mailing(first.workspace, size=1, name="Third")
    for other in (second, third):
        Message.objects.filter(pk=other.messages[0].pk).update(contact=contact)
    store([act("clicked", first.messages[0], link_id=first.links[0].pk, hours=5),
           act("clicked", second.messages[0], link_id=second.links[0].pk, hours=3),
           act("opened", third.messages[0], hours=6)])  # fmt: skip
    assert contact is not None
    store([conversion(first, contact_id=contact.pk, at=SENT_AT + timedelta(hours=8))])
    assert Conversion.objects.get(goal=goal).campaign == first.campaign
    # Between the two clicks only the second campaign's was known to them.
    store([conversion(first, contact_id=contact.pk, at=SENT_AT + timedelta(hours=4))])
    assert set(Conversion.objects.filter(goal=goal).values_list("campaign__name", flat=True)) == {"First", "Second"}


def test_without_a_click_it_is_owed_to_the_mail_that_they_opened_last(mailing: Mailing) -> None:
    goal = make_goal(mailing)
    message = mailing.messages[1]
    store([act("opened", message), conversion(mailing, contact_id=message.contact_id)])
    assert Conversion.objects.get(goal=goal).message == message
    event = Event.objects.get(kind="converted")
    assert (event.message, event.campaign, "contact" in event.data) == (message, mailing.campaign, False)


def test_what_no_mail_is_owed_counts_for_the_workspace_only(mailing: Mailing) -> None:
    goal = make_goal(mailing, window_days=1)
    never, late, foreign = mailing.messages[0], mailing.messages[1], make_mailing(make_workspace("Other")).messages[0]
    store([act("clicked", late, link_id=mailing.links[2].pk)])
    store([conversion(mailing, contact_id=never.contact_id, value=10, currency="GBP"),
           conversion(mailing, contact_id=late.contact_id, value=10, currency="GBP", at=SENT_AT + timedelta(hours=26)),
           conversion(mailing, contact_id=foreign.contact_id, value=10, currency="GBP"),
           conversion(mailing, value=10, currency="GBP")])  # fmt: skip
    assert not Conversion.objects.exists()
    days = GoalDay.objects.filter(goal=goal)
    assert (sum(day.times for day in days), sum(day.value for day in days), sum(day.owed_times for day in days)) == (
        4, 40, 0,
    )  # fmt: skip
    assert not any("contact" in data for data in Event.objects.filter(kind="converted").values_list("data", flat=True))


def test_days_are_those_of_the_workspace(mailing: Mailing) -> None:
    goal = make_goal(mailing)
    mailing.workspace.time_zone = "Pacific/Auckland"
    mailing.workspace.save()
    store([conversion(mailing, at=datetime.fromisoformat("2025-06-02T13:00:00+00:00"))])
    assert GoalDay.objects.get(goal=goal).day.isoformat() == "2025-06-03"


def test_an_unknown_goal_and_a_strange_amount_harm_nothing(mailing: Mailing) -> None:
    make_goal(mailing)
    strange = encode(
        kind="converted", message_id=mailing.messages[0].pk, source="api", occurred_at=SENT_AT, dedupe_key="strange",
        data={"goal": "order", "value": 1e300, "currency": "pounds", "contact": "'; --"},
    )  # fmt: skip
    store([conversion(mailing, message=mailing.messages[0], goal="gone"), strange])
    assert stats(mailing) == {("A", ""): (1, 1, 10**12, 10**24)}


def test_a_test_send_converts_nobody(mailing: Mailing) -> None:
    make_goal(mailing, link_prefix="https://shop.example/")
    Message.objects.filter(pk=mailing.messages[0].pk).update(is_test=True)
    store(
        [
            act("clicked", mailing.messages[0], link_id=mailing.links[0].pk),
            conversion(mailing, message=mailing.messages[0]),
        ]
    )
    assert not Conversion.objects.exists()
    assert not GoalDay.objects.exists()


def test_a_goal_that_is_deleted_takes_its_counts_along_and_events_stay(mailing: Mailing) -> None:
    goal = make_goal(mailing)
    store([conversion(mailing, message=mailing.messages[0])])
    goal.delete()
    store([conversion(mailing, message=mailing.messages[0])])
    assert not ConversionStats.objects.exists()
    assert Event.objects.filter(kind="converted").count() == 2


def test_a_click_that_turns_out_to_be_a_machines_is_taken_back_once_and_given_back_once(mailing: Mailing) -> None:
    goal = make_goal(mailing, link_prefix="https://shop.example/harvest")
    message, link = mailing.messages[0], mailing.links[0]
    store([act("clicked", message, link_id=link.pk), act("clicked", message, link_id=link.pk)])
    store([conversion(mailing, message=message, value=100, currency="GBP")])
    Goal.objects.filter(pk=goal.pk).update(link_prefix="https://elsewhere.example/")  # changed since: the marks know
    one, two = Event.objects.filter(kind="clicked").order_by("pk")

    def turn(events: list[Event], actor: str) -> None:
        Event.objects.filter(pk__in=[event.pk for event in events]).update(actor=actor)
        with transaction.atomic():
            recount_clicks(event_ids=[one.pk, two.pk])
            recount_clicks(event_ids=[one.pk, two.pk])

    turn([one], "machine")
    assert stats(mailing) == {("A", ""): (1, 1, 0, 0), ("A", "GBP"): (1, 1, 100, 10_000)}
    turn([two], "machine")
    assert stats(mailing) == {("A", ""): (0, 0, 0, 0), ("A", "GBP"): (1, 1, 100, 10_000)}
    assert not Conversion.objects.filter(currency="").exists()
    Goal.objects.filter(pk=goal.pk).update(link_prefix="https://shop.example/harvest")
    turn([one, two], "human")
    assert stats(mailing) == {("A", ""): (1, 2, 0, 0), ("A", "GBP"): (1, 1, 100, 10_000)}
    assert sum(GoalDay.objects.filter(goal=goal).values_list("times", flat=True)) == 3


def test_erasing_a_person_keeps_the_figures_and_what_they_bought_says_nobody(mailing: Mailing) -> None:
    make_goal(mailing)
    message = mailing.messages[0]
    store([act("opened", message), conversion(mailing, contact_id=message.contact_id, value=100, currency="GBP")])
    contact = message.contact
    assert contact is not None
    erase_contact(contact=contact, actor=make_member(mailing.workspace))
    assert stats(mailing) == {("A", "GBP"): (1, 1, 100, 10_000)}
    event = Event.objects.select_related("message").get(kind="converted")
    assert str(contact.pk) not in str(event.data)
    assert event.message is not None
    assert event.message.contact is None


CRASHES = ("none", "before_store", "in_store", "before_acknowledge", "before_mark")


class Crash(BaseException):
    """The process dies here."""


def _crashing(where: str) -> Any:
    target, name, is_after = {
        "before_store": (consumer_module, "store_safely", False),
        "in_store": (store_module, "count_conversions", True),
        "before_acknowledge": (Consumer, "_acknowledge", False),
        "before_mark": (consumer_module, "mark_dirty", False),
    }[where]
    real = getattr(target, name)

    def dies(*args: Any, **kwargs: Any) -> Any:
        if is_after:
            real(*args, **kwargs)
        raise Crash(where)

    return mock.patch.object(target, name, dies)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Conversions and clicks, how their lines arrive, in which batches, and where consumers die."""
    events = draw(
        st.lists(
            st.tuples(
                st.sampled_from(("converted", "converted", "clicked")),
                st.integers(0, 3),
                st.sampled_from(("order", "visit", "unknown")),
                st.sampled_from((None, 0, 1, 250, -40)),
                st.sampled_from(("GBP", "EUR")),
                st.booleans(),
            ),
            min_size=1,
            max_size=20,
        )
    )
    arrivals = draw(st.permutations([n for n in range(len(events)) for _ in range(draw(st.integers(1, 3)))]))
    return {
        "events": events,
        "arrivals": arrivals,
        "cuts": draw(st.lists(st.integers(1, 6), min_size=1, max_size=12)),
        "crashes": draw(st.lists(st.sampled_from(CRASHES), max_size=6)),
    }


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_figures_equal_a_straightforward_count_whatever_happens_on_the_way(history: dict[str, Any]) -> None:
    stream = streams_client()
    stream.flushall()
    mailing = make_mailing(make_workspace(), size=4, variants=2)
    make_goal(mailing, "order")
    make_goal(mailing, "visit", link_prefix="https://shop.example/harvest")
    store([act("clicked", message, link_id=None) for message in mailing.messages[:2]])  # whom contacts' orders are owed
    lines, expected = [], defaultdict(list)
    for kind, person, goal, value, currency, by_contact in history["events"]:
        message = mailing.messages[person]
        if kind == "clicked":
            link = next(link for link in mailing.links if link.variant_id == message.variant_id)
            lines.append(act("clicked", message, link_id=link.pk, agent=BROWSER if by_contact else APPLE))
            if by_contact:
                expected[message.pk, message.variant_id, "visit", ""].append(0)
            continue
        # The first two have clicked before, so their orders are owed; the last one's name nobody.
        is_nobodys = by_contact and person == 3
        lines.append(
            conversion(
                mailing,
                goal=goal,
                value=value,
                currency=currency,
                message=message if not by_contact or person == 2 else None,
                contact_id=None if is_nobodys else message.contact_id,
            )
        )
        if goal != "unknown" and not is_nobodys:
            money = currency if value is not None else ""
            expected[message.pk, message.variant_id, goal, money].append(value or 0)
    cuts, position = list(history["cuts"]), 0
    while position < len(history["arrivals"]):
        size = cuts.pop() if cuts else 4
        stream.xadd(STREAM, {FIELD: b"\n".join(lines[n] for n in history["arrivals"][position : position + size])})
        position += size
    for number, crash in enumerate(history["crashes"]):
        reader = Consumer(name=f"reader-{number}", claim_after_ms=0)
        if crash == "none":
            reader.read_stream(block_ms=None)
            continue
        with suppress(Crash), _crashing(crash), mock.patch.object(consumer_module, "ENTRIES_A_READ", 2):
            reader.read_stream(block_ms=None)
    last = Consumer(name="last", claim_after_ms=0)
    while stream.xlen(STREAM):
        last.read_stream(block_ms=None)
        last._claim_at = 0.0

    rows = Conversion.objects.filter(campaign=mailing.campaign).select_related("goal")
    assert {(row.message_id, row.variant_id, row.goal.key, row.currency): (row.times, row.value) for row in rows} == {
        key: (len(values), sum(values)) for key, values in expected.items()
    }
    totals: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (_, variant, goal, money), values in expected.items():
        for place, amount in enumerate((1, len(values), sum(values), sum(values) ** 2)):
            totals[variant, goal, money][place] += amount
    found = ConversionStats.objects.filter(campaign=mailing.campaign).select_related("goal")
    assert {
        (row.variant_id, row.goal.key, row.currency): [row.messages, row.times, row.value, int(row.value_squares)]
        for row in found
    } == totals


def test_many_events_are_taken_with_one_request_all_or_none(client: Any, mailing: Mailing) -> None:
    make_goal(mailing)
    client.force_login(make_member(mailing.workspace))
    message, other = mailing.messages[0], mailing.messages[1]
    store([act("clicked", other, link_id=mailing.links[2].pk)])

    def post(body: Any) -> Any:
        return client.post("/v1/events", body, content_type="application/json")

    # The clicks of `making` are months old; a report by address looks for the mail in the days before now.
    Event.objects.filter(kind="clicked").update(occurred_at=timezone.now() - timedelta(hours=1))
    good = [
        {"goal": "order", "message": str(message.public_id), "value": 10, "currency": "GBP", "event_id": "1"},
        {"goal": "order", "email": other.email.upper(), "value": 20, "currency": "GBP", "event_id": "2"},
        {"goal": "order", "contact": str(message.contact_id), "event_id": "3"},
        {"goal": "order", "value": 20, "currency": "GBP", "event_id": "2"},
    ]
    refused = post([*good, {"goal": "gone"}, {"goal": "order", "email": "nobody@example.com"}])
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (400, ["4.goal", "5.email"])
    assert post([{"goal": "order"}] * 1001).status_code == 400
    with CaptureQueriesContext(connection) as for_four:
        assert post(good).status_code == 202
    many = [{"goal": "order", "email": other.email, "event_id": f"m{n}"} for n in range(100)]
    with CaptureQueriesContext(connection) as for_many:
        assert post(many).status_code == 202
    assert len(for_many) <= len(for_four) + 100  # a row each in the log, and nothing more
    assert post(good).status_code == 202  # sent again
    while Consumer().drain_strays():
        pass
    assert stats(mailing) == {("A", "GBP"): (1, 1, 10, 100), ("B", "GBP"): (1, 1, 20, 400), ("B", ""): (1, 100, 0, 0)}
    assert sum(GoalDay.objects.values_list("times", flat=True)) == 103


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"link_prefix": "shop.example"}, "link_prefix"), ({"link_prefix": "javascript:alert(1)"}, "link_prefix"),
     ({"window_days": 0}, "window_days"), ({"window_days": 91}, "window_days")],
)  # fmt: skip
def test_a_goal_has_a_real_prefix_and_a_sane_window(
    client: Any, mailing: Mailing, changes: dict[str, Any], field: str
) -> None:
    client.force_login(make_member(mailing.workspace))
    goal = make_goal(mailing)
    answer = client.patch(f"/v1/goals/{goal.pk}", changes, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    good = client.patch(
        f"/v1/goals/{goal.pk}", {"link_prefix": "https://shop.example/thanks", "window_days": 30},
        content_type="application/json",
    )  # fmt: skip
    assert (good.json()["link_prefix"], good.json()["window_days"]) == ("https://shop.example/thanks", 30)
