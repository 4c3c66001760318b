"""A stand-in for OpenAI and Anthropic on the wire: chat completions, messages and embeddings, streamed or not.

It is told what to answer by `script` (a queue of `Reply`, else `otherwise`), keeps every request body as it came, and
can misbehave in the ways that real providers do. Nagle is off and answers are buffered, or every call would cost 40 ms.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Why an answer ends, in the word of each provider.
FINISH = {
    "openai": {"": "stop", "truncated": "length", "refused": "content_filter"},
    "anthropic": {"": "end_turn", "truncated": "max_tokens", "refused": "refusal"},
}
HTML = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"


@dataclass
class Reply:
    """One answer.

    `finish`: why it ends; `truncated` and `refused` are said in the provider's own word.
    `fault`: html, empty_choices, reset, clean_eof, error_event, dribble, silent.
    """

    text: str = "{}"
    status: int = 200
    finish: str = ""
    fault: str = ""
    error_code: str = ""
    retry_after: str = ""
    input_tokens: int = 100
    output_tokens: int = 50
    cached_tokens: int = 0
    stored_tokens: int = 0
    pieces: int = 8
    gate: threading.Event | None = None


@dataclass
class Request:
    """What came in."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def provider(self) -> str:
        return "anthropic" if self.path.endswith("/messages") else "openai"

    @property
    def system(self) -> str:
        if self.provider == "anthropic":
            system = self.body.get("system", "")
            return system if isinstance(system, str) else " ".join(part["text"] for part in system)
        return " ".join(m["content"] for m in self.body["messages"] if m["role"] == "system")

    @property
    def schema_name(self) -> str:
        """The name of the asked-for schema; Anthropic's carries none, so its properties tell."""
        shape = self.body.get("response_format", {}).get("json_schema", {})
        return shape.get("name", "")

    @property
    def properties(self) -> set[str]:
        shape = self.body.get("response_format", {}).get("json_schema", {}).get("schema")
        shape = shape or self.body.get("output_config", {}).get("format", {}).get("schema") or self._said_shape
        return set(shape.get("properties", {}))

    @property
    def _said_shape(self) -> dict[str, Any]:
        """The schema that stands at the end of the instruction, where there is no parameter for it."""
        _, is_there, schema = self.system.rpartition("JSON schema:\n")
        return json.loads(schema) if is_there else {}


