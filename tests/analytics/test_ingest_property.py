"""Any order, duplication, split and crash gives the figures of a straightforward count."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.ingest import archive
from analytics.ingest import consumer as consumer_module
from analytics.ingest.consumer import Consumer
from analytics.models import Breakdown, CampaignStats, Event, EventArchive, EventMinute, LinkStats
from campaigns.models import Link, Message, Variant
from pulsequill.core.event_log import FIELD, STREAM, encode
from pulsequill.core.valkey import streams_client
from tests.analytics.making import SENT_AT, Mailing, make_mailing, make_workspace, straightforward_count

BROWSER, PHONE = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0 (iPhone) AppleWebKit/605.1 Mobile/15E148"
APPLE = "Mozilla/5.0"
AGENTS = {BROWSER: ("Computer", "Firefox"), PHONE: ("Phone", "Apple Mail"), APPLE: ("Other", "Other")}
ADDRESSES = ("192.0.2.1", "198.51.100.2")
DOMAINS = {"gmail.com": "Gmail", "hotmail.com": "Outlook", "beans.example": "Other"}
#: Long ago, so that the archive is asked as well, and a moment ago.
WHEN = {"old": SENT_AT, "new": datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)}
KINDS = ("delivered", "deferred", "bounced", "complained", "unsubscribed", "opened", "opened", "clicked", "clicked")
CRASHES = ("none", "before_store", "in_store", "in_correction", "before_acknowledge", "before_mark", "archived")


class Crash(BaseException):
    """The process dies here."""


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Events, the order and repetition in which their lines arrive, batches, and where consumers die."""
    events = draw(
        st.lists(
            st.tuples(
                st.sampled_from(KINDS),
                st.integers(0, 4),
                st.sampled_from((BROWSER, BROWSER, PHONE, APPLE)),
                # Bursts, visits of a minute, and what is far from both.
                st.integers(2, 12) | st.integers(2, 300) | st.integers(2, 40_000),
                st.integers(0, 3),
                st.sampled_from(("hard", "soft")),
                st.sampled_from(ADDRESSES),
            ),
            min_size=1,
            max_size=25,
        )
    )
    arrivals = draw(st.permutations([n for n in range(len(events)) for _ in range(draw(st.integers(1, 3)))]))
    return {
        "events": events,
        "arrivals": arrivals,
        "cuts": draw(st.lists(st.integers(1, 6), min_size=1, max_size=12)),
        "crashes": draw(st.lists(st.sampled_from(CRASHES), max_size=8)),
        "variants": draw(st.integers(1, 2)),
        "provider": draw(st.sampled_from(("sendgrid", "capture"))),
        "when": draw(st.sampled_from(sorted(WHEN))),
    }


def final_classes(raw: list[dict[str, Any]]) -> None:
    """Give every hit its class as one would on paper: by itself, by bursts, by what its visitor did within a minute.

    Looks at all pairs and triples of clicks instead of windows.
    """
    for message in {event["message"] for event in raw}:
        hits = [e for e in raw if e["message"] == message and e["kind"] in ("opened", "clicked")]
        clicks = [e for e in hits if e["kind"] == "clicked" and not e["hidden"]]
        proofs = [e for e in hits if e["hidden"] and e["kind"] == "clicked"]
        for three in combinations(clicks, 3):
            times = [e["at"] for e in three]
            if len({e["link"] for e in three}) == 3 and max(times) - min(times) <= timedelta(seconds=5):
                proofs += three
                proofs += [e for e in clicks if min(times) <= e["at"] <= min(times) + timedelta(seconds=5)]
        proven = {e["key"] for e in proofs}
        for hit in hits:
            is_near = any(
                proof["visitor"] == hit["visitor"] and abs(proof["at"] - hit["at"]) <= timedelta(seconds=60)
                for proof in proofs
            )
            if hit["key"] in proven or is_near:
                hit["actor"] = "machine"


