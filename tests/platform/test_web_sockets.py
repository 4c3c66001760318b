"""Compression that all sockets share: what a browser would read, and how often the work is done."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from pulsequill import web_sockets

#: What stands in it twice is farther apart than a small window reaches.
FAR_APART = 2 * "".join(map(str, range(1000)))
TEXTS = [FAR_APART, "one frame of figures " * 500, '{"seq": 5, "type": "ping"}', "Grüße " * 900, FAR_APART]


def connected(**offered: Any) -> tuple[ClientProtocol, ServerProtocol]:
    """Shake hands between a client that offers compression with these parameters and a socket's own end."""
    server = ServerProtocol(extensions=[web_sockets._DEFLATE])
    client = ClientProtocol(
        parse_uri("ws://localhost/"),
        extensions=[ClientPerMessageDeflateFactory(**offered)] if offered.pop("compresses", True) else None,
    )
    client.send_request(client.connect())
    server.receive_data(b"".join(client.data_to_send()))
    [request] = server.events_received()
    server.send_response(server.accept(request))
    client.receive_data(b"".join(server.data_to_send()))
    client.events_received()
    assert client.handshake_exc is None
    return client, server


def carried(client: ClientProtocol, server: ServerProtocol, text: str) -> tuple[bytes, str]:
    """Send a text, and return what went over the line and what the client read."""
    server.send_text(text.encode())
    wire = b"".join(server.data_to_send())
    client.receive_data(wire)
    [frame] = client.events_received()
    assert isinstance(frame, Frame)
    return wire, bytes(frame.data).decode()


@pytest.mark.parametrize(
    "offered",
    [
        {"client_max_window_bits": True},
        {"server_max_window_bits": 9, "client_max_window_bits": 10},
        {"server_no_context_takeover": True},
        {"compresses": False},
    ],
)
def test_every_client_reads_what_was_sent_however_it_is_mixed_with_others(offered: dict[str, Any]) -> None:
    pairs = [connected(client_max_window_bits=True), connected(**offered), connected(**offered)]
    for text in TEXTS:
        assert [carried(client, server, text)[1] for client, server in pairs] == [text] * 3


def test_a_text_is_compressed_once_for_all_who_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [connected(client_max_window_bits=True) for _ in range(20)]
    made: list[object] = []
    compressobj = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda *args, **more: made.append(args) or compressobj(*args, **more))
    for number in range(3):
        text = f"frame {number} " * 1000
        wires = {carried(client, server, text)[0] for client, server in pairs}
        assert len(wires) == 1
        assert len(wires.pop()) < len(text) / 10
    assert len(made) == 3


def test_a_client_with_a_small_window_gets_bytes_of_its_own() -> None:
    large, small = connected(client_max_window_bits=True), connected(server_max_window_bits=9)
    assert len(carried(*small, FAR_APART)[0]) > 1.5 * len(carried(*large, FAR_APART)[0])
    assert len(carried(*large, FAR_APART + ".")[0]) < len(carried(*small, FAR_APART + ".")[0]) / 1.5


def test_what_a_socket_says_back_is_read() -> None:
    client, server = connected(client_max_window_bits=True)
    for text in TEXTS:
        client.send_text(text.encode())
        server.receive_data(b"".join(client.data_to_send()))
        [frame] = server.events_received()
        assert isinstance(frame, Frame)
        assert bytes(frame.data).decode() == text