@dataclass
class LLMServer:
    """A running fake; use it as a context manager.

    With `own_model` it is like a small OpenAI-compatible server: knows that model only, looks at no key, heeds neither
    `response_format` nor `stream_options`, and counts no tokens.
    """

    own_model: str = ""
    script: deque[Reply] = field(default_factory=deque)
    otherwise: Callable[[Request], Reply] = lambda _request: Reply()
    requests: list[Request] = field(default_factory=list)
    disconnects: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> LLMServer:
        fake = self

        class Handler(_Handler):
            server_state = fake

        self._httpd = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._httpd.server_address[1]}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def next_reply(self, request: Request) -> Reply:
        with self.lock:
            self.requests.append(request)
            return self.script.popleft() if self.script else self.otherwise(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server_state: LLMServer

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        state = self.server_state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = Request(self.path, body, {k.lower(): v for k, v in self.headers.items()})
        with state.lock:
            state.in_flight += 1
            state.most_in_flight = max(state.most_in_flight, state.in_flight)
        try:
            if state.own_model and body["model"] != state.own_model:
                state.requests.append(request)
                self._send(404, {"error": {"message": f"model {body['model']!r} not found", "type": "api_error"}})
            elif self.path.endswith("/embeddings"):
                self._embeddings(request)
            else:
                self._answer(request, state.next_reply(request))
        except (BrokenPipeError, ConnectionResetError):
            state.disconnects += 1
            self.close_connection = True
        finally:
            with state.lock:
                state.in_flight -= 1

    # --- answers -------------------------------------------------------------------------------------------------
    def _answer(self, request: Request, reply: Reply) -> None:
        if reply.status != 200:
            self._send(reply.status, _error(request.provider, reply), retry_after=reply.retry_after)
        elif reply.fault == "html":
            self._send_bytes(200, HTML, "text/html")
        elif reply.fault == "silent":
            self._stay_silent(reply.gate or threading.Event())
            self.close_connection = True
        elif request.body.get("stream"):
            self._stream(request, reply)
        else:
            self._send(200, _whole(request, reply))

    def _stay_silent(self, gate: threading.Event) -> None:
        """Say nothing until the gate opens, five seconds are over or the caller has hung up."""
        end = time.monotonic() + 5
        while not gate.wait(0.02) and time.monotonic() < end:
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
                with self.server_state.lock:
                    self.server_state.disconnects += 1
                return

    def _embeddings(self, request: Request) -> None:
        self.server_state.requests.append(request)
        size = request.body.get("dimensions", 384)
        texts = request.body["input"]
        data = [
            {"object": "embedding", "index": i, "embedding": _vector(text, size)}
            for i, text in enumerate(texts if isinstance(texts, list) else [texts])
        ]
        usage = {"prompt_tokens": 5, "total_tokens": 5}
        self._send(200, {"object": "list", "data": data, "model": request.body["model"], "usage": usage})

    def _stream(self, request: Request, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if self.server_state.own_model:
            request = Request(request.path, {**request.body, "stream_options": {}}, request.headers)
        events = _openai_events if request.provider == "openai" else _anthropic_events
        for number, event in enumerate(events(request, reply)):
            if reply.fault == "dribble" and number:
                time.sleep(0.05)
            self.wfile.write(event)
            self.wfile.flush()
            if number == 3 and reply.gate is not None:
                reply.gate.wait(10)
            if number == 4 and reply.fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            if number == 4 and reply.fault == "clean_eof":
                return
            if number == 4 and reply.fault == "error_event":
                self.wfile.write(_error_event(request.provider, reply))
                return

    def _send(self, status: int, answer: dict[str, Any], *, retry_after: str = "") -> None:
        self._send_bytes(status, json.dumps(answer).encode(), "application/json", retry_after=retry_after)

    def _send_bytes(self, status: int, body: bytes, kind: str, *, retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _vector(text: str, size: int) -> list[float]:
    values = [0.0] * size
    for word in text.lower().split():
        values[sum(word.encode()) % size] += 1.0
    return values


def _pieces(reply: Reply) -> list[str]:
    step = max(1, -(-len(reply.text) // reply.pieces))
    return [reply.text[start : start + step] for start in range(0, len(reply.text), step)]


def _error(provider: str, reply: Reply) -> dict[str, Any]:
    code = reply.error_code or {429: "rate_limit_exceeded", 529: "overloaded_error"}.get(reply.status, "error")
    if provider == "anthropic":
        return {"type": "error", "error": {"type": code, "message": f"fake {reply.status}"}, "request_id": "req_fake"}
    return {"error": {"message": f"fake {reply.status}", "type": code, "code": code, "param": None}}


def _finish(provider: str, reply: Reply) -> str:
    return FINISH[provider].get(reply.finish, reply.finish)


def _error_event(provider: str, reply: Reply) -> bytes:
    """What a provider sends when it fails in the middle of a stream that began with status 200."""
    error = json.dumps(_error(provider, Reply(status=529, error_code=reply.error_code)))
    return f"event: error\ndata: {error}\n\n".encode() if provider == "anthropic" else f"data: {error}\n\n".encode()


def _whole(request: Request, reply: Reply) -> dict[str, Any]:
    model = request.body["model"]
    if request.provider == "anthropic":
        usage = _anthropic_usage(reply, reply.output_tokens)
        content = [{"type": "text", "text": reply.text}] if reply.text else []
        return {
            "id": "msg_fake", "type": "message", "role": "assistant", "model": model, "content": content,
            "stop_reason": _finish("anthropic", reply), "stop_sequence": None, "usage": usage,
        }  # fmt: skip
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choices = [{"index": 0, "message": message, "finish_reason": _finish("openai", reply), "logprobs": None}]
    return {
        "id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": model,
        "choices": [] if reply.fault == "empty_choices" else choices, "usage": _openai_usage(reply),
    }  # fmt: skip


def _openai_usage(reply: Reply) -> dict[str, Any]:
    """OpenAI counts cached tokens among the prompt's."""
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
    }


def _anthropic_usage(reply: Reply, output_tokens: int) -> dict[str, int]:
    """Anthropic counts tokens from and into its cache beside the input's."""
    return {
        "input_tokens": reply.input_tokens - reply.cached_tokens - reply.stored_tokens,
        "cache_read_input_tokens": reply.cached_tokens,
        "cache_creation_input_tokens": reply.stored_tokens,
        "output_tokens": output_tokens,
    }


def _openai_events(request: Request, reply: Reply) -> Any:
    def event(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
        body = {
            "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1,
            "model": f"{request.body['model']}-2026", "choices": choices, "usage": usage,
        }  # fmt: skip
        return f"data: {json.dumps(body)}\n\n".encode()

    def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}

    if reply.fault == "empty_choices":
        yield event([], _openai_usage(reply))
        yield b"data: [DONE]\n\n"
        return
    yield event([choice({"role": "assistant", "content": ""})])
    for piece in _pieces(reply):
        yield event([choice({"content": piece})])
    yield event([choice({}, _finish("openai", reply))])
    if request.body.get("stream_options", {}).get("include_usage"):
        yield event([], _openai_usage(reply))
    yield b"data: [DONE]\n\n"


def _anthropic_events(request: Request, reply: Reply) -> Any:
    def event(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    usage = _anthropic_usage(reply, 1)
    message = {
        "id": "msg_fake", "type": "message", "role": "assistant", "model": f"{request.body['model']}-2026",
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    yield event("message_start", message=message)
    if reply.fault != "empty_choices":
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for piece in _pieces(reply):
            yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        yield event("content_block_stop", index=0)
    final = _anthropic_usage(reply, reply.output_tokens)
    stop = {"stop_reason": _finish("anthropic", reply), "stop_sequence": None}
    yield event("message_delta", delta=stop, usage=final)
    yield event("message_stop")