def _crashing(where: str) -> Any:
    """Return a patch that kills the consumer once at a step."""
    target, name, is_after = {
        "before_store": (consumer_module, "store_safely", False),
        "in_store": (consumer_module.store.__globals__["rollups"], "raise_figures", True),
        "in_correction": (consumer_module.store.__globals__["reclassify"], "apply", True),
        "before_acknowledge": (Consumer, "_acknowledge", False),
        "before_mark": (consumer_module, "mark_dirty", False),
    }[where]
    real = getattr(target, name)

    def dies(*args: Any, **kwargs: Any) -> Any:
        if is_after:
            real(*args, **kwargs)
        raise Crash(where)

    return mock.patch.object(target, name, dies)


def _read(crash: str, number: int, started: datetime) -> None:
    """Let a consumer read for a while, until it dies where it is told to."""
    reader = Consumer(name=f"reader-{number}", claim_after_ms=0)
    if crash == "archived":
        if started != WHEN["old"]:  # nothing younger than a month is archived
            return
        Event.objects.update(received_at=started)
        archive.move_old_events(now=datetime.now(UTC), batch=3)
    elif crash == "none":
        reader.read_stream(block_ms=None)
    else:
        with (
            contextlib.suppress(Crash),
            _crashing(crash),
            mock.patch.object(consumer_module, "ENTRIES_A_READ", 2),
        ):
            reader.read_stream(block_ms=None)


@pytest.mark.django_db
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_figures_equal_a_straightforward_count_whatever_happens_on_the_way(history: dict[str, Any]) -> None:
    stream = streams_client()
    stream.flushall()
    started = WHEN[history["when"]]
    mailing = make_mailing(
        make_workspace(),
        size=5,
        variants=history["variants"],
        provider=history["provider"],
        with_contacts=False,
        domains=tuple(DOMAINS),
        sent_at=started,
    )
    links = {variant.pk: _links(mailing, variant) for variant in mailing.variants}
    raw, lines = [], []
    for n, (kind, person, agent, seconds, link, bounce_type, ip) in enumerate(history["events"]):
        message, at = mailing.messages[person], started + timedelta(seconds=seconds)
        followed = links[message.variant_id][link]
        lines.append(
            encode(
                kind=kind,
                message_id=message.pk,
                source="tracking",
                occurred_at=at,
                link_id=followed.pk if kind == "clicked" else None,
                user_agent=agent,
                ip=ip,
                dedupe_key=f"{mailing.campaign.pk.hex}-{n}",
                data={"bounce_type": bounce_type} if kind == "bounced" else None,
            )
        )
        raw.append(
            {
                "key": n,
                "kind": kind,
                "message": message.pk,
                "link": followed.pk,
                "hidden": followed.is_honeypot,
                "actor": "human" if agent != APPLE else "machine",
                "visitor": (ip, agent),
                "agent": agent,
                "mailbox": DOMAINS[message.email.partition("@")[2]],
                "at": at,
                "minute": at.replace(second=0),
                "variant": message.variant_id,
                "hard": bounce_type == "hard",
            }
        )
    cuts, position = list(history["cuts"]), 0
    while position < len(history["arrivals"]):
        size = cuts.pop() if cuts else 4
        batch = [lines[n] for n in history["arrivals"][position : position + size]]
        stream.xadd(STREAM, {FIELD: b"\n".join(batch)})
        position += size
    is_archived = "archived" in history["crashes"]
    for number, crash in enumerate(history["crashes"]):
        _read(crash, number, started)
    last = Consumer(name="last", claim_after_ms=0)
    while stream.xlen(STREAM):
        last.read_stream(block_ms=None)
        last._claim_at = 0.0

    if (
        is_archived
    ):  # a hit that is archived sheds no light on later ones: the classes that were stored are the final ones
        stored = {event.dedupe_key: event.actor for model in (Event, EventArchive) for event in model.objects.all()}
        for event in raw:
            event["actor"] = stored[f"{mailing.campaign.pk.hex}-{event['key']}"]
    else:
        final_classes(raw)
    _assert_figures(mailing, history, raw)
    _assert_facts(mailing, raw)


