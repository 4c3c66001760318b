"""`make load`: k6 against a running PulseQuill, or against one that it starts with a demo workspace.

Three parts: pages and `/v1` side by side (`pages_and_api.js`), then a live page with many watchers while its mails are
opened (`live_sockets.js`), and beside those one watcher that never reads, who must be cut off and slow nobody. The
scripts' thresholds decide; the exit code is 1 when one is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import UUID

from campaigns.delivery.tracking import open_token
from pulsequill.core.ids import bigint_from_uuid7
from pulsequill.demo_data.people import PASSWORD
from tests.instance import running

HERE = Path(__file__).parent
K6 = Path(sys.executable).parent / "k6"
EMAIL = "maya@northwind.example"
#: Messages whose pixels are asked for; each may be opened many times.
MESSAGES = 2000
#: Until then somebody who never reads must have been cut off: sockets.SEND_TIMEOUT_S and web_sockets.STALLED_S.
CUT_OFF_S = 60


class Api:
    """The `/v1` of a running instance, as its owner."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url
        self.token = self.ask("/v1/auth/token", {"email": email, "password": password})["access"]

    def ask(self, path: str, body: object = None) -> dict:
        """GET a path, or POST a body to it."""
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data=data, headers=headers), timeout=30) as answer:
            return json.loads(answer.read())


def pixels_of(url: str, api: Api, campaign: str) -> list[str]:
    """Return addresses of pixels as they stand in the mails of a campaign, by what the ledger says of each message."""
    keys: list[int] = []
    path = f"/v1/campaigns/{campaign}/messages?limit=100&status=sent"
    while path and len(keys) < MESSAGES:
        page = api.ask(path)
        keys += [bigint_from_uuid7(UUID(row["id"])) for row in page["results"]]
        path = (page.get("next") or "").removeprefix(url)
    return [f"{url}/t/o/{open_token(key)}" for key in keys]


@contextlib.contextmanager
def never_reading(url: str, campaign: str, token: str) -> Iterator[socket.socket]:
    """Watch a campaign and read nothing but the first line."""
    parts = urlsplit(url)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect((parts.hostname or "localhost", parts.port or 80))
    line.sendall(
        f"GET /ws/campaigns/{campaign} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n"
        "\r\n".encode()
    )
    with line:
        yield line


def was_cut_off(line: socket.socket) -> bool:
    """Read what there is; return whether the server has ended the connection."""
    line.settimeout(CUT_OFF_S)
    deadline = time.monotonic() + CUT_OFF_S
    try:
        while time.monotonic() < deadline:
            if not line.recv(65536):
                return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return False


def k6(script: str, environment: dict[str, str]) -> bool:
    """Run a script and return whether all of its thresholds held."""
    command = [str(K6), "run", "--quiet", "--no-usage-report", str(HERE / script)]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode == 0


def load(url: str, email: str, password: str, *, is_short: bool) -> bool:
    """Run all parts against one instance and return whether every threshold held."""
    api = Api(url, email, password)
    found = api.ask("/v1/campaigns?status=sent&limit=1")["results"]
    campaign = found[0]["id"]
    # The short form shows that everything works; how fast, only a machine that does nothing else can say.
    short = {"LENIENT": "1", "WATCHERS": "50", "SECONDS": "5", "EVENTS_A_SECOND": "50", "DURATION": "5s"}
    size = short if is_short else {"WATCHERS": "500"}
    pages = {"BASE_URL": url, "EMAIL": email, "PASSWORD": password, **size}
    held = k6("pages_and_api.js", pages)
    with tempfile.TemporaryDirectory() as folder, never_reading(url, campaign, api.token) as line:
        pixels = Path(folder) / "pixels.json"
        pixels.write_text(json.dumps(pixels_of(url, api, campaign)), encoding="ascii")
        environment = {"BASE_URL": url, "CAMPAIGN": campaign, "KEY": api.token, "PIXELS": str(pixels), **size}
        held = k6("live_sockets.js", environment) and held
        if not is_short and not was_cut_off(line):
            sys.stderr.write("The watcher that never reads was not cut off.\n")
            held = False
    return held


def main() -> int:
    """Load the named instance, or start one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="A running instance; its tracking secret must be this machine's.")
    parser.add_argument("--email", default=EMAIL)
    parser.add_argument("--password", default=PASSWORD)
    parser.add_argument("--short", action="store_true", help="50 sockets and five seconds.")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")
    if options.url:
        return 0 if load(options.url, options.email, options.password, is_short=options.short) else 1
    with tempfile.TemporaryDirectory(prefix="pulsequill-load-", ignore_cleanup_errors=True) as folder:
        os.environ["PULSEQUILL_HOME"] = folder
        with running(Path(folder)) as instance:
            return 0 if load(instance.url, options.email, options.password, is_short=options.short) else 1


if __name__ == "__main__":
    sys.exit(main())
