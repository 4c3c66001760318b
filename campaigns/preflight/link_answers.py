"""What the addresses in a mail answer: asked in the background, kept for an hour, never waited for.

A server that is slow or picky must not hold a campaign up, so an answer only ever warns.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from enum import StrEnum
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.cache import cache
from django.utils import timezone

from pulsequill.core.outbound_http import Answer, RefusedAddress, Unreachable, fetch

KEPT_S = 3600
#: Servers asked at the same time.
AT_ONCE = 4
#: A mail with more addresses than this is checked in part.
MOST_ADDRESSES = 200
#: Seconds after which no further address is asked.
LONGEST_S = 60.0
#: Seconds after which a check that was started counts as lost, so that another may be started.
LOST_AFTER_S = 120

#: Reserved for documentation and tests (RFC 2606, RFC 6761): nobody answers there.
PLACEHOLDER_HOST = re.compile(r"(^|\.)(example|invalid|test|localhost)$|^example\.(com|net|org)$|^127\.|^yourdomain\.")
_ADDRESS = re.compile(
    r"<a\b[^<>]*?\shref=(\"|')(?P<link>.*?)\1|<img\b[^<>]*?\ssrc=(\"|')(?P<picture>.*?)\3", re.IGNORECASE | re.DOTALL
)


class State(StrEnum):
    """What an address is good for."""

    WELL = "well"
    GONE = "gone"
    FAILING = "failing"
    SILENT = "silent"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """How a server answered: the HTTP status (0 for none), and the size that it named.

    Kept answers know when they were given, and since when the state has been the same at each question (seconds since
    the epoch).
    """

    state: State
    status: int = 0
    size_bytes: int | None = None
    asked_at: float = 0.0
    since: float = 0.0


def web_addresses(html: str) -> Iterator[str]:
    """Yield the http addresses of links and pictures that need no personal value."""
    for found in _ADDRESS.finditer(html):
        url = unescape(found["link"] or found["picture"] or "").strip()
        if url.startswith(("http://", "https://")) and "{{" not in url and not _is_placeholder(url):
            yield url


def _is_placeholder(url: str) -> bool:
    try:
        return bool(PLACEHOLDER_HOST.search(urlsplit(url).hostname or ""))
    except ValueError:
        return True


def _key(workspace_id: UUID, url: str) -> str:
    return f"answer:{workspace_id}:{hashlib.sha256(url.encode()).hexdigest()[:40]}"


def known_answers(workspace_id: UUID, urls: Iterable[str]) -> dict[str, LinkAnswer]:
    """Return the answers that are known, by address."""
    keys = {_key(workspace_id, url): url for url in list(urls)}
    kept: dict[str, Any] = cache.get_many(keys) if keys else {}
    return {keys[key]: LinkAnswer(State(state), *facts) for key, (state, *facts) in kept.items()}


def may_start(workspace_id: UUID, campaign_id: UUID) -> bool:
    """Return whether the caller shall start a check of a campaign: none is under way."""
    return bool(cache.add(f"linkcheck:{workspace_id}:{campaign_id}", True, LOST_AFTER_S))


def is_running(workspace_id: UUID, campaign_id: UUID) -> bool:
    """Return whether a check of a campaign is under way."""
    return cache.get(f"linkcheck:{workspace_id}:{campaign_id}") is not None


def ask_all(workspace_id: UUID, campaign_id: UUID, urls: Iterable[str]) -> int:
    """Ask every address that has no known answer and keep what it said; return how many were asked."""
    urls = list(urls)[:MOST_ADDRESSES]
    known = known_answers(workspace_id, urls)
    unknown = [url for url in urls if url not in known]
    try:
        ask_now(workspace_id, unknown, now=timezone.now())
    finally:
        cache.delete(f"linkcheck:{workspace_id}:{campaign_id}")
    return len(unknown)


def ask_now(workspace_id: UUID, urls: Iterable[str], *, now: datetime) -> dict[str, LinkAnswer]:
    """Ask addresses whatever is known about them, keep what they say, and return it; who takes too long is left out."""
    urls = list(urls)[:MOST_ADDRESSES]
    before, answers = known_answers(workspace_id, urls), dict[str, LinkAnswer]()
    threads = ThreadPoolExecutor(AT_ONCE)
    asked = {threads.submit(ask, url): url for url in urls}
    with suppress(TimeoutError):
        for done in as_completed(asked, timeout=LONGEST_S):
            url = asked[done]
            answers[url] = _keep(workspace_id, url, done.result(), before.get(url), now)
    threads.shutdown(wait=False, cancel_futures=True)
    return answers


def _keep(workspace_id: UUID, url: str, answer: LinkAnswer, before: LinkAnswer | None, now: datetime) -> LinkAnswer:
    at = now.timestamp()
    since = before.since if before is not None and before.state is answer.state else at
    answer = replace(answer, asked_at=at, since=since)
    cache.set(_key(workspace_id, url), (answer.state.value, *astuple(answer)[1:]), KEPT_S)
    return answer


def ask(url: str) -> LinkAnswer:
    """Ask one address, by HEAD, and by GET where that is not liked. Redirects count as answers."""
    try:
        answer = fetch("HEAD", url)
        if answer.status in (400, 403, 404, 405, 501):
            answer = fetch("GET", url, max_body=2048)
    except RefusedAddress:
        return LinkAnswer(State.PRIVATE)
    except Unreachable:
        return LinkAnswer(State.SILENT)
    return LinkAnswer(_judge(answer.status), answer.status, _size(answer))


def _judge(status: int) -> State:
    """Return what a status means: who wants a password or fewer robots is there."""
    if status in (404, 410):
        return State.GONE
    return State.FAILING if status >= 500 else State.WELL


def _size(answer: Answer) -> int | None:
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdigit() and answer.status == 200 else None
