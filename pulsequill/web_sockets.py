"""uvicorn's WebSockets, but one whose other end takes nothing is cut off."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

#: A socket may leave what we wrote untaken for so long; the application has said 4408 by then, which it did not take.
STALLED_S = 15.0


class ImpatientSocket(WebSocketsSansIOProtocol):
    """Drops a connection whose write buffer has been full for `STALLED_S`.

    Closing does not help: asyncio first sends what is in the buffer, and TCP waits for ever for one who is there and
    does not read. Such a connection would hold its buffers, its consumer and its place until it is gone by itself.
    """

    _stalled: asyncio.TimerHandle | None = None

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
