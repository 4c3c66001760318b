"""Held back and let go: hold-out, first readers, the test and the rest; each recipient is in exactly one of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.models import Contact, Subscription
from audiences.services import suppress_email
from campaigns import tasks
from campaigns.delivery import pipeline, planner, reaper, waves
from campaigns.models import Campaign, Experiment, Link, Message, Variant
from campaigns.selectors.waves import get_waves
from campaigns.services import erasing, sending
from campaigns.services import waves as doors
from campaigns.tickets import (
    FEWEST,
    FOR_CANARY,
    FOR_TEST,
    HELD_OUT,
    TICKETS,
    Draw,
    share_out,
    ticket_sql,
)
from pulsequill.core.errors import DomainError, Invalid
from tests.campaigns.making import HELLO, make_campaign, make_list, make_workspace
from tests.campaigns.sending import captured, rows_of, statuses_of

pytestmark = pytest.mark.django_db


def make_many(size: int, **fields: Any) -> tuple[Any, list[Contact]]:
    """A workspace and contacts, made at once."""
    workspace = make_workspace()
    contacts = Contact.objects.bulk_create(
        Contact(workspace=workspace, email=f"r{n}@example.org", email_normalized=f"r{n}@example.org", **fields)
        for n in range(size)
    )
    return workspace, contacts


def make_test(
    size: int,
    *,
    shares: tuple[int, ...] = (50, 50),
    mode: str = "winner",
    test_share: int = 20,
    delays: tuple[int, ...] = (),
    **fields: Any,
) -> Campaign:
    """A draft with an experiment and everybody on its list."""
    workspace, contacts = make_many(size)
    readers = make_list(workspace)
    Subscription.objects.bulk_create(Subscription(workspace=workspace, contact=one, list=readers) for one in contacts)
    variants = [
        {"subject": f"Subject {n}", "preview_text": "Picked in June", "body": HELLO, "share": share}
        for n, share in enumerate(shares)
    ]
    campaign = make_campaign(workspace, lists=[readers], variants=variants)
    for variant, delay in zip(campaign.variants.order_by("label"), delays, strict=False):
        Variant.objects.filter(pk=variant.pk).update(send_delay_minutes=delay)
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    if mode:
        Experiment.objects.create(workspace=workspace, campaign=campaign, mode=mode, test_share=test_share)
    return fresh(campaign)


def fresh(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk)


def launch(campaign: Campaign, now: datetime | None = None) -> Campaign:
    planner.launch(campaign, now=now or timezone.now())
    return fresh(campaign)


def variants_of(campaign: Campaign) -> list[UUID]:
    return list(campaign.variants.order_by("label").values_list("pk", flat=True))


def parts_of(campaign: Campaign) -> Counter[tuple[str, str]]:
    """How many rows have each status and reason."""
    return Counter((row.status, row.reason) for row in rows_of(campaign))


def test_the_test_part_gets_the_variants_and_everybody_else_waits_without_one() -> None:
    campaign = launch(make_test(1000))
    assert campaign.recipients == 1000
    rows = rows_of(campaign)
    asked = [row for row in rows if row.status == "queued"]
    rest = [row for row in rows if row.status == "held"]
    assert 140 <= len(asked) <= 260
    assert {row.reason for row in rest} == {FOR_TEST} and {row.variant_id for row in rest} == {None}
    by_variant = Counter(row.variant_id for row in asked)
    assert set(by_variant) == set(variants_of(campaign))
    assert all(60 <= count <= 140 for count in by_variant.values())
    assert get_waves(campaign) == {"held_for_test": len(rest), "held_for_canary": 0, "held_out": 0}


@pytest.mark.parametrize("mode", ["even", ""])
def test_an_even_split_asks_everybody(mode: str) -> None:
    campaign = launch(make_test(200, mode=mode))
    assert statuses_of(campaign) == {"queued": 200}
    assert all(row.variant_id for row in rows_of(campaign))


def test_a_campaign_with_one_variant_is_not_tested_whatever_its_experiment_says() -> None:
    campaign = launch(make_test(50, shares=(100,), mode="winner"))
    assert statuses_of(campaign) == {"queued": 50}


def test_who_is_held_out_is_skipped_for_that_reason_and_has_no_variant() -> None:
    campaign = make_test(400, mode="", holdout_share=10)
    first = Contact.objects.filter(workspace=campaign.workspace).first()
    suppress_email(workspace=campaign.workspace, email=first.email, reason="complaint", source="test")
    campaign = launch(campaign)
    parts = parts_of(campaign)
    assert parts[("skipped", "suppressed_complaint")] == 1
    assert 16 <= parts[("skipped", HELD_OUT)] <= 66
    assert sum(parts.values()) == campaign.recipients == 400
    assert {row.variant_id for row in rows_of(campaign) if row.reason == HELD_OUT} == {None}
    assert get_waves(campaign)["held_out"] == parts[("skipped", HELD_OUT)]


def test_behind_the_first_readers_everybody_waits_with_their_variant() -> None:
    campaign = launch(make_test(1000, mode="even", canary_share=5))
    rows = rows_of(campaign)
    first = [row for row in rows if row.status == "queued"]
    assert 22 <= len(first) <= 86
    assert {row.reason for row in rows if row.status == "held"} == {FOR_CANARY}
    assert {row.variant_id for row in rows} == {row.variant_id for row in first} == set(variants_of(campaign))

    assert doors.release_canary(campaign=campaign) == 1000 - len(first)
    assert statuses_of(campaign) == {"queued": 1000}
    assert fresh(campaign).canary_released_at is not None
    assert doors.release_canary(campaign=campaign) == doors.release_canary(campaign=fresh(campaign)) == 0


def test_the_rest_gets_the_winner() -> None:
    campaign = launch(make_test(300))
    winner = variants_of(campaign)[1]
    waiting = {row.pk for row in rows_of(campaign) if row.status == "held"}
    assert doors.release_rest(campaign=campaign, shares={winner: 1.0}, reason="It won.") == len(waiting)
    assert statuses_of(campaign) == {"queued": 300}
    assert {row.variant_id for row in rows_of(campaign) if row.pk in waiting} == {winner}
    assert doors.release_rest(campaign=campaign, shares={winner: 1.0}) == 0


def test_a_wave_is_so_many_by_the_shares_and_the_next_one_others() -> None:
    campaign = launch(make_test(2000, mode="bandit", test_share=10))
    a, b = variants_of(campaign)
    before = {row.pk: row.status for row in rows_of(campaign)}
    assert doors.release_rest(campaign=campaign, shares={a: 0.25, b: 0.75}, count=600) == 600
    wave = [row for row in rows_of(campaign) if before[row.pk] == "held" and row.status == "queued"]
    assert len(wave) == 600
    assert 0.65 <= sum(row.variant_id == b for row in wave) / 600 <= 0.85
    left = get_waves(campaign)["held_for_test"]
    assert doors.release_rest(campaign=campaign, shares={a: 1, b: 1}) == left
    assert get_waves(campaign)["held_for_test"] == 0


def test_the_split_is_the_same_when_it_is_asked_for_again() -> None:
    """The same contacts and campaign, planned and released twice."""

    def play() -> list[tuple[Any, ...]]:
        made = launch(fresh(campaign))
        a, b = variants_of(made)
        doors.release_canary(campaign=made)
        doors.release_rest(campaign=made, shares={a: 0.3, b: 0.7}, count=100)
        return sorted((row.email, row.status, row.reason, str(row.variant_id)) for row in rows_of(made))

    campaign = make_test(500, mode="bandit", holdout_share=10, canary_share=10)
    once = play()
    Message.objects.filter(campaign=campaign).delete()
    Link.objects.filter(variant__campaign=campaign).delete()
    Campaign.objects.filter(pk=campaign.pk).update(status="draft", canary_released_at=None)
    assert play() == once


def test_the_draws_say_nothing_about_each_other() -> None:
    """Chi-square over 40,000 people, with a limit that chance passes once in 100,000 runs (one degree of freedom)."""
    campaign = make_campaign(make_workspace())
    draws = ", ".join(f"{ticket_sql(campaign.pk, draw, 'n::text')} < {TICKETS // 4}" for draw in Draw)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {draws} FROM generate_series(1, 40000) n".replace("%%", "%"))
        people = cursor.fetchall()
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = sum(person[one] and person[other] for person in people)
        expected = sum(person[one] for person in people) * sum(person[other] for person in people) / len(people)
        assert (both - expected) ** 2 / expected < 20
    for draw in Draw:
        assert abs(sum(person[draw] for person in people) - 10_000) < 400


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    size=st.integers(0, 90),
    shares=st.sampled_from([(100,), (50, 50), (20, 30, 50), (25, 25, 25, 25)]),
    mode=st.sampled_from(["", "winner", "bandit"]),
    test_share=st.integers(1, 10),
    holdout=st.sampled_from([0, 30]),
    canary=st.integers(0, 5),
)
def test_a_small_part_of_a_small_list_is_somebody(
    size: int, shares: tuple[int, ...], mode: str, test_share: int, holdout: int, canary: int
) -> None:
    """One percent of fifty people is nobody in six of ten draws, and then a test or a canary would show nothing."""
    campaign = launch(
        make_test(size, shares=shares, mode=mode, test_share=test_share, holdout_share=holdout, canary_share=canary)
    )
    rows = [row for row in rows_of(campaign) if row.reason != HELD_OUT]
    first = [row for row in rows if row.status == "queued"]
    tested = [row for row in rows if row.variant_id is not None]
    is_tested = mode != "" and len(shares) > 1
    assert len(tested) >= (min(FEWEST * len(shares), len(rows)) if is_tested else len(rows))
    assert len(first) >= (min(FEWEST, len(tested)) if canary else len(tested))
    if is_tested and tested:
        draws = draws_of(campaign, Draw.PART)
        waiting = [draws[row.pk] for row in rows if row.variant_id is None]
        assert not waiting or max(draws[row.pk] for row in tested) <= min(waiting), "the next tickets are taken"


def test_parts_that_are_large_enough_are_left_as_they_were_drawn() -> None:
    campaign = launch(make_test(1000, test_share=20, canary_share=20))
    rows = rows_of(campaign)
    fifth = TICKETS // 5
    in_test = {pk for pk, ticket in draws_of(campaign, Draw.PART).items() if ticket < fifth}
    early = {pk for pk, ticket in draws_of(campaign, Draw.CANARY).items() if ticket < fifth}
    assert {row.pk for row in rows if row.variant_id} == in_test
    assert {row.pk for row in rows if row.status == "queued"} == in_test & early


def draws_of(campaign: Campaign, draw: Draw) -> dict[int, int]:
    ticket = ticket_sql(campaign.pk, draw, "contact_id::text")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {ticket} FROM campaigns_message WHERE campaign_id = %s", [campaign.pk])
        return dict(cursor.fetchall())


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    size=st.integers(0, 120),
    shares=st.sampled_from([(100,), (50, 50), (1, 99), (20, 30, 50), (25, 25, 25, 25)]),
    mode=st.sampled_from(["", "even", "winner", "bandit"]),
    test_share=st.integers(1, 100),
    holdout=st.integers(0, 50),
    canary=st.integers(0, 20),
    parts=st.lists(st.integers(1, 60), max_size=3),
)
def test_everybody_is_in_exactly_one_part_and_nobody_is_lost_on_the_way(
    size: int, shares: tuple[int, ...], mode: str, test_share: int, holdout: int, canary: int, parts: list[int]
) -> None:
    campaign = launch(
        make_test(size, shares=shares, mode=mode, test_share=test_share, holdout_share=holdout, canary_share=canary)
    )
    counts = parts_of(campaign)
    assert set(counts) <= {("skipped", HELD_OUT), ("queued", ""), ("held", FOR_TEST), ("held", FOR_CANARY)}
    assert sum(counts.values()) == campaign.recipients == size
    assert holdout or not counts[("skipped", HELD_OUT)]
    assert canary or not counts[("held", FOR_CANARY)]
    is_tested = mode in ("winner", "bandit") and len(shares) > 1
    asked = (1 - holdout / 100) * (test_share / 100 if is_tested else 1)
    filled = FEWEST if canary else FEWEST * len(shares) if is_tested else 0
    for number, share, fewest in (
        (counts[("skipped", HELD_OUT)], holdout / 100, 0),
        (counts[("queued", "")], asked * (canary / 100 if canary else 1), filled),
    ):
        deviation = (size * share * (1 - share)) ** 0.5
        assert size * share - 6 * deviation - 3 <= number <= max(size * share + 6 * deviation + 3, fewest)
    for row in rows_of(campaign):
        assert (row.variant_id is None) is (row.reason in (HELD_OUT, FOR_TEST))

    variants = dict.fromkeys(variants_of(campaign), 1.0)
    for count in parts:
        waiting = get_waves(campaign)["held_for_test"]
        assert doors.release_rest(campaign=campaign, shares=variants, count=count) == min(count, waiting)
    doors.release_canary(campaign=campaign)
    doors.release_rest(campaign=campaign, shares=variants)
    ended = parts_of(campaign)
    assert set(ended) <= {("skipped", HELD_OUT), ("queued", "")}
    assert ended[("skipped", HELD_OUT)] == counts[("skipped", HELD_OUT)]
    assert len({row.email_normalized for row in rows_of(campaign)}) == size


@given(shares=st.lists(st.floats(0, 1e6), min_size=1, max_size=4).filter(lambda shares: sum(shares) > 0))
def test_tickets_are_shared_out_without_a_gap(shares: list[float]) -> None:
    ranges = share_out({UUID(int=n): share for n, share in enumerate(shares)})
    assert [one.first for one in ranges] == [0, *(one.end for one in ranges[:-1])]
    assert ranges[-1].end == TICKETS
    for one, share in zip(ranges, shares, strict=True):
        assert abs((one.end - one.first) / TICKETS - share / sum(shares)) <= 1 / TICKETS


@pytest.mark.parametrize("shares", [{}, {"other": 1}, {"own": -1}, {"own": 0}, {"own": float("nan")}])
def test_shares_are_positive_and_name_the_campaigns_own_variants(shares: dict[str, float]) -> None:
    campaign = launch(make_test(60))
    other = make_campaign(campaign.workspace)
    named = {"own": variants_of(campaign)[0], "other": variants_of(other)[0]}
    with pytest.raises(Invalid):
        doors.release_rest(campaign=campaign, shares={named[name]: share for name, share in shares.items()})
    assert get_waves(campaign)["held_for_test"] > 0


def test_the_rest_of_a_test_waits_while_the_first_readers_are_watched() -> None:
    campaign = launch(make_test(400, canary_share=20))
    winner = variants_of(campaign)[0]
    rest = get_waves(campaign)["held_for_test"]
    assert doors.release_rest(campaign=campaign, shares={winner: 1}) == rest
    assert get_waves(campaign)["held_for_test"] == 0
    assert get_waves(campaign)["held_for_canary"] > rest
    doors.release_canary(campaign=campaign)
    assert statuses_of(campaign) == {"queued": 400}


def test_a_campaign_is_not_finished_while_somebody_waits_and_nobody_is_woken_for_them() -> None:
    campaign = launch(make_test(60))
    pipeline.deliver(campaign_id=campaign.pk)
    assert set(statuses_of(campaign)) == {"sent", "held"}
    due = reaper.sweep(now=timezone.now())
    assert due.campaigns == [] and due.singles == []
    assert fresh(campaign).status == "sending"

    doors.release_rest(campaign=campaign, shares={variants_of(campaign)[0]: 1})
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 60}
    assert fresh(campaign).status == "sent"
    assert len({mail["To"] for mail in captured(campaign)}) == 60


def test_the_sweep_finds_rows_whose_release_nobody_told_the_workers() -> None:
    campaign = launch(make_test(60))
    pipeline.deliver(campaign_id=campaign.pk)
    waves.release_rest(campaign=campaign, shares={variants_of(campaign)[0]: 1}, now=timezone.now())
    assert reaper.sweep(now=timezone.now()).campaigns == [campaign.pk]


def test_a_release_wakes_the_workers_once_it_is_committed(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    woken: list[str] = []
    campaign = launch(make_test(100, canary_share=10))
    monkeypatch.setattr(tasks.deliver_slice, "delay", lambda campaign_id: woken.append(campaign_id))
    with django_capture_on_commit_callbacks(execute=True):
        doors.release_canary(campaign=campaign)
        assert woken == []
    assert woken == [str(campaign.pk)]
    with django_capture_on_commit_callbacks(execute=True):
        doors.release_canary(campaign=campaign)
    assert len(woken) == 1


def test_cancelling_skips_those_who_were_held_back() -> None:
    campaign = launch(make_test(50, canary_share=10))
    sending.cancel_campaign(campaign=campaign, actor=None)
    assert parts_of(campaign) == {("skipped", "cancelled"): 50}
    assert doors.release_rest(campaign=campaign, shares={variants_of(campaign)[0]: 1}) == 0
    assert doors.release_canary(campaign=campaign) == 0
    assert fresh(campaign).canary_released_at is None


def test_what_is_released_while_it_is_paused_leaves_when_it_is_resumed() -> None:
    campaign = launch(make_test(40, mode="", shares=(100,), canary_share=10))
    sending.pause_campaign(campaign=campaign, actor=None)
    assert doors.release_canary(campaign=campaign) > 0
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"queued": 40}
    sending.resume_campaign(campaign=fresh(campaign), actor=None)
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 40}


def test_who_says_no_while_they_are_held_back_gets_nothing() -> None:
    campaign = launch(make_test(60))
    held = [row for row in rows_of(campaign) if row.status == "held"]
    erased, stopped, left, deleted = held[:4]
    erasing.forget_person(erased.contact)
    suppress_email(workspace=campaign.workspace, email=stopped.email, reason="complaint", source="test")
    Subscription.objects.filter(contact=left.contact_id).update(status="unsubscribed")
    Message.objects.filter(pk=deleted.pk).update(contact=None)
    assert [row.status for row in rows_of(campaign) if row.pk == erased.pk] == ["skipped"]

    doors.release_rest(campaign=campaign, shares=dict.fromkeys(variants_of(campaign), 1))
    assert get_waves(campaign)["held_for_test"] == 0
    pipeline.deliver(campaign_id=campaign.pk)
    reasons = {row.pk: row.reason for row in rows_of(campaign) if row.status == "skipped"}
    assert reasons == {
        erased.pk: "contact_deleted",
        stopped.pk: "suppressed_complaint",
        left.pk: "unsubscribed",
        deleted.pk: "contact_deleted",
    }
    assert fresh(campaign).status == "sent"


MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)


def due_times(campaign: Campaign, *statuses: str) -> dict[str, set[datetime | None]]:
    """Label (empty: none yet) -> when rows of these statuses may leave."""
    found: dict[str, set[datetime | None]] = {}
    for row in Message.objects.filter(campaign=campaign, status__in=statuses).select_related("variant"):
        found.setdefault(row.variant.label if row.variant else "", set()).add(row.due_at)
    return found


def test_a_variant_leaves_so_much_later_than_the_others() -> None:
    campaign = launch(make_test(60, mode="even", delays=(0, 180)), MONDAY)
    assert due_times(campaign, "queued") == {"A": {MONDAY}, "B": {MONDAY + timedelta(hours=3)}}


@pytest.mark.parametrize(
    ("released_after_h", "leaves"),
    [
        (2, MONDAY + timedelta(hours=3)),  # its time is still to come
        (5, MONDAY + timedelta(hours=5)),  # two hours late
        (7, MONDAY + timedelta(hours=27)),  # too late: at its time tomorrow
    ],
)
def test_the_rest_leaves_at_the_time_that_won(released_after_h: int, leaves: datetime) -> None:
    campaign = launch(make_test(60, delays=(0, 180)), MONDAY)
    b = variants_of(campaign)[1]
    rest = {row.pk for row in rows_of(campaign) if row.status == "held"}
    waves.release_rest(campaign=campaign, shares={b: 1}, now=MONDAY + timedelta(hours=released_after_h))
    assert {row.due_at for row in rows_of(campaign) if row.pk in rest} == {leaves}


def test_without_delays_the_rest_leaves_at_once() -> None:
    campaign = launch(make_test(60), MONDAY)
    waves.release_rest(campaign=campaign, shares={variants_of(campaign)[1]: 1}, now=MONDAY + timedelta(hours=9))
    assert due_times(campaign, "queued") == {"A": {None}, "B": {None}}


def test_readers_clocks_and_delays_hold_for_the_plan_and_for_the_released() -> None:
    """Ten in the morning where they are, an hour later for variant B; Tokyo is nine hours ahead."""
    campaign = make_test(600, delays=(0, 60), timezone_mode="contact", canary_share=20)
    Contact.objects.filter(workspace=campaign.workspace).update(time_zone="Asia/Tokyo")
    Campaign.objects.filter(pk=campaign.pk).update(send_at=MONDAY + timedelta(hours=1))
    launched = datetime(2026, 11, 30, 1, tzinfo=UTC)
    campaign = launch(fresh(campaign), launched)
    tomorrow = launched + timedelta(days=1)
    times = due_times(campaign, "queued")
    assert set(times["A"] | times["B"]) == {launched, launched + timedelta(hours=1)}

    doors_opened = launched + timedelta(hours=3, minutes=30)  # B's time passed 2.5 hours ago, A's 3.5
    waves.release_canary(campaign=campaign, now=doors_opened)
    after = due_times(campaign, "queued")
    assert after["A"] == {launched, tomorrow}
    assert after["B"] == {launched + timedelta(hours=1), doors_opened}

    waves.release_rest(campaign=campaign, shares={variants_of(campaign)[1]: 1}, now=launched + timedelta(hours=9))
    assert tomorrow + timedelta(hours=1) in due_times(campaign, "queued")["B"]


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    """Connections of their own, as workers, the clock's process and people have them."""

    def together(self, *verbs: Callable[[], Any]) -> list[Any]:
        """Call all at the same moment; return what each answered or raised."""
        answers: list[Any] = [None] * len(verbs)
        start = threading.Barrier(len(verbs))

        def call(place: int, verb: Callable[[], Any]) -> None:
            close_old_connections()
            try:
                start.wait()
                answers[place] = verb()
            except DomainError as refusal:
                answers[place] = refusal
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=(place, verb)) for place, verb in enumerate(verbs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def test_of_many_releases_one_finds_the_rows(self) -> None:
        campaign = launch(make_test(200, canary_share=20))
        winner = variants_of(campaign)[0]
        held = get_waves(campaign)
        counts = self.together(*[lambda: doors.release_rest(campaign=fresh(campaign), shares={winner: 1})] * 4)
        assert sorted(counts) == [0, 0, 0, held["held_for_test"]]
        behind = get_waves(campaign)["held_for_canary"]
        counts = self.together(*[lambda: doors.release_canary(campaign=fresh(campaign))] * 4)
        assert sorted(counts) == [0, 0, 0, behind]
        assert statuses_of(campaign) == {"queued": 200}

    def test_waves_that_leave_at_once_take_different_people(self) -> None:
        campaign = launch(make_test(300, mode="bandit", test_share=10))
        shares = dict.fromkeys(variants_of(campaign), 1.0)
        rest = get_waves(campaign)["held_for_test"]
        counts = self.together(*[lambda: doors.release_rest(campaign=fresh(campaign), shares=shares, count=50)] * 3)
        assert counts == [50, 50, 50]
        assert get_waves(campaign)["held_for_test"] == rest - 150

    def test_a_release_during_a_cancellation_leaves_nobody_in_the_queue(self) -> None:
        for _ in range(4):
            campaign = launch(make_test(60, canary_share=10))
            winner = variants_of(campaign)[0]
            self.together(
                lambda: doors.release_rest(campaign=fresh(campaign), shares={winner: 1}),  # noqa: B023 - joined here
                lambda: sending.cancel_campaign(campaign=fresh(campaign), actor=None),  # noqa: B023
                lambda: doors.release_canary(campaign=fresh(campaign)),  # noqa: B023
            )
            assert fresh(campaign).status == "cancelled"
            assert parts_of(campaign) == {("skipped", "cancelled"): 60}

    def test_a_release_during_the_end_of_the_first_part_is_not_overlooked(self) -> None:
        """A slice that finds nothing to claim asks whether the campaign is done, and somebody lets the rest go."""
        for _ in range(4):
            campaign = launch(make_test(40))
            pipeline.deliver(campaign_id=campaign.pk)
            winner = variants_of(campaign)[0]
            self.together(
                lambda: reaper.finish(fresh(campaign), now=timezone.now()),  # noqa: B023
                lambda: doors.release_rest(campaign=fresh(campaign), shares={winner: 1}),  # noqa: B023
                lambda: reaper.sweep(now=timezone.now()),
            )
            assert fresh(campaign).status == "sending"
            assert reaper.sweep(now=timezone.now()).campaigns == [campaign.pk]
            pipeline.deliver(campaign_id=campaign.pk)
            assert fresh(campaign).status == "sent" and statuses_of(campaign) == {"sent": 40}

    def test_a_release_that_dies_before_its_commit_has_not_happened(self) -> None:
        campaign = launch(make_test(100, canary_share=20))
        before = parts_of(campaign)
        with pytest.raises(SystemExit), transaction.atomic():
            waves.release_canary(campaign=campaign, now=timezone.now())
            waves.release_rest(campaign=campaign, shares={variants_of(campaign)[0]: 1}, now=timezone.now())
            raise SystemExit
        assert parts_of(campaign) == before
        assert fresh(campaign).canary_released_at is None
        assert doors.release_canary(campaign=fresh(campaign)) == before[("held", FOR_CANARY)]
