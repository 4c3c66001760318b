"""Any order, duplication, split and crash gives the figures of a straightforward count."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.ingest import consumer as consumer_module
from analytics.ingest.consumer import Consumer
from analytics.models import CampaignStats, EventMinute, LinkStats
from campaigns.models import Message
from pulsequill.core.event_log import FIELD, STREAM, encode
from pulsequill.core.valkey import streams_client
from tests.analytics.making import SENT_AT, make_mailing, make_workspace, straightforward_count

BROWSER, APPLE = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0"
KINDS = ("delivered", "deferred", "bounced", "complained", "unsubscribed", "opened", "opened", "clicked", "clicked")
CRASHES = ("none", "before_store", "in_store", "before_acknowledge", "before_mark")


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
                st.sampled_from((BROWSER, APPLE)),
                st.integers(2, 300),
                st.integers(0, 1),
                st.sampled_from(("hard", "soft")),
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
    }


def _crashing(where: str) -> Any:
    """Return a patch that kills the consumer once at a step."""
    target, name, is_after = {
        "before_store": (consumer_module, "store_safely", False),
        "in_store": (consumer_module.store.__globals__["rollups"], "raise_figures", True),
        "before_acknowledge": (Consumer, "_acknowledge", False),
        "before_mark": (consumer_module, "mark_dirty", False),
    }[where]
    real = getattr(target, name)

    def dies(*args: Any, **kwargs: Any) -> Any:
        if is_after:
            real(*args, **kwargs)
        raise Crash(where)

    return mock.patch.object(target, name, dies)


@pytest.mark.django_db
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_figures_equal_a_straightforward_count_whatever_happens_on_the_way(history: dict[str, Any]) -> None:
    stream = streams_client()
    stream.flushall()
    mailing = make_mailing(
        make_workspace(), size=5, variants=history["variants"], provider=history["provider"], with_contacts=False
    )
    raw, lines = [], []
    for n, (kind, person, agent, seconds, link, bounce_type) in enumerate(history["events"]):
        message = mailing.messages[person]
        own_links = [found for found in mailing.links if found.variant_id == message.variant_id]
        lines.append(
            encode(
                kind=kind,
                message_id=message.pk,
                source="tracking",
                occurred_at=SENT_AT + timedelta(seconds=seconds),
                link_id=own_links[link].pk if kind == "clicked" else None,
                user_agent=agent,
                dedupe_key=f"{mailing.campaign.pk.hex}-{n}",
                data={"bounce_type": bounce_type} if kind == "bounced" else None,
            )
        )
        raw.append(
            {
                "key": n,
                "kind": kind,
                "message": message.pk,
                "link": own_links[link].pk,
                "actor": "human" if agent == BROWSER else "machine",
                "minute": (SENT_AT + timedelta(seconds=seconds)).replace(second=0),
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
    for number, crash in enumerate(history["crashes"]):
        reader = Consumer(name=f"reader-{number}", claim_after_ms=0)
        if crash == "none":
            reader.read_stream(block_ms=None)
            continue
        with _crashing(crash):
            try:
                with mock.patch.object(consumer_module, "ENTRIES_A_READ", 2):
                    reader.read_stream(block_ms=None)
            except Crash:
                pass
    last = Consumer(name="last", claim_after_ms=0)
    while stream.xlen(STREAM):
        last.read_stream(block_ms=None)
        last._claim_at = 0.0

    is_accepted_at_hand_over = history["provider"] == "capture"
    for variant in mailing.variants:
        own = [event for event in raw if event["variant"] == variant.pk]
        expected = straightforward_count(own)
        if is_accepted_at_hand_over:  # acceptance was the delivery: the ledger counted it
            expected["delivered"], expected["returned"] = 0, expected["bounced"]
        found = CampaignStats.objects.filter(campaign=mailing.campaign, variant=variant).values(*expected).first()
        assert (found or dict.fromkeys(expected, 0)) == expected
    human_clicks = [e for e in raw if e["kind"] == "clicked" and e["actor"] == "human"]
    for link in mailing.links:
        stats = LinkStats.objects.filter(link=link).first()
        assert (stats.clicks if stats else 0) == sum(e["link"] == link.pk for e in human_clicks)
        assert (stats.unique_clicks if stats else 0) == len(
            {e["message"] for e in human_clicks if e["link"] == link.pk}
        )
    minutes = Counter(e["minute"] for e in raw if e["kind"] == "opened" and e["actor"] == "human")
    assert {
        m.minute: m.human_opens for m in EventMinute.objects.filter(campaign=mailing.campaign) if m.human_opens
    } == dict(minutes)
    for message in Message.objects.filter(campaign=mailing.campaign):
        bounces = [e for e in raw if e["message"] == message.pk and e["kind"] == "bounced"]
        assert message.bounce_type == ("hard" if any(e["hard"] for e in bounces) else "soft" if bounces else "")


def test_a_line_of_the_log_is_small_and_names_what_happened() -> None:
    line = json.loads(encode(kind="opened", message_id=7, source="tracking", user_agent="x" * 999))
    assert line["kind"] == "opened"
    assert line["message"] == 7
    assert len(line["agent"]) == 300
    assert settings.STREAMS_URL.endswith("/3")
