"""WebSockets: who may open one, and the base that every app's socket builds on.

A socket is opened by the session cookie (from our own pages only: the Origin is checked), by `Authorization: Bearer`
on the handshake, or by a one-use `?ticket=`. It is accepted first and then closed with a code, because a refused
handshake tells a browser nothing: 4401 not signed in, 4403 not allowed, 4404 no such thing, 4408 too slow or too
talkative. Frames are hints; PostgreSQL is the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import structlog
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.urls import path
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import selectors, tokens
from accounts.middleware import SESSION_KEY
from accounts.models import ApiKey, Membership, RefreshToken, User, Workspace
from accounts.permissions import key_allows, role_allows
from accounts.services.api_keys import find_api_key
from accounts.services.sessions import find_person
from accounts.services.socket_tickets import redeem_ticket
from pulsequill.core.cancellation import is_cancelled
from pulsequill.core.errors import NotFound, NotPermitted
from pulsequill.core.live import person_group, workspace_group

logger = structlog.get_logger(__name__)

NOT_SIGNED_IN, NOT_ALLOWED, NO_SUCH_THING, TOO_SLOW, TRY_LATER = 4401, 4403, 4404, 4408, 1013
PING_EVERY_S = 15.0
RECHECK_EVERY_PINGS = 4
SEND_TIMEOUT_S = 10.0
MAX_INBOUND_BYTES = 64 * 1024
MAX_INBOUND_PER_S = 20


class Refused(Exception):
    """The socket is closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Handshake:
    """What the opening request brought along."""

    headers: dict[str, str]
    query: dict[str, list[str]]

    @classmethod
    def of(cls, scope: dict[str, Any]) -> Handshake:
        """Read an ASGI scope."""
        headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
        return cls(headers, parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=20))

    def first(self, name: str) -> str:
        """Return one query parameter, or ''."""
        return self.query.get(name, [""])[0]

    @property
    def comes_from_our_pages(self) -> bool:
        """Whether the Origin is this site's own, or one that the operator listed; a missing one is not."""
        origin = self.headers.get("origin", "")
        if origin in settings.TRUSTED_ORIGINS:
            return True
        host = self.headers.get("host", "")
        return urlsplit(origin).netloc == host != "" and validate_host(
            split_domain_port(host)[0], settings.ALLOWED_HOSTS
        )


@dataclass
class Seat:
    """Who sits at the other end, and by what right; asked again once a minute."""

    workspace: Workspace
    user: User | None = None
    api_key: ApiKey | None = None
    session_key: str | None = None
    token_session: UUID | None = None

    def check(self, action: str) -> None:
        """Ask the database whether the right still holds.

        Raises:
            Refused: 4401 when the session, token or key has ended; 4403 when the role no longer allows it.
        """
        now = timezone.now()
        if self.api_key is not None:
            key = ApiKey.objects.for_workspace(self.workspace).filter(pk=self.api_key.pk, revoked_at=None).first()
            if key is None or (key.expires_at and key.expires_at <= now):
                raise Refused(NOT_SIGNED_IN)
            if not key_allows(key.scopes, action):
                raise Refused(NOT_ALLOWED)
            return
        assert self.user is not None
        version = User.objects.filter(pk=self.user.pk, is_active=True).values_list("token_version", flat=True).first()
        families = RefreshToken.objects.filter(revoked_at=None, expires_at__gt=now)
        if (
            version != self.user.token_version
            or (self.session_key and not SessionStore().exists(self.session_key))
            or (self.token_session and not families.filter(family_id=self.token_session).exists())
        ):
            raise Refused(NOT_SIGNED_IN)
        membership = Membership.objects.for_workspace(self.workspace).filter(user=self.user).first()
        if membership is None or not role_allows(membership.role, action):
            raise Refused(NOT_ALLOWED)


