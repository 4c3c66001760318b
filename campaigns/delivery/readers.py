"""Simulated readers: fetch the real pixels and links of captured mail over HTTP, as mailboxes and people would.

For a first run and for trials. Nothing is written past the front door: whatever the figures show came in through the
same signed addresses that real mail holds.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from html import unescape
from typing import Any

import structlog
from django.core.cache import cache

from campaigns.delivery.captured import body_of, parse
from campaigns.models import CapturedMessage
from pulsequill.core.outbound_http import own_instance_client

logger = structlog.get_logger(__name__)

#: The newest mails that a run reads, and the seconds that it spreads over.
MOST_MAILS = 2000
SPREAD_S = 40.0
THREADS = 8
STATE_KEPT_S = 15 * 60

_WEBKIT, _CHROME = "AppleWebKit/605.1.15 (KHTML, like Gecko)", "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
PEOPLE = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_WEBKIT} Mobile/15E148",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.1 Safari/605.1.15",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_CHROME} Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
)
APPLE_PROXY = "Mozilla/5.0"
SCANNER = "Mozilla/5.0 (compatible; Proofpoint URL Defense)"

#: Shares of mailboxes: what machines do with every mail, and what people do with theirs.
APPLE_SHARE, SCANNER_SHARE = 0.22, 0.04
OPEN_SHARE, CLICK_SHARE, SECOND_CLICK_SHARE, UNSUBSCRIBE_SHARE = 0.42, 0.26, 0.2, 0.012

_PIXEL = re.compile(r'<img[^>]+src="([^"]+/t/o/[^"]+)"')
_HIDDEN = re.compile(r'<a href="([^"]+)"[^<>]* aria-hidden="true">')
_LINK = re.compile(r'href="([^"]+/t/c/[^"]+)"')
_ONE_CLICK = re.compile(r"<(https?://[^>]+)>")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a reader: when (seconds from the start), what, and as whom."""

    at: float
    kind: str
    url: str
    agent: str


@dataclass(slots=True)
class Progress:
    """What the page shows of a run."""

    total: int = 0
    done: int = 0
    mails: int = 0
    is_running: bool = True
    counts: dict[str, int] = field(default_factory=lambda: {"opened": 0, "clicked": 0, "unsubscribed": 0, "failed": 0})


@dataclass(frozen=True, slots=True)
class _Mail:
    pixel: str
    #: What people can follow, and what only machines find.
    links: list[str]
    hidden: list[str]
    one_click: str


def _state_key(workspace_id: Any) -> str:
    return f"readers:{workspace_id}"


def begin(workspace_id: Any) -> bool:
    """Reserve the run of a workspace; False when one is under way."""
    state = cache.get(_state_key(workspace_id))
    if state is not None and state["is_running"]:
        return False
    save(workspace_id, Progress())
    return True


def save(workspace_id: Any, progress: Progress) -> None:
    """Let the page see how far a run has come."""
    cache.set(_state_key(workspace_id), asdict(progress), timeout=STATE_KEPT_S)


def get_progress(workspace_id: Any) -> Progress | None:
    """Return how far the last run has come; None when there was none lately."""
    state = cache.get(_state_key(workspace_id))
    return Progress(**state) if state is not None else None


