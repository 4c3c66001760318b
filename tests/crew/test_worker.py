"""The AI worker as `make run` starts it, with CrewAI: it loads it, writes with it and still ends as Celery means to."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from pulsequill.walkthrough.client import Client
from tests.aiwriter import team
from tests.aiwriter.making import SENTENCE
from tests.fakes.llm_server import LLMServer
from tests.instance import running
from tests.waiting import wait_until

ENDED = ("succeeded", "failed", "blocked", "cancelled")


@pytest.mark.timeout(420)
def test_a_worker_writes_with_crewai_and_shuts_down_warmly(tmp_path: Path):
    home = tmp_path / "home"
    with LLMServer(otherwise=team.answer) as server:
        keys = {"OPENAI_API_KEY": "sk-test", "ANTHROPIC_API_KEY": "sk-test"}
        urls = {"OPENAI_BASE_URL": server.openai_url, "ANTHROPIC_BASE_URL": server.url}
        with running(home, AI_ENGINE="crewai", EMBEDDER="lexical", SEED_DEMO="0", **keys, **urls) as instance:
            client = Client(instance.url)
            client.sign_up(workspace_name="Northwind Coffee")
            asked = client.post("/v1/ai/drafts", {"goal": SENTENCE, "cta_url": team.LINK})

            def finished() -> dict[str, Any] | None:
                generation: dict[str, Any] = client.get(f"/v1/ai/drafts/{asked['id']}")
                return generation if generation["status"] in ENDED else None

            generation = wait_until(finished, timeout_s=120, what="the drafts")
            worker = instance.pid_of("ai")
            assert worker
            os.kill(worker, signal.SIGTERM)
            wait_until(lambda: not psutil.pid_exists(worker), timeout_s=30, what="the worker's end")
            log = (home / "logs" / "ai.log").read_text(encoding="utf-8")

    assert (generation["status"], generation["engine"]) == ("succeeded", "crewai"), generation
    assert [draft["angle"] for draft in generation["drafts"]] == list(team.LABELS)
    assert "Warm shutdown" in log