def _choose_workspace(user: User, *, slug: str = "", session_choice: str = "") -> Workspace:
    memberships = selectors.get_memberships(user)
    if slug:
        memberships = [m for m in memberships if m.workspace.slug == slug]
    if not memberships:
        raise Refused(NOT_ALLOWED)
    return next((m for m in memberships if str(m.workspace_id) == session_choice), memberships[0]).workspace


def _by_bearer(text: str, slug: str) -> Seat:
    try:
        if text.startswith(tokens.KEY_MARK):
            key = find_api_key(text)
            return Seat(key.workspace, api_key=key)
        user, claims = find_person(text)
    except tokens.BadToken as error:
        raise Refused(NOT_SIGNED_IN) from error
    return Seat(_choose_workspace(user, slug=slug), user=user, token_session=claims.session_id)


def _by_ticket(text: str) -> Seat:
    ticket = redeem_ticket(text)
    if ticket is None:
        raise Refused(NOT_SIGNED_IN)
    workspace = Workspace.objects.filter(pk=ticket.workspace_id).first()
    user = (
        User.objects.filter(pk=ticket.user_id, token_version=ticket.token_version).first() if ticket.user_id else None
    )
    key = (
        ApiKey.objects.for_workspace(ticket.workspace_id).filter(pk=ticket.api_key_id).first()
        if ticket.api_key_id
        else None
    )
    if workspace is None or (user is None and key is None):
        raise Refused(NOT_SIGNED_IN)
    return Seat(workspace, user=user, api_key=key)


