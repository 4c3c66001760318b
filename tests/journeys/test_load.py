"""`make load` in its short form: every script runs against a real instance and nothing fails."""

from __future__ import annotations

import subprocess
import sys

from tests.instance import ROOT, Instance, command_environment


def test_the_load_scripts_run_without_a_failure(instance: Instance) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.load", "--short", "--url", instance.url],
        cwd=ROOT,
        env=command_environment(instance.home, 0, LOG_LEVEL="ERROR"),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
