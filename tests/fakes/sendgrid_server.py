"""A SendGrid v3 `mail/send` at wire level: checks the JSON as the real one does, and misbehaves as told.

How it misbehaves hangs on the recipient's local part: `e400`, `e401`, `e403`, `e413`, `e429`, `e500`, `e503` answer
that status; `drop` accepts, then hangs up without an answer; `slow` answers after the client's patience; `dribble`
answers a byte at a time; `last` answers and closes the connection, saying so; `empty` answers 202 and says that no call
is left until a moment later.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API_KEY = "SG.fake-key.for-tests"
FORBIDDEN_HEADERS = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
    "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
MOST_PERSONALIZATIONS = 1000
CUSTOM_ARGS_BYTES = 10_000
MOST_BYTES = 30 * 1024 * 1024


def problems_of(body: Any) -> list[str]:
    """Return what the v3 API would refuse about a body (RULES.md section 1, *SendGrid v3 mail/send*)."""
    if not isinstance(body, dict):
        return ["The body must be an object."]
    problems: list[str] = []
    people = body.get("personalizations")
    if not isinstance(people, list) or not 1 <= len(people) <= MOST_PERSONALIZATIONS:
        problems.append("personalizations: 1 to 1000 are required.")
        people = []
    addresses: list[str] = []
    for person in people:
        if not person.get("to"):
            problems.append("personalizations.to: required.")
        for kind in ("to", "cc", "bcc"):
            addresses += [str(row.get("email", "")).lower() for row in person.get(kind, [])]
    if len(addresses) != len(set(addresses)):
        problems.append("Each email address in the personalization block should be unique.")
    if len(addresses) > MOST_PERSONALIZATIONS:
        problems.append("At most 1000 recipients.")
    problems += [f"to.email: {address} is not valid." for address in addresses if address.count("@") != 1]
    if not isinstance(body.get("from"), dict) or "@" not in body["from"].get("email", ""):
        problems.append("from.email: required.")
    if not body.get("subject"):
        problems.append("subject: required.")
    content = body.get("content") or []
    if not content or any(not part.get("value") or not part.get("type") for part in content):
        problems.append("content: required.")
    kinds = [part.get("type") for part in content]
    if kinds != sorted(kinds, key=["text/plain", "text/html"].index):
        problems.append("content: text/plain must be first, followed by text/html.")
    for name, value in (body.get("headers") or {}).items():
        if name.lower() in FORBIDDEN_HEADERS:
            problems.append(f"headers: {name} is reserved.")
        if not isinstance(value, str) or any(character in value for character in "\r\n\0"):
            problems.append(f"headers: {name} is not valid.")
    arguments = body.get("custom_args") or {}
    if any(not isinstance(value, str) for value in arguments.values()):
        problems.append("custom_args: must be strings.")
    if len(json.dumps(arguments)) > CUSTOM_ARGS_BYTES:
        problems.append("custom_args: at most 10,000 bytes.")
    if len(body.get("categories") or []) > 10:
        problems.append("categories: at most 10.")
    return problems


class FakeSendGrid:
    """What the server has seen and taken."""

    def __init__(self) -> None:
        self.accepted: list[dict[str, Any]] = []
        self.refused: list[tuple[int, list[str]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.open: set[socket.socket] = set()
        #: Whether the count of calls that are left goes down with each one until the reset.
        self.left: int | None = None
        self.overrun = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.delay_s = 0.0
        self.reset_after_s = 1
        self.stop_waiting = threading.Event()
        self.lock = threading.Lock()

    def hang_up_on_all(self) -> None:
        """Close every connection, as a server does with idle ones."""
        with self.lock:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def addresses(self) -> list[str]:
        """To whom messages were accepted, sorted."""
        with self.lock:
            return sorted(body["personalizations"][0]["to"][0]["email"] for body in self.accepted)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeSendGrid
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def setup(self) -> None:
        super().setup()
        with self.fake.lock:
            self.fake.connections += 1
            self.fake.open.add(self.connection)

    def finish(self) -> None:
        with self.fake.lock:
            self.fake.open.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        fake = self.fake
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        with fake.lock:
            fake.requests.append((self.path, dict(self.headers)))
            fake.in_flight += 1
            fake.most_in_flight = max(fake.most_in_flight, fake.in_flight)
        try:
            time.sleep(fake.delay_s)
            self._answer_mail(raw)
        finally:
            with fake.lock:
                fake.in_flight -= 1

    def _answer_mail(self, raw: bytes) -> None:
        fake = self.fake
        if self.path != "/v3/mail/send":
            return self._answer(404, ["not found"])
        if self.headers["Authorization"] != f"Bearer {API_KEY}":
            return self._answer(401, ["The provided authorization grant is invalid, expired, or revoked"])
        if len(raw) > MOST_BYTES:
            return self._answer(413, ["too large"])
        try:
            body = json.loads(raw)
        except ValueError:
            return self._answer(400, ["Bad Request"])
        if problems := problems_of(body):
            return self._answer(400, problems)
        local = body["personalizations"][0]["to"][0]["email"].partition("@")[0].rstrip("0123456789")
        status = body["personalizations"][0]["to"][0]["email"].partition("@")[0]
        if status[:1] == "e" and status[1:4].isdigit():
            return self._answer(int(status[1:4]), [f"told to answer {status[1:4]}"])
        with fake.lock:
            left = fake.left
            if left is not None:
                fake.left = max(0, left - 1)
                fake.overrun += left == 0
        if left == 0:
            return self._answer(429, ["too many requests"])
        if local == "slow":
            fake.stop_waiting.wait(10)
        with fake.lock:
            fake.accepted.append(body)
            number = len(fake.accepted)
        if local == "drop":
            self.close_connection = True
            self.connection.close()
            return None
        if local == "dribble":
            for byte in b"HTTP/1.1 202 Accepted\r\nX-Slow: " + b"x" * 200:
                self.wfile.write(bytes([byte]))
                if fake.stop_waiting.wait(0.05):
                    break
            self.close_connection = True
            return None
        remaining = "0" if local == "empty" else "599" if fake.left is None else str(fake.left)
        extra = {"Connection": "close"} if local == "last" else {}
        return self._answer(202, [], {"X-Message-Id": f"sg-{number}", "X-RateLimit-Remaining": remaining, **extra})

    def _answer(self, status: int, problems: list[str], headers: dict[str, str] | None = None) -> None:
        if status >= 400:
            with self.fake.lock:
                self.fake.refused.append((status, problems))
        body = json.dumps({"errors": [{"message": text} for text in problems]}).encode() if problems else b""
        self.send_response(status)
        reset = str(int(time.time()) + self.fake.reset_after_s)
        for name, value in {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def sendgrid_server(certificate: Path | None = None) -> Iterator[tuple[FakeSendGrid, str]]:
    """Run the fake, with TLS when there is a PEM with certificate and key; yields what it sees and its base URL."""
    fake = FakeSendGrid()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        scheme = "http" if certificate is None else "https"
        yield fake, f"{scheme}://localhost:{server.server_address[1]}"
    finally:
        fake.stop_waiting.set()
        server.shutdown()
        server.server_close()
