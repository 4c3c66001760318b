"""The publisher goes on whatever a campaign's figures do, and says that it lives."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from structlog.testing import capture_logs

from analytics.live import frames
from analytics.live.publisher import Publisher
from campaigns.models import Campaign
from pulsequill.core import heartbeats
from pulsequill.core.live import mark_dirty
from tests.analytics.making import make_mailing
from tests.waiting import wait_until


@pytest.mark.django_db(transaction=True)
def test_a_campaign_whose_figures_fail_costs_others_nothing_and_the_publisher_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, well = make_mailing(size=1), make_mailing(size=1, name="Another")
    real, sent = frames.send, set()

    def figures(campaign: Campaign) -> Any:
        if campaign.pk == broken.campaign.pk:
            raise ZeroDivisionError("somebody@example.com")
        return {}

    def send(client: Any, campaign: Campaign, frame: Any) -> None:
        sent.add(campaign.pk)
        real(client, campaign, frame)

    monkeypatch.setattr(frames, "figures", figures)
    monkeypatch.setattr(frames, "parts", figures)
    monkeypatch.setattr(frames, "send", send)
    stop = threading.Event()
    thread = threading.Thread(target=lambda: (Publisher().run(stop), connection.close()))
    with capture_logs() as logs:
        thread.start()
        try:
            mark_dirty(broken.campaign.pk)
            wait_until(lambda: any(entry["event"] == "campaign_not_published" for entry in logs))
            mark_dirty(well.campaign.pk)
            wait_until(lambda: well.campaign.pk in sent)
            wait_until(lambda: heartbeats.ages(heartbeats.PUBLISHER)[heartbeats.PUBLISHER] is not None)
            assert thread.is_alive()
        finally:
            stop.set()
            thread.join()
    told = next(entry for entry in logs if entry["event"] == "campaign_not_published")
    assert (told["campaign_id"], told["error"]) == (str(broken.campaign.pk), "ZeroDivisionError")
    assert "somebody" not in str(told)
