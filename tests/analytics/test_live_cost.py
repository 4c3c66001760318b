"""What a frame asks of PostgreSQL: the same for a small and a large campaign, for one watcher and for many."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.ingest.store import store
from analytics.live import frames
from analytics.live.publisher import Publisher
from analytics.selectors import get_live_snapshot
from analytics.selectors.live_parts import get_mailboxes
from campaigns.models import Campaign, Link
from campaigns.selectors.tally import COUNTED_ANEW
from pulsequill.core.live import mark_dirty
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace
from tests.analytics.test_live import opened, publish_now, socket_of

#: Questions of a frame of figures: ledger, rollups (2), variants, extent of the minutes (2), minutes (2), links (2),
#: latest events, who defers. The campaign is paused, so nobody forecasts its end.
FIGURES = 12
#: Questions of a frame of parts: mailbox providers (2), three lists, hours, reasons of machines.
PARTS = 7


def cost_of(work: Callable[[], object]) -> int:
    """Return how many questions `work` asks."""
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def costs(mailing: Mailing) -> tuple[int, int]:
    """Return the questions of a frame of figures and of one of parts."""
    return cost_of(partial(frames.figures, mailing.campaign)), cost_of(partial(frames.parts, mailing.campaign))


def make_paused(**more: Any) -> Mailing:
    return make_mailing(variants=2, sent_at=timezone.now(), campaign_status=Campaign.Status.PAUSED, **more)


@pytest.mark.django_db
def test_more_events_links_and_domains_ask_no_more() -> None:
    mailing = make_paused(size=20, domains=[f"beans{n}.example" for n in range(20)])
    store([opened(mailing, 0)])
    assert costs(mailing) == (FIGURES, PARTS)
    store([opened(mailing, number) for number in range(20) for _ in range(3)])
    for variant in mailing.variants:
        for position in range(2, 12):
            link = {"workspace": mailing.workspace, "variant": variant, "position": position}
            Link.objects.create(**link, url=f"https://shop.example/{position}")
    assert costs(mailing) == (FIGURES, PARTS)


@pytest.mark.django_db
def test_a_large_ledger_is_not_counted_for_a_frame() -> None:
    mailing = make_paused(size=20)
    mailing.campaign.recipients = COUNTED_ANEW + 1
    mailing.campaign.save(update_fields=["recipients"])
    get_live_snapshot(mailing.campaign)
    get_mailboxes(mailing.campaign)
    store([opened(mailing, number) for number in range(20)])
    with CaptureQueriesContext(connection) as queries:
        frames.figures(mailing.campaign)
        frames.parts(mailing.campaign)
    assert len(queries) == FIGURES - 1 + PARTS - 2
    asked_of_the_ledger = [query["sql"] for query in queries if "FROM campaigns_message" in query["sql"]]
    assert asked_of_the_ledger == []


@pytest.mark.django_db(transaction=True)
async def test_a_frame_costs_the_same_however_many_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = await sync_to_async(make_workspace)()
    member = await sync_to_async(make_member)(workspace)
    mailing = await sync_to_async(make_paused)(workspace=workspace, size=4)
    read: list[Campaign] = []

    def reading(campaign: Campaign) -> dict[str, Any]:
        read.append(campaign)
        return get_live_snapshot(campaign)

    monkeypatch.setattr(frames, "get_live_snapshot", reading)
    monkeypatch.setattr(frames, "KEPT_MS", 60_000)  # they come at once, however slow the machine
    sockets: list[WebsocketCommunicator] = []

    async def cost_with(watchers: int) -> int:
        while len(sockets) < watchers:
            sockets.append(await sync_to_async(socket_of)(mailing.campaign.pk, member))
            assert (await sockets[-1].connect())[0]
            await sockets[-1].receive_json_from(timeout=30)
        await sync_to_async(store)([opened(mailing, watchers % 4)])
        await sync_to_async(mark_dirty)(mailing.campaign.pk)
        return await sync_to_async(cost_of)(partial(publish_now, Publisher(), mailing))

    async def texts() -> set[str]:
        return {await socket.receive_from(timeout=30) for socket in sockets}

    alone = await cost_with(1)
    assert (len(await texts()), len(await texts()), len(read)) == (1, 1, 1)
    assert await cost_with(8) == alone
    # Eight read the same two frames, and the seven that came later the same snapshot.
    assert (len(await texts()), len(await texts()), len(read)) == (1, 1, 2)
    for socket in sockets:
        await socket.disconnect()
