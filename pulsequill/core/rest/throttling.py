"""Rate limits of `/v1`: one budget per workspace (or address, for visitors), counted atomically in Valkey.

The window is fixed: `INCR` and the first `EXPIRE` run in one script, so that a crash between them cannot leave a
counter that never ends. When Valkey is away nobody is limited: an outage of a counter must not be an outage of mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from redis.commands.core import Script
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

from pulsequill.core.valkey import counters_client

logger = structlog.get_logger(__name__)

WINDOW_S = 60
_HIT = """
local used = redis.call('INCRBY', KEYS[1], ARGV[2])
if used == tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {used, redis.call('TTL', KEYS[1])}
"""


@cache
def _script() -> Script:
    return counters_client().register_script(_HIT)


@dataclass(frozen=True)
class Quota:
    """What is left of a budget."""

    limit: int
    used: int
    resets_in_s: int
    window_s: int = WINDOW_S

    @property
    def remaining(self) -> int:
        """Requests that may still be made in this window."""
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """The IETF draft's two headers and the three that most clients read."""
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={self.window_s}',
            "RateLimit": f'"default";r={self.remaining};t={self.resets_in_s}',
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.resets_in_s),
        }


def spend(key: str, *, limit: int, window_s: int = WINDOW_S, cost: int = 1) -> Quota:
    """Take `cost` from a budget and return what is left; a full budget when Valkey is away."""
    try:
        used, resets_in_s = _script()(keys=[f"rate:{key}"], args=[window_s, cost])
    except (RedisError, OSError) as error:
        logger.warning("rate_limit_skipped", error=str(error))
        return Quota(limit, 0, window_s, window_s)
    return Quota(limit, int(used), max(0, int(resets_in_s)), window_s)


def client_address(request: Any) -> str:
    """Return the caller's address, believing as many `X-Forwarded-For` entries as there are trusted proxies."""
    proxies: int = settings.TRUSTED_PROXIES
    direct: str = request.META.get("REMOTE_ADDR") or ""
    if not proxies:
        return direct
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return hops[-min(proxies, len(hops))] if hops else direct


def spend_for(request: Any, workspace_id: Any = None) -> Quota:
    """Take one request from the workspace's budget, or from the address's; remembered for the answer's headers."""
    owner = f"workspace:{workspace_id}" if workspace_id else f"address:{client_address(request)}"
    quota = spend(f"v1:{owner}", limit=settings.API_RATE_LIMIT)
    getattr(request, "_request", request).quota = quota
    return quota


class WorkspaceRateLimit(BaseThrottle):
    """One budget for everything that a workspace's keys and people ask within a minute."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count the request; False answers 429."""
        workspace = getattr(view, "workspace", None)
        self.quota = spend_for(request, workspace.pk if workspace is not None else None)
        return not self.quota.is_exceeded

    def wait(self) -> float:
        """Seconds until the budget is full again."""
        return float(max(1, self.quota.resets_in_s))


class RateLimitHeaders:
    """Middleware: the rate-limit headers on every `/v1` answer, also on refusals that came before the throttle."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        if request.path.startswith("/v1/"):
            quota: Quota = getattr(request, "quota", None) or spend_for(request)
            for name, text in quota.headers().items():
                response.headers.setdefault(name, text)
        return response
