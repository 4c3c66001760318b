"""The short form of `make chaos`: the sending engine under kill -9, a flushed broker and a restarted database."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.instance import NOT_INHERITED, ROOT


@pytest.mark.timeout(600)
def test_the_sending_engine_keeps_every_promise_under_fire() -> None:
    environment = {name: text for name, text in os.environ.items() if name not in NOT_INHERITED}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.sending"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-6000:]}"
    assert "Every promise was kept." in done.stdout
