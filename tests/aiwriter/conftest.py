"""The template writer's pauses are for the eye; tests do without."""

from __future__ import annotations

import pytest

from aiwriter.agents.offline import engine


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(engine.time, "sleep", lambda _seconds: None)
