"""The front door: what reaches Django, what does not, and in what shape."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from pulsequill import asgi
from pulsequill.core import upload


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    seen.append(request.method or "")
    file = request.FILES.get("file")
    return JsonResponse(
        {
            "bytes": file.size if file else len(request.body),
            "tail": file.read()[-5:].decode() if file else "",
            "query": request.GET.get("q"),
            "forwarded": request.META.get("HTTP_X_FORWARDED_FOR"),
        }
    )


seen: list[str] = []
urlpatterns = [path("echo", echo)]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_own_urls")]


@pytest.fixture
def _own_urls() -> Iterator[None]:
    seen.clear()
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        yield


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/echo",
        "raw_path": b"/echo",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 4242),
        "server": ("127.0.0.1", 8000),
        **changes,
    }


async def ask(connection: dict[str, Any], messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    waiting = iter(messages)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        try:
            return next(waiting)
        except StopIteration:
            await asyncio.Event().wait()
            raise

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.wait_for(asgi.application(connection, receive, send), 20)
    return sent


def status_and_body(sent: list[dict[str, Any]]) -> tuple[int, bytes]:
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def multipart(content: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + content + b"\r\n--edge--\r\n"
    )
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"multipart/form-data; boundary=edge"),
        (b"content-length", str(len(body)).encode()),
    ]
    return headers, body


def pieces(body: bytes, size: int = 65_536) -> list[dict[str, Any]]:
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    return [
        {"type": "http.request", "body": part, "more_body": number < len(parts)} for number, part in enumerate(parts, 1)
    ]


async def test_a_file_of_many_megabytes_arrives_whole() -> None:
    content = b"x,y\r\n" * 1_700_000 + b"last!"
    headers, body = multipart(content)
    status, answer = status_and_body(await ask(scope(headers=headers), pieces(body)))
    assert status == 200
    assert f'"bytes": {len(content)}, "tail": "last!"'.encode() in answer


async def test_an_upload_that_breaks_off_never_reaches_django() -> None:
    headers, body = multipart(b"a" * 300_000)
    sent = await ask(scope(headers=headers), [*pieces(body)[:2], {"type": "http.disconnect"}])
    assert sent == []
    assert seen == []


async def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    headers = [(b"host", b"localhost"), (b"content-length", str(asgi.MAX_BODY_BYTES + 1).encode())]
    status, answer = status_and_body(await ask(scope(headers=headers), []))
    assert status == 413
    assert b'"code": "too_large"' in answer
    assert seen == []


async def test_a_body_that_lies_about_its_length_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MAX_BODY_BYTES", 100_000)
    status, _answer = status_and_body(await ask(scope(), pieces(b"a" * 200_000)))
    assert status == 413
    assert seen == []


async def test_a_body_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_IDLE_S", 0.05)
    status, _answer = status_and_body(await ask(scope(), pieces(b"a" * 100_000)[:1]))
    assert status == 408


async def test_a_header_with_an_underscore_cannot_pose_as_the_proxys() -> None:
    headers = [(b"host", b"localhost"), (b"x_forwarded_for", b"203.0.113.9")]
    status, answer = status_and_body(await ask(scope(headers=headers), pieces(b"")))
    assert status == 200
    assert b'"forwarded": null' in answer


async def test_a_query_of_raw_bytes_is_read_and_not_an_error() -> None:
    status, answer = status_and_body(await ask(scope(query_string="q=café".encode()), pieces(b"")))
    assert status == 200
    assert b'"caf\\u00e9"' in answer


async def test_a_socket_that_does_not_exist_is_closed_politely() -> None:
    connection = {**scope(), "type": "websocket", "path": "/ws/nowhere", "subprotocols": []}
    sent = await ask(connection, [{"type": "websocket.connect"}])
    assert sent == [{"type": "websocket.close", "code": 4404}]


async def test_the_server_may_start_and_stop() -> None:
    sent = await ask({"type": "lifespan"}, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_large_bodies_wait_on_the_disk_and_small_ones_in_memory() -> None:
    async def received(size: int) -> bool:
        waiting = iter(pieces(b"a" * size))

        async def receive() -> Any:
            return next(waiting)

        body = await upload.receive_body(scope(), receive, max_bytes=10_000_000, idle_s=1)
        with body:
            return bool(body._rolled)  # type: ignore[attr-defined]

    assert not await received(10_000)
    assert await received(upload.IN_MEMORY_BYTES + 1)
