"""The main job by a program: sign up, import, draft, send, and see readers come back, over real HTTP and sockets."""

from __future__ import annotations

import csv
import io
import re
import threading
from typing import Any

import httpx
import pytest

from tests.journeys.api_client import ApiClient

READERS = 40
HUMAN = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"}
FIGURES = ("sent", "delivered", "unique_opens", "unique_clicks", "unsubscribed")


@pytest.fixture(scope="module")
def client(instance: Any) -> ApiClient:
    client = ApiClient(instance.url)
    client.register(email="journey@harbour.example", workspace_name="Harbour Bakery")
    answer = client.request("PATCH", "/v1/workspace", json={"postal_address": "3 Quay Street, Bristol"})
    assert answer.status_code == 200, answer.text
    return client


@pytest.fixture(scope="module")
def contact_list(client: ApiClient) -> dict[str, Any]:
    return client.post("/v1/lists", {"name": "Regulars"})


@pytest.fixture(scope="module")
def imported(client: ApiClient, contact_list: dict[str, Any]) -> dict[str, Any]:
    """A file with good rows, a broken address and a duplicate."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["E-mail", "First name", "Last name"])
    rows.writerows([f"reader{number}@example.org", f"Ada{number}", "Marsh"] for number in range(READERS))
    rows.writerow(["not an address", "Broken", "Row"])
    rows.writerow(["reader0@example.org", "Again", "Marsh"])
    answer = client.request(
        "POST",
        "/v1/imports",
        files={"file": ("readers.csv", text.getvalue().encode(), "text/csv")},
        data={
            "list": contact_list["id"],
            "mapping": '{"E-mail": "email", "First name": "first_name", "Last name": "last_name"}',
            "update_existing": "true",
            "consent_source": "Till receipt, June",
        },
    )
    assert answer.status_code == 202, answer.text
    return client.wait_for(f"/v1/imports/{answer.json()['id']}", lambda state: state["status"] in {"done", "failed"})


@pytest.fixture(scope="module")
def draft(client: ApiClient) -> dict[str, Any]:
    """A template draft, since no key is set here; the generation says so."""
    generation = client.post(
        "/v1/ai/drafts",
        {
            "goal": "Tell our regulars that the rye loaf is back, and that orders before Friday get free delivery",
            "facts": ["The rye loaf is back", "Free delivery for orders before Friday"],
            "cta_url": "https://harbour.example/rye",
            "angles": 3,
        },
        status=202,
        headers={"Idempotency-Key": "journey-draft"},
    )
    done = client.wait_for(
        f"/v1/ai/drafts/{generation['id']}", lambda state: state["status"] in {"succeeded", "failed", "blocked"}
    )
    assert (done["status"], done["origin"]) == ("succeeded", "offline_template"), done
    assert len({one["subject"] for one in done["drafts"]}) == 3, "three angles say the same"
    chosen = done["drafts"][0]
    client.post(f"/v1/ai/drafts/{done['id']}/accept", {"draft": chosen["id"]}, status=200)
    return chosen


@pytest.fixture(scope="module")
def campaign(client: ApiClient, contact_list: dict[str, Any], imported: dict[str, Any], draft: dict[str, Any]) -> dict:
    sender = client.post("/v1/senders", {"from_name": "Harbour Bakery", "from_email": "hello@harbour.example"})
    return client.post(
        "/v1/campaigns",
        {
            "name": "Rye is back",
            "sender": sender["id"],
            "lists": [contact_list["id"]],
            "variants": [
                {
                    "label": "A",
                    "subject": draft["subject"],
                    "preview_text": draft["preview_text"],
                    "format": "blocks",
                    "body": draft["blocks"],
                }
            ],
        },
    )


@pytest.fixture(scope="module")
def sent(client: ApiClient, campaign: dict[str, Any]) -> dict[str, Any]:
    """The campaign after its launch, with every frame its live socket has shown until all mail was out."""
    frames: list[dict[str, Any]] = []
    watcher = threading.Thread(
        target=lambda: frames.extend(
            client.frames(
                f"/ws/campaigns/{campaign['id']}",
                lambda frame: frame.get("type") == "totals" and frame["totals"]["sent"] == READERS,
            )
        )
    )
    watcher.start()
    first = client.request("POST", f"/v1/campaigns/{campaign['id']}/send", headers={"Idempotency-Key": "journey-send"})
    again = client.request("POST", f"/v1/campaigns/{campaign['id']}/send", headers={"Idempotency-Key": "journey-send"})
    assert first.status_code == 202, first.text
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    done = client.wait_for(f"/v1/campaigns/{campaign['id']}", lambda state: state["status"] == "sent")
    watcher.join(30)
    assert not watcher.is_alive(), "the live page never showed all messages sent"
    return {"campaign": done, "frames": frames}


@pytest.fixture(scope="module")
def mails(client: ApiClient, sent: dict[str, Any]) -> list[dict[str, Any]]:
    page = client.get("/outbox.json", campaign=sent["campaign"]["id"], limit=200)
    return page["results"]


def test_the_import_takes_good_rows_and_gives_back_the_others_with_reasons(client, imported):
    assert (imported["status"], imported["created"], imported["rejected"]) == ("done", READERS, 2)
    rejects = client.request("GET", f"/v1/imports/{imported['id']}/rejects.csv").text
    assert "not an address" in rejects
    assert "reader0@example.org" in rejects


def test_the_audience_is_known_before_the_launch(client, campaign):
    audience = client.get(f"/v1/campaigns/{campaign['id']}/audience")
    assert audience["included"] == READERS


def test_the_preview_shows_the_contact_s_own_name(client, campaign):
    contact = client.get("/v1/contacts", q="reader7@example.org")["results"][0]
    preview = client.post(
        f"/v1/campaigns/{campaign['id']}/preview", {"variant": "A", "contact": contact["id"]}, status=200
    )
    assert "Ada7" in preview["html"]
    assert "Ada7" in preview["text"]
    assert "{{" not in preview["html"] + preview["text"]


def test_every_recipient_gets_one_mail_with_the_headers_the_law_asks_for(mails):
    assert sorted(mail["to"] for mail in mails) == sorted(f"reader{number}@example.org" for number in range(READERS))
    for mail in mails:
        headers = {name.lower(): value for name, value in dict(mail["headers"]).items()}
        assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert "/u/" in headers["list-unsubscribe"]
        assert "3 Quay Street" in mail["html"]
        assert "3 Quay Street" in mail["text"]
        assert "/t/c/" in mail["html"]
        assert "/t/o/" in mail["html"]


def test_frames_count_up_to_the_same_figures_as_the_api(client, sent):
    totals = [frame["totals"] for frame in sent["frames"] if frame["type"] == "totals"]
    counts = [frame["sent"] for frame in totals]
    assert counts == sorted(counts)
    stats = client.get(f"/v1/campaigns/{sent['campaign']['id']}/stats")
    assert totals[-1]["sent"] == stats["sent"] == READERS


def test_readers_who_open_click_and_leave_are_counted_exactly_once(client, sent, mails):
    campaign_id = sent["campaign"]["id"]
    openers, clickers, leaver = mails[:12], mails[:5], mails[20]
    with httpx.Client(headers=HUMAN, follow_redirects=False, timeout=10) as mailbox:
        for mail in [*openers, *openers]:
            pixel = re.search(r'src="(http[^"]+/t/o/[^"]+)"', mail["html"])
            assert pixel, "no open pixel"
            assert mailbox.get(pixel[1]).headers["content-type"] == "image/gif"
        for mail in clickers:
            link = re.search(r'href="(http[^"]+/t/c/[^"]+)"', mail["html"])
            assert link, "no tracked link"
            redirect = mailbox.get(link[1])
            assert (redirect.status_code, redirect.headers["location"]) == (302, "https://harbour.example/rye")
        address = re.search(r"<(http[^>]+/u/[^>]+)>", dict(leaver["headers"])["List-Unsubscribe"])
        assert address, "no one-click address"
        assert mailbox.get(address[1]).status_code == 200
        before = client.get(f"/v1/campaigns/{campaign_id}/stats")
        assert before["unsubscribed"] == 0, "looking at the page unsubscribed somebody"
        answer = mailbox.post(address[1], data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200

    def settled(stats: dict[str, Any]) -> bool:
        return (
            stats["unique_opens"] + stats["machine_opens"] >= 12
            and stats["unsubscribed"] == 1
            and (stats["unique_clicks"] + stats["machine_clicks"] >= 5)
        )

    stats = client.wait_for(f"/v1/campaigns/{campaign_id}/stats", settled)
    assert {name: stats[name] for name in FIGURES} == {
        "sent": READERS,
        "delivered": READERS,
        "unique_opens": 12,
        "unique_clicks": 5,
        "unsubscribed": 1,
    }
    assert client.get("/v1/suppressions", q=leaver["to"])["results"][0]["reason"] == "unsubscribe"


def test_the_one_who_left_is_skipped_by_the_next_campaign(client, campaign, mails):
    copy = client.post(f"/v1/campaigns/{campaign['id']}/duplicate")
    audience = client.get(f"/v1/campaigns/{copy['id']}/audience")
    assert audience["included"] == READERS - 1
    assert sum(audience["skipped"].values()) == 1


def test_a_scheduled_campaign_is_launched_by_beat(client, campaign):
    from datetime import UTC, datetime, timedelta

    copy = client.post(f"/v1/campaigns/{campaign['id']}/duplicate")
    send_at = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    client.post(f"/v1/campaigns/{copy['id']}/schedule", {"send_at": send_at}, status=202)
    done = client.wait_for(f"/v1/campaigns/{copy['id']}", lambda state: state["status"] == "sent")
    assert client.get(f"/v1/campaigns/{done['id']}/stats")["sent"] == READERS - 1
