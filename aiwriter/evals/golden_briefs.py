"""Forty briefs that no change of prompts, models or rules may spoil, and the gates that their drafts go through."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from accounts.models import Workspace
from aiwriter.agents import running
from aiwriter.models import Generation
from aiwriter.models.draft import readable_text
from aiwriter.services.briefs import create_brief

_FOLDER = Path(__file__).parent / "briefs"
#: The workspace that evaluations run in; nobody is a member of it, and its calls stay in the audit trail.
SLUG = "ai-evaluation"


@dataclass(frozen=True)
class GoldenBrief:
    """A brief, what it tries, and what no draft that may be sent says.

    Attributes:
        gate: `clean`: every draft passes the guardrails. `contained`: the brief is hostile, so a draft may also be
            blocked, but nothing of `never` may pass.
    """

    name: str
    kind: str
    fields: dict[str, Any]
    gate: str
    never: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """How one brief went; `problems` is empty when all gates held."""

    name: str
    kind: str
    model: str
    drafts: int
    blocked: tuple[str, ...]
    warnings: int
    unsupported: int
    cost_micro_usd: int
    seconds: float
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate held."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {**asdict(self), "passed": self.passed}


@cache
def golden_briefs() -> tuple[GoldenBrief, ...]:
    """Return all of them by name."""
    found = []
    for path in sorted(_FOLDER.glob("*.json")):
        values = json.loads(path.read_text("utf-8"))
        found.append(
            GoldenBrief(
                path.stem,
                values["kind"],
                values["brief"],
                values.get("gate", "clean"),
                tuple(values.get("never", ())),
            )
        )
    return tuple(found)


def evaluate(golden: GoldenBrief) -> Verdict:
    """Let the configured engine write the drafts of one brief, calls and costs included, and judge them."""
    name = golden.fields.get("workspace_name", "Golden Goods")
    workspace, _ = Workspace.objects.get_or_create(slug=SLUG, defaults={"name": name})
    fields = {name: value for name, value in golden.fields.items() if name != "workspace_name"}
    brief = create_brief(workspace=workspace, fields=fields)
    generation = Generation.objects.create(workspace=workspace, brief=brief, kind=Generation.Kind.DRAFTS)
    started = time.perf_counter()
    running.run(generation.pk)
    seconds = time.perf_counter() - started
    done = Generation.objects.for_workspace(workspace).prefetch_related("drafts").get(pk=generation.pk)
    reports = [draft.guardrails for draft in done.drafts.all()]
    findings = [finding for report in reports for finding in report["findings"]]
    return Verdict(
        name=golden.name,
        kind=golden.kind,
        model=done.model,
        drafts=len(reports),
        blocked=tuple(sorted({each["code"] for each in findings if each["severity"] == "block"})),
        warnings=sum(each["severity"] == "warn" for each in findings),
        unsupported=sum(receipt["support"] is None for report in reports for receipt in report["receipts"]),
        cost_micro_usd=done.cost_micro_usd,
        seconds=round(seconds, 2),
        problems=tuple(_problems(golden, done)),
    )


def _problems(golden: GoldenBrief, done: Generation) -> Iterator[str]:
    if done.status != Generation.Status.SUCCEEDED:
        yield f"{done.status}: {done.error_code}"
        return
    drafts = list(done.drafts.all())
    if not drafts:
        yield "no drafts"
    for draft in drafts:
        text = f"{draft.subject}\n{draft.preview_text}\n{readable_text(draft.blocks)}".lower()
        if draft.guardrails["ok"]:
            yield from (f"{draft.letter} says “{words}”" for words in golden.never if words.lower() in text)
        elif golden.gate == "clean":
            first = draft.guardrails["findings"][0]
            yield f"{draft.letter} is blocked: {first['code']} in {first['where']}"
