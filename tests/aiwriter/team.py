"""A fake provider that plays every role of the writing team."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fakes.llm_server import Reply, Request

LINK = "https://northwind.example/harvest"
LABELS = ("The news", "The offer", "The people")


def data_of(request: Request) -> dict[str, Any]:
    """What the role was given, from between its delimiters."""
    text = request.body["messages"][-1]["content"]
    text = text if isinstance(text, str) else text[-1]["text"]
    return json.loads(re.search(r"DATA-\w+\n(.*)\nDATA-", text, re.DOTALL)[1])


def role_of(request: Request) -> str:
    """Which role asks: each wants a shape of its own."""
    if request.properties == {"angles"}:
        return "strategist"
    if request.properties == {"reviews"}:
        return "brand_reviewer"
    if request.properties == {"verdicts"}:
        return "critic"
    if request.properties == {"subject", "preview_text", "blocks"}:
        return "editor" if "problems" in data_of(request) else "writer"
    return {frozenset({"lines"}): "subject_lines", frozenset({"text"}): "rewrite"}[frozenset(request.properties)]


def block(kind: str, text: str = "", *, title: str = "", url: str = "") -> dict[str, str]:
    return {"type": kind, "text": text, "title": title, "url": url}


def draft(label: str, body: str = "") -> dict[str, Any]:
    greeting = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"
    body = body or "Our harvest roast is back, and shipping is free until Sunday. We are glad to have it again."
    return {
        "subject": f"{label}: the harvest roast is back",
        "preview_text": "Free shipping until Sunday.",
        "blocks": [
            block("heading", "The harvest roast is back"),
            block("text", f"{greeting}\n\n{body}\n\n- free shipping\n- until Sunday"),
            block("button", "See the roast", url=LINK),
        ],
    }


def answer(request: Request, *, bad_position: int | None = None) -> Reply:
    """Play the role; one writer may invent a discount, which the editor takes out."""
    role, data = role_of(request), data_of(request)
    if role == "strategist":
        angles = [{"label": label, "idea": f"Say it as {label}.", "facts": []} for label in LABELS]
        return Reply(json.dumps({"angles": angles}))
    if role == "writer":
        label = data["angle"]["label"]
        lie = (
            "Our harvest roast is back with 75% off for everyone today." if LABELS.index(label) == bad_position else ""
        )
        return Reply(json.dumps(draft(label, lie)), pieces=30)
    if role in ("brand_reviewer", "critic"):
        verdicts = [{"position": seen["position"], "problems": []} for seen in data["drafts"]]
        return Reply(json.dumps({"reviews" if role == "brand_reviewer" else "verdicts": verdicts}))
    if role == "editor":
        return Reply(json.dumps(draft("Mended")))
    if role == "subject_lines":
        lines = [{"subject": f"Line {i}", "preview_text": "More inside."} for i in range(data["count"])]
        return Reply(json.dumps({"lines": lines}))
    return Reply(json.dumps({"text": f"{data['text']} ({data['instruction']})"}))
