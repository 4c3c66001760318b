"""Scripted answers of a model for every golden brief, so that the whole AI path runs without a provider.

For each brief `answers.json` has three good drafts and one fault. The writer of the first angle makes the fault; the
editor takes it out, or, where the brief is hostile, insists on it: then the draft has to end up blocked. Some writers
answer in a wrong shape first. What is proved is the path (team, checks, repair, gateway), never a model.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiwriter.evals.golden_briefs import GoldenBrief

_PATH = Path(__file__).parent / "answers.json"
_DATA = re.compile(r"DATA-\w+\n(.*)\nDATA-", re.DOTALL)
PIECES = 6
WRONG_SHAPE = '{"subject": 7}'


@cache
def scripted() -> dict[str, Any]:
    """Return the script by the name of the brief."""
    answers: dict[str, Any] = json.loads(_PATH.read_text("utf-8"))
    return answers


@dataclass
class Playback:
    """The scripted model at work on one brief, and what it was asked."""

    golden: GoldenBrief
    told_to_mend: list[str] = field(default_factory=list)
    has_misshaped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def script(self) -> dict[str, Any]:
        """The answers for this brief."""
        found: dict[str, Any] = scripted()[self.golden.name]
        return found

    def answer(self, shape: frozenset[str], conversation: str) -> str:
        """Return what the model says; `shape`, the properties of the answer that is asked for, tells the role."""
        found = _DATA.search(conversation)
        data: dict[str, Any] = json.loads(found[1]) if found else {}
        if shape == {"angles"}:
            labels = [f"Angle {number}" for number in range(1, 4)]
            return json.dumps({"angles": [{"label": each, "idea": f"{each}.", "facts": []} for each in labels]})
        if shape in ({"verdicts"}, {"reviews"}):
            seen = [{"position": each["position"], "problems": []} for each in data["drafts"]]
            return json.dumps({next(iter(shape)): seen})
        if "problems" in data:
            with self.lock:
                self.told_to_mend += data["problems"]
            return self._draft(0, is_faulty=self.script.get("is_stubborn", False))
        number = int(data["angle"]["label"].split()[-1]) - 1
        with self.lock:
            if number == 1 and self.script.get("wrong_shape") and not self.has_misshaped:
                self.has_misshaped = True
                return WRONG_SHAPE
        return self._draft(number, is_faulty=number == 0)

    def _draft(self, number: int, *, is_faulty: bool) -> str:
        draft = self.script["drafts"][number]
        body = f"{draft['body']}\n\n{self.script['fault']}" if is_faulty else draft["body"]
        texts = [("heading", draft["subject"], ""), ("text", body, "")]
        if url := self.golden.fields.get("cta_url"):
            texts.append(("button", self.golden.fields.get("cta_label") or draft["subject"], url))
        blocks = [{"type": kind, "text": text, "title": "", "url": link} for kind, text, link in texts]
        return json.dumps({"subject": draft["subject"], "preview_text": "", "blocks": blocks}, ensure_ascii=False)

    def problems(self, blocked: tuple[str, ...]) -> Iterator[str]:
        """Yield what went wrong on the way: the fault was not seen, or passed although the model insisted on it."""
        if not self.told_to_mend:
            yield "nobody found the fault"
        if self.script.get("wrong_shape") and not self.has_misshaped:
            yield "the wrong shape was never given"
        if self.script.get("is_stubborn") and self.script["code"] not in blocked:
            yield f"the fault passed: no {self.script['code']}"


class _Handler(BaseHTTPRequestHandler):
    """OpenAI's streamed chat completions."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    playback: Playback

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        schema = body["response_format"]["json_schema"]["schema"]
        said = "\n".join(str(message["content"]) for message in body["messages"])
        text = self.playback.answer(frozenset(schema["properties"]), said)
        step = -(-len(text) // PIECES)
        frames: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"content": text[at : at + step]}, "finish_reason": None}]}
            for at in range(0, len(text), step)
        ]
        frames.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        frames.append({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
        kept = {"id": "replay", "object": "chat.completion.chunk", "created": 1, "model": "replay"}
        lines = [f"data: {json.dumps({**kept, **frame})}\n\n" for frame in frames]
        answer = "".join([*lines, "data: [DONE]\n\n"]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def replaying(golden: GoldenBrief) -> Iterator[tuple[Playback, str]]:
    """Serve the scripted answers of one brief on this machine; yields the playback and the base URL for OpenAI."""
    playback = Playback(golden)
    handler = type("_BriefHandler", (_Handler,), {"playback": playback})
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield playback, f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