def _by_session(handshake: Handshake) -> Seat:
    session_key = parse_cookie(handshake.headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    if not session_key:
        raise Refused(NOT_SIGNED_IN)
    if not handshake.comes_from_our_pages:
        raise Refused(NOT_ALLOWED)
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    if not isinstance(user, User):
        raise Refused(NOT_SIGNED_IN)
    choice = str(request.session.get(SESSION_KEY, ""))
    return Seat(_choose_workspace(user, session_choice=choice), user=user, session_key=session_key)


def find_seat(handshake: Handshake) -> Seat:
    """Return who opens the socket and in which workspace.

    Raises:
        Refused: with the code to close with.
    """
    scheme, _, text = handshake.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_bearer(text.strip(), handshake.headers.get("x-workspace", ""))
    if ticket := handshake.first("ticket"):
        return _by_ticket(ticket)
    return _by_session(handshake)


class WorkspaceSocket(AsyncJsonWebsocketConsumer):
    """Base of every socket: identity, groups, heartbeat and limits.

    Subclasses set `permission` and override `authorise`, which returns the groups to join. Whoever pushes a frame to
    such a group (`pulsequill.core.live.push`) reaches the client; a frame without `seq` is numbered here.
    """

    permission: ClassVar[str] = "workspace.view"

    user: User | None
    workspace: Workspace
    api_key: ApiKey | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seq = 0
        self._seat: Seat | None = None
        self._joined: list[str] = []
        self._heart: asyncio.Task[None] | None = None
        self._inbound: list[float] = []

    async def authorise(self) -> list[str]:
        """Return the groups to join.

        Raises:
            NotFound: there is no such thing in this workspace; the socket is closed with 4404.
        """
        return []

    async def opened(self) -> None:
        """Send what a new client must know; the groups are joined already, so nothing falls in between."""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message to its handler.

        Channels' own looks for old database connections first, in another thread, for each frame of each socket: more
        than the sending costs. Whoever asks the database here asks by `database_sync_to_async`, which looks, too.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Accept, then find out who it is."""
        await self.accept()
        try:
            self.handshake = Handshake.of(self.scope)
            self._seat = await database_sync_to_async(find_seat)(self.handshake)
            await database_sync_to_async(self._seat.check)(self.permission)
            self.user, self.workspace, self.api_key = self._seat.user, self._seat.workspace, self._seat.api_key
            self._joined = await self.authorise()
            if self.user is not None:
                self._joined.append(person_group(self.workspace.pk, self.user.pk))
            for group in self._joined:
                await self.channel_layer.group_add(group, self.channel_name)
            await self.opened()
        except Refused as refusal:
            await self._leave(refusal.code)
        except (NotFound, ValueError):
            await self._leave(NO_SUCH_THING)
        except NotPermitted:
            await self._leave(NOT_ALLOWED)
        except (RedisError, OSError, OperationalError, InterfaceError):
            await self._leave(TRY_LATER)
        else:
            self._heart = asyncio.create_task(self._beat())

    async def disconnect(self, code: int) -> None:  # noqa: ARG002 - Channels' interface
        """Leave the groups and stop the heartbeat."""
        if self._heart is not None and self._heart is not asyncio.current_task():
            self._heart.cancel()
        with contextlib.suppress(RedisError, OSError):
            for group in self._joined:
                await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_kwargs: Any) -> None:
        """Count what the client says; a well-behaved one has nothing to say."""
        now = time.monotonic()
        self._inbound = [at for at in self._inbound if at > now - 1] + [now]
        if len(text_data or bytes_data or "") > MAX_INBOUND_BYTES or len(self._inbound) > MAX_INBOUND_PER_S:
            await self._leave(TOO_SLOW)

    async def catch_up(self) -> None:
        """Frames may be lost: leave a number out, which makes the client ask how things stand."""
        self.seq += 1
        await self._ping()

    async def resumed(self, _message: dict[str, Any]) -> None:
        """Valkey was away and is back (`pulsequill.core.fan_out`)."""
        try:
            await self.catch_up()
        except (RedisError, OSError, OperationalError, InterfaceError):
            await self._leave(TRY_LATER)

    async def frame(self, message: dict[str, Any]) -> None:
        """Send a pushed frame on."""
        await self.send_frame(message["frame"])

    async def recheck(self, _message: dict[str, Any]) -> None:
        """Somebody changed this person's rights: ask again now, not at the next minute."""
        await self._check()

    async def send_frame(self, frame: dict[str, Any]) -> None:
        """Send one frame, numbered; a client that does not take it in time is closed with 4408."""
        self.seq = int(frame.get("seq") or self.seq + 1)
        await self._deliver(await self.encode_json({"seq": self.seq, **frame}))

    async def encoded(self, message: dict[str, Any]) -> None:
        """Send on a frame that was encoded once for everybody who gets it (`pulsequill.core.live.push_encoded`)."""
        self.seq = message["seq"]
        await self._deliver(message["text"])

    async def _deliver(self, text: str) -> bool:
        """Send a text, and return whether the client took it in time; otherwise the socket is closed."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self.send(text_data=text)
        except TimeoutError:
            await self._leave(TOO_SLOW)
            return False
        return True

    async def _ping(self) -> bool:
        return await self._deliver(await self.encode_json({"seq": self.seq, "type": "ping"}))

    async def _check(self) -> None:
        assert self._seat is not None
        try:
            await database_sync_to_async(self._seat.check)(self.permission)
        except Refused as refusal:
            await self._leave(refusal.code)
        except (OperationalError, InterfaceError):
            logger.warning("socket_recheck_postponed")

    async def _leave(self, code: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.close(code)

    async def _beat(self) -> None:
        """Ping, so that a silent stall is seen, and ask now and then whether the right still holds."""
        beats = 0
        while not is_cancelled():
            await asyncio.sleep(PING_EVERY_S)
            beats += 1
            if not await self._ping():
                return
            if beats % RECHECK_EVERY_PINGS == 0:
                await self._check()


class WorkspaceFeed(WorkspaceSocket):
    """`/ws/workspace`: notifications and the progress of imports."""

    async def authorise(self) -> list[str]:
        """Join the workspace's group."""
        return [workspace_group(self.workspace.pk)]

    async def opened(self) -> None:
        """Say which workspace this is about."""
        await self.send_frame({"type": "hello", "workspace": self.workspace.slug})


websocket_urlpatterns = [path("ws/workspace", WorkspaceFeed.as_asgi())]
