"""The web server: `python -m pulsequill.web`. uvicorn with the settings that PulseQuill relies on."""

from __future__ import annotations

import uvicorn

from pulsequill.env import value
from pulsequill.web_sockets import ImpatientSocket

#: What a browser may send over a socket in one frame.
SOCKET_FRAME_BYTES = 64 * 1024


def main() -> None:
    """Serve `pulsequill.asgi` until a signal asks to stop."""
    uvicorn.run(
        "pulsequill.asgi:application",
        host=value("HOST"),
        port=value("PORT"),
        workers=value("WEB_WORKERS"),
        log_config=None,  # our own structured logs, configured by the settings
        access_log=False,  # requests are logged by django-structlog, with their ids
        proxy_headers=False,  # X-Forwarded-For is believed as far as TRUSTED_PROXIES says, not by address
        server_header=False,
        ws=ImpatientSocket,
        ws_max_size=SOCKET_FRAME_BYTES,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )


if __name__ == "__main__":
    main()
