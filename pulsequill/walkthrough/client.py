"""A plain program that uses `/v1`: the standard library for HTTP, `websockets` for the live frames."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

TIMEOUT_S = 30


class Failed(Exception):
    """The walk cannot go on; the message is a sentence for people."""


class _KeepRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_plain = build_opener(_KeepRedirects)


def fetch(
    url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Send one request, follow no redirect, and return status, headers and body.

    Raises:
        Failed: nobody answers there.
    """
    request = Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310 - http(s) of our instance
    try:
        with _plain.open(request, timeout=TIMEOUT_S) as answer:
            return _read(answer)
    except HTTPError as error:
        return _read(error)
    except (URLError, OSError) as error:
        raise Failed(f"Nobody answers at {url}. Is PulseQuill running? (make run)") from error


def _read(answer: HTTPResponse | HTTPError) -> tuple[int, Mapping[str, str], bytes]:
    return int(answer.status or 0), {name.lower(): text for name, text in answer.headers.items()}, answer.read()


class Client:
    """Speaks JSON to one instance, and refreshes its token by itself."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._access = self._refresh = ""

    def sign_up(self, *, workspace_name: str) -> dict[str, Any]:
        """Register a new account with a workspace of its own; it is signed in afterwards."""
        account = {
            "email": f"walk-{secrets.token_hex(4)}@example.com",
            "password": secrets.token_urlsafe(18),
            "name": "A walk through",
            "workspace_name": workspace_name,
        }
        answer: dict[str, Any] = self.post("/v1/auth/register", account)
        self._access, self._refresh = answer["access"], answer["refresh"]
        return answer

    def get(self, path: str, **params: Any) -> Any:
        """GET and return the JSON of the answer."""
        return self._call("GET", path + (f"?{urlencode(params)}" if params else ""))

    def post(self, path: str, body: Any = None) -> Any:
        """POST JSON and return the JSON of the answer."""
        return self._call("POST", path, json.dumps(body or {}).encode(), "application/json")

    def patch(self, path: str, body: Any) -> Any:
        """PATCH JSON and return the JSON of the answer."""
        return self._call("PATCH", path, json.dumps(body).encode(), "application/json")

    def upload(self, path: str, *, file_name: str, content: bytes, fields: Mapping[str, str]) -> Any:
        """POST a file as multipart form data (RFC 7578) and return the JSON of the answer."""
        edge = secrets.token_hex(16)
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
            for name, text in fields.items()
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        parts.append(head.encode() + b"Content-Type: text/csv\r\n\r\n" + content + b"\r\n")
        body = b"".join(parts) + f"--{edge}--\r\n".encode()
        return self._call("POST", path, body, f"multipart/form-data; boundary={edge}")

    def wait_for(self, path: str, is_done: Callable[[Any], bool], *, what: str, timeout_s: float = 90) -> Any:
        """Poll a resource until it is done, and return it.

        Raises:
            Failed: it was not done in time.
        """
        deadline = time.monotonic() + timeout_s
        while not is_done(state := self.get(path)):
            if time.monotonic() > deadline:
                raise Failed(f"{what} did not happen within {timeout_s:g} s.")
            time.sleep(0.2)
        return state

    def _call(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
        status, answer = self._send(method, path, body, kind)
        if status == 401 and self._refresh:
            pair = json.dumps({"refresh": self._refresh}).encode()
            status, answer = self._send("POST", "/v1/auth/token/refresh", pair, "application/json")
            if status == 200:
                self._access, self._refresh = answer["access"], answer["refresh"]
                status, answer = self._send(method, path, body, kind)
        if status >= 400:
            raise Failed(f"{method} {path} answered {status}: {json.dumps(answer)[:400]}")
        return answer

    def _send(self, method: str, path: str, body: bytes | None, kind: str) -> tuple[int, Any]:
        headers = {"Accept": "application/json"}
        if kind:
            headers["Content-Type"] = kind
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if self._access:
            headers["Authorization"] = f"Bearer {self._access}"
        status, _headers, answer = fetch(self.base_url + path, method=method, body=body, headers=headers)
        try:
            return status, json.loads(answer) if answer else None
        except ValueError:
            return status, answer.decode(errors="replace")

    def watch(self, path: str) -> Watcher:
        """Listen to a socket in the background."""
        return Watcher(self.base_url.replace("http", "ws", 1) + path, self._access)


class Watcher:
    """The frames of one socket, as they come in. Use it in a `with` block."""

    def __init__(self, url: str, access: str) -> None:
        self.frames: list[dict[str, Any]] = []
        self._socket = connect(url, additional_headers={"Authorization": f"Bearer {access}"}, open_timeout=TIMEOUT_S)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        try:
            for text in self._socket:
                self.frames.append(json.loads(text))
        except ConnectionClosed:
            return

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()
        self._thread.join(TIMEOUT_S)

    @property
    def totals(self) -> dict[str, Any]:
        """The newest absolute totals."""
        return next((frame["totals"] for frame in reversed(self.frames) if frame.get("type") == "totals"), {})

    def wait_for(self, is_done: Callable[[dict[str, Any]], bool], *, what: str, timeout_s: float = 60) -> None:
        """Wait until the newest totals are as wanted.

        Raises:
            Failed: they were not in time.
        """
        deadline = time.monotonic() + timeout_s
        while not (self.totals and is_done(self.totals)):
            if time.monotonic() > deadline:
                raise Failed(f"The live page did not show in time: {what}. It shows {self.totals or 'nothing'}.")
            time.sleep(0.1)