def read_outbox(
    *,
    workspace_id: Any,
    campaign_id: Any = None,
    spread_s: float = SPREAD_S,
    chance: random.Random | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Progress:
    """Read the newest captured mails of a workspace and return what was done.

    Args:
        workspace_id: whose mail.
        campaign_id: only this campaign's.
        spread_s: seconds that the visits spread over.
        chance: source of chance.
        sleep: how to wait.
    """
    rows = CapturedMessage.objects.for_workspace(workspace_id).filter(message__isnull=False, message__is_test=False)
    if campaign_id is not None:
        rows = rows.filter(campaign_id=campaign_id)
    mails = [_parse(bytes(raw)) for raw in rows.order_by("-id").values_list("raw", flat=True)[:MOST_MAILS]]
    visits = plan_visits(mails, spread_s=spread_s, chance=chance or random.Random())  # noqa: S311 - make-believe
    progress = Progress(total=len(visits), mails=len(mails))
    save(workspace_id, progress)
    started = last_saved = time.monotonic()
    try:
        with own_instance_client() as client, ThreadPoolExecutor(THREADS, thread_name_prefix="reader") as pool:
            waiting = []
            for visit in visits:
                if (pause := started + visit.at - time.monotonic()) > 0:
                    sleep(pause)
                waiting.append((visit, pool.submit(_visit, client, visit)))
                if time.monotonic() - last_saved > 0.5:
                    waiting = _collect(waiting, progress, wait=False)
                    save(workspace_id, progress)
                    last_saved = time.monotonic()
            _collect(waiting, progress, wait=True)
    finally:
        progress.is_running = False
        save(workspace_id, progress)
    return progress


def plan_visits(mails: list[_Mail], *, spread_s: float, chance: random.Random) -> list[Visit]:
    """Return what the readers of these mails will do, in order of time."""
    visits: list[Visit] = []
    for mail in mails:
        arrival = chance.uniform(0, spread_s * 0.4)
        if mail.pixel and chance.random() < APPLE_SHARE:
            visits.append(Visit(arrival, "opened", mail.pixel, APPLE_PROXY))
        if chance.random() < SCANNER_SHARE:
            visits += [Visit(arrival, "clicked", url, SCANNER) for url in (*mail.links, *mail.hidden)]
        if chance.random() >= OPEN_SHARE:
            continue
        agent = chance.choice(PEOPLE)
        opened = arrival + chance.uniform(0.05, 0.4) * spread_s
        if mail.pixel:
            visits.append(Visit(opened, "opened", mail.pixel, agent))
        if mail.links and chance.random() < CLICK_SHARE:
            clicked = opened + chance.uniform(0.02, 0.2) * spread_s
            visits.append(Visit(clicked, "clicked", chance.choice(mail.links), agent))
            if chance.random() < SECOND_CLICK_SHARE:
                visits.append(Visit(clicked + 0.02 * spread_s, "clicked", chance.choice(mail.links), agent))
        if mail.one_click and chance.random() < UNSUBSCRIBE_SHARE:
            visits.append(Visit(opened + 0.1 * spread_s, "unsubscribed", mail.one_click, agent))
    return sorted(visits, key=lambda visit: visit.at)


def _parse(raw: bytes) -> _Mail:
    mail = parse(raw)
    html = body_of(mail, "html")
    pixel = _PIXEL.search(html)
    followed = list(dict.fromkeys(unescape(url) for url in _LINK.findall(html)))
    hidden = [unescape(url) for url in _HIDDEN.findall(html)]
    one_click = _ONE_CLICK.search(mail["List-Unsubscribe"] or "") if mail["List-Unsubscribe-Post"] else None
    return _Mail(
        pixel=unescape(pixel[1]) if pixel else "",
        links=[url for url in followed if url not in hidden],
        hidden=hidden,
        one_click=one_click[1] if one_click else "",
    )


def _visit(client: Any, visit: Visit) -> bool:
    headers = {"User-Agent": visit.agent}
    try:
        if visit.kind == "unsubscribed":
            answer = client.post(visit.url, data={"List-Unsubscribe": "One-Click"}, headers=headers)
        else:
            answer = client.get(visit.url, headers=headers)
    except Exception:  # one reader's failure is a figure on the page, not the end of the run
        logger.warning("reader_failed", kind=visit.kind, exc_info=True)
        return False
    return bool(answer.status_code < 400)


def _collect(waiting: list[tuple[Visit, Any]], progress: Progress, *, wait: bool) -> list[tuple[Visit, Any]]:
    """Count the visits that are over; return those that are not."""
    pending = []
    for visit, future in waiting:
        if not wait and not future.done():
            pending.append((visit, future))
            continue
        progress.done += 1
        progress.counts[visit.kind if future.result() else "failed"] += 1
    return pending
