"""uvicorn's WebSockets, but a text is compressed once for all who get it, and who takes nothing is cut off."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.typing import ExtensionParameter

#: A socket may leave what we wrote untaken for so long; the application has said 4408 by then, which it did not take.
STALLED_S = 15.0


class _SharedDeflate(PerMessageDeflate):
    """Compression (RFC 7692) in which a message refers to none before it, so that all sockets can be sent the same."""

    #: Window, message and what became of it. Watchers of one campaign follow each other, so a few are enough.
    _recent: ClassVar[deque[tuple[int, Frame, Frame]]] = deque(maxlen=8)

    def encode(self, frame: Frame) -> Frame:
        """Return the message compressed, by looking it up if another socket has just sent it."""
        if frame.opcode is not Opcode.TEXT:
            return super().encode(frame)
        window = self.local_max_window_bits
        for known_window, known, packed in self._recent:
            if known_window == window and known == frame:
                return packed
        packed = super().encode(frame)
        self._recent.appendleft((window, frame, packed))
        return packed


class _SharedDeflateFactory(ServerPerMessageDeflateFactory):
    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Agree on the parameters as the library does."""
        answer, agreed = super().process_request_params(params, accepted_extensions)
        return answer, _SharedDeflate(
            agreed.remote_no_context_takeover,
            agreed.local_no_context_takeover,
            agreed.remote_max_window_bits,
            agreed.local_max_window_bits,
            agreed.compress_settings,
        )


_DEFLATE = _SharedDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)


class ImpatientSocket(WebSocketsSansIOProtocol):
    """Drops a connection whose write buffer has been full for `STALLED_S`.

    Closing does not help: asyncio first sends what is in the buffer, and TCP waits for ever for one who is there and
    does not read. Such a connection would hold its buffers, its consumer and its place until it is gone by itself.
    """

    _stalled: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [_DEFLATE]

    def pause_writing(self) -> None:
        """Start to wait: the buffer is full."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop to wait: the other end has read."""
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait: it is over."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
