"""A plain program that uses `/v1`, as a developer's would."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import websockets


class ApiClient:
    """Signs up, then speaks JSON with a bearer token that it refreshes by itself."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = httpx.Client(base_url=base_url, timeout=30)
        self.access = self.refresh = ""

    def register(self, *, email: str, workspace_name: str) -> dict[str, Any]:
        """Make an account and a workspace; the client is signed in afterwards."""
        answer = self.http.post(
            "/v1/auth/register",
            json={
                "email": email,
                "password": "a good long password 42",
                "name": "Journey",
                "workspace_name": workspace_name,
            },
        )
        assert answer.status_code == 201, answer.text
        body = answer.json()
        self.access, self.refresh = body["access"], body["refresh"]
        return body

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; an expired access token is refreshed once."""
        answer = self._request(method, path, **options)
        if answer.status_code == 401 and self.refresh:
            pair = self.http.post("/v1/auth/token/refresh", json={"refresh": self.refresh}).json()
            self.access, self.refresh = pair["access"], pair["refresh"]
            answer = self._request(method, path, **options)
        return answer

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, **params: Any) -> Any:
        """GET and return the JSON of a 200."""
        answer = self.request("GET", path, params=params)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any = None, *, status: int = 201, **options: Any) -> Any:
        """POST JSON and return the JSON of the expected status."""
        answer = self.request("POST", path, json=body if body is not None else {}, **options)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def wait_for(self, path: str, is_done: Callable[[Any], bool], *, timeout_s: float = 60) -> Any:
        """Poll a resource until it is done.

        Raises:
            AssertionError: it was not done in time; carries its last state.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            state = self.get(path)
            if is_done(state):
                return state
            assert time.monotonic() < deadline, f"{path} did not finish: {state}"
            time.sleep(0.2)

    def frames(
        self, path: str, until: Callable[[dict[str, Any]], bool], *, timeout_s: float = 60
    ) -> list[dict[str, Any]]:
        """Listen to a socket until a frame satisfies `until`; return all frames heard.

        Raises:
            TimeoutError: no such frame came in time.
        """
        heard: list[dict[str, Any]] = []

        async def listen() -> None:
            url = self.base_url.replace("http", "ws", 1) + path
            async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {self.access}"}) as socket:
                async for text in socket:
                    heard.append(json.loads(text))
                    if until(heard[-1]):
                        return

        asyncio.run(asyncio.wait_for(listen(), timeout_s))
        return heard
