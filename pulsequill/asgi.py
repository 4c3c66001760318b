"""The one front door: tracking to a plain ASGI function, sockets to Channels, everything else to Django.

Django answers through its WSGI handler in a pool of threads, which serves six times the requests of its ASGI handler
on the same port. Tracking hits never enter Django.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from a2wsgi import WSGIMiddleware
from channels.routing import URLRouter
from django.urls import re_path

from pulsequill.wsgi import application as django_application  # sets Django up, so it stands before the apps

from accounts.sockets import websocket_urlpatterns as account_sockets  # isort: skip
from aiwriter.sockets import websocket_urlpatterns as writer_sockets  # isort: skip
from analytics.sockets import websocket_urlpatterns as analytics_sockets  # isort: skip
from analytics.tracking.asgi import application as tracking  # isort: skip
from pulsequill.core.upload import ClientLeft, Receive, Refused, Scope, Send, receive_body, refuse, replay  # isort: skip
from pulsequill.env import value  # isort: skip

#: The largest import file is 50 MB; the rest of a multipart body fits beside it.
MAX_BODY_BYTES = 64 * 1024 * 1024
BODY_IDLE_S = 30.0
NO_SUCH_SOCKET = 4404


async def _refuse_socket(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": NO_SUCH_SOCKET})


# Both libraries describe ASGI by types of their own; what they call with is one and the same.
_django: Any = WSGIMiddleware(cast(Any, django_application), workers=value("WEB_THREADS"))
_sockets = URLRouter([*account_sockets, *writer_sockets, *analytics_sockets, re_path(r"", cast(Any, _refuse_socket))])


def _clean(scope: Scope) -> Scope:
    """Return the scope as WSGI can carry it: header names that would collide are dropped, the query is ASCII.

    `X_Forwarded_For` and `X-Forwarded-For` become one WSGI variable, so the one that no proxy watches must go.
    """
    headers = [(name, text) for name, text in scope["headers"] if b"_" not in name]
    query = scope["query_string"]
    if not query.isascii():
        query = quote(query, safe="!#$%&'()*+,/:;=?@[]-._~\"<>\\^`{|}").encode("ascii")
    return {**scope, "headers": headers, "query_string": query}


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        body = await receive_body(scope, receive, max_bytes=MAX_BODY_BYTES, idle_s=BODY_IDLE_S)
    except ClientLeft:
        return
    except Refused as refusal:
        await refuse(refusal, send)
        return
    with body:
        await _django(_clean(scope), replay(body), send)


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's start and stop messages; there is nothing to open or to close."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Route one ASGI connection by its kind and path."""
    if scope["type"] == "http":
        handler = tracking if scope["path"].startswith("/t/") else _answer
        await handler(scope, receive, send)
    elif scope["type"] == "websocket":
        await _sockets(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _live(receive, send)