def _links(mailing: Mailing, variant: Variant) -> list[Link]:
    """Two links, a third, and the one that nobody can see."""
    shared = {"workspace": mailing.workspace, "variant": variant}
    return [
        *(found for found in mailing.links if found.variant_id == variant.pk),
        Link.objects.create(**shared, url="https://shop.example/third", position=2),
        Link.objects.create(**shared, url="https://shop.example/", position=3, is_honeypot=True),
    ]


def _assert_figures(mailing: Mailing, history: dict[str, Any], raw: list[dict[str, Any]]) -> None:
    for variant in mailing.variants:
        own = [event for event in raw if event["variant"] == variant.pk]
        expected = straightforward_count(own)
        if history["provider"] == "capture":  # acceptance was the delivery: the ledger counted it
            expected["delivered"], expected["returned"] = 0, expected["bounced"]
        found = CampaignStats.objects.filter(campaign=mailing.campaign, variant=variant).values(*expected).first()
        assert (found or dict.fromkeys(expected, 0)) == expected
    people = [e for e in raw if e["kind"] in ("opened", "clicked") and e["actor"] == "human"]
    machine_clicks = Counter(e["link"] for e in raw if e["kind"] == "clicked" and e["actor"] == "machine")
    for link in Link.objects.filter(variant__campaign=mailing.campaign):
        stats = LinkStats.objects.filter(link=link).first() or LinkStats(link=link)
        clicks = [e for e in people if e["kind"] == "clicked" and e["link"] == link.pk]
        assert stats.clicks == len(clicks)
        assert stats.unique_clicks == len({e["message"] for e in clicks})
        assert stats.machine_clicks == machine_clicks[link.pk]
    for kind, name in (("opened", "opens"), ("clicked", "clicks")):
        for actor in ("human", "machine"):
            counter = f"{actor}_{name}"
            minutes = Counter(e["minute"] for e in raw if e["kind"] == kind and e["actor"] == actor)
            rows = EventMinute.objects.filter(campaign=mailing.campaign, **{f"{counter}__gt": 0})
            assert {row.minute: getattr(row, counter) for row in rows} == dict(minutes)
        for dimension, value_of in (
            ("device", lambda e: AGENTS[e["agent"]][0]),
            ("client", lambda e: AGENTS[e["agent"]][1]),
            ("mailbox", lambda e: e["mailbox"]),
        ):
            counted = Counter(value_of(e) for e in people if e["kind"] == kind)
            found_rows = Breakdown.objects.filter(campaign=mailing.campaign, dimension=dimension, **{f"{name}__gt": 0})
            assert {row.value: getattr(row, name) for row in found_rows} == dict(counted)
    for mailbox in DOMAINS.values():
        own = [e for e in raw if e["mailbox"] == mailbox]
        expected = straightforward_count(own)
        if history["provider"] == "capture":
            expected["delivered"] = 0
        counters = ("delivered", "deferred", "bounced", "complained")
        row = Breakdown.objects.filter(campaign=mailing.campaign, dimension="mailbox", value=mailbox).first()
        assert [getattr(row, one) if row else 0 for one in counters] == [expected[one] for one in counters]


def _assert_facts(mailing: Mailing, raw: list[dict[str, Any]]) -> None:
    for message in Message.objects.filter(campaign=mailing.campaign):
        own = [e for e in raw if e["message"] == message.pk]
        bounces = [e for e in own if e["kind"] == "bounced"]
        assert message.bounce_type == ("hard" if any(e["hard"] for e in bounces) else "soft" if bounces else "")
        for fact, kind, actor in (
            ("first_opened_at", "opened", "human"),
            ("first_machine_opened_at", "opened", "machine"),
            ("first_clicked_at", "clicked", "human"),
            ("first_machine_clicked_at", "clicked", "machine"),
        ):
            times = [e["at"] for e in own if e["kind"] == kind and e["actor"] == actor]
            assert getattr(message, fact) == min(times, default=None)


def test_a_line_of_the_log_is_small_and_names_what_happened() -> None:
    line = json.loads(encode(kind="opened", message_id=7, source="tracking", user_agent="x" * 999))
    assert line["kind"] == "opened"
    assert line["message"] == 7
    assert len(line["agent"]) == 300
    assert settings.STREAMS_URL.endswith("/3")
