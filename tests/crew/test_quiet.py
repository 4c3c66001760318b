"""CrewAI as PulseQuill imports it: no host, no signal handler, no file, no question to a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict[str, Any]:
    """What a process saw that let three teams write at once."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("home", "temporary", "here")}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "pulsequill.settings",
        "PYTHONPATH": str(PROJECT),
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["temporary"]),
        "REDIS_URL": "redis://valkey.invalid",  # set in production, and read by CrewAI too
    }
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.crew.quietly"],
        cwd=folders["here"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("seen:")]
    return {**json.loads(line[5:]), "printed": ended.stdout.replace(line, "")}


def test_nothing_loads_it_before_an_engine_is_needed(seen):
    assert seen["lean"]


def test_it_looks_no_host_up_and_connects_to_none(seen):
    assert seen["hosts"] == []


def test_signal_handlers_are_what_they_were_before_importing_and_after_running(seen):
    before, imported, ran = seen["handlers"]
    assert before == imported == ran


def test_every_crew_keeps_its_files_in_a_folder_of_its_own_that_is_deleted(seen):
    assert len(seen["storages"]) == len(set(seen["storages"])) == 3 * 3
    assert seen["left_storages"] == []
    assert seen["variable"] is None


def test_it_leaves_no_file_in_the_home_the_temporary_folder_or_the_working_folder(seen):
    assert (seen["home"], seen["temporary"], seen["here"]) == ([], [], [])


def test_teams_that_write_at_the_same_time_do_not_mix(seen):
    assert len(seen["subjects"]) == 3
    assert all(subjects == seen["subjects"][0] for subjects in seen["subjects"])
    assert [subject.partition(":")[0] for subject in seen["subjects"][0]] == ["The news", "Mended", "The people"]


def test_it_prints_nothing(seen):
    assert seen["printed"].strip() == ""
