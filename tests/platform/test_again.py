"""What `make test` does with a test that fails: once more, by itself, and nothing is hidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Each run of a test leaves a line, so that the next one knows how many there were.
TESTS = """
from pathlib import Path

def runs(name):
    with Path(name).open("a+") as file:
        file.write("run\\n")
        file.seek(0)
        return len(file.readlines())

def test_passes():
    assert runs("passes") == 1

def test_held_up():
    assert runs("held_up") == 2

def test_broken():
    assert runs("broken") == 0

def test_broken_too():
    assert runs("broken_too") == 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(TESTS)
    return tmp_path


def again(folder: Path, chosen: str) -> subprocess.CompletedProcess[str]:
    """Run the chosen tests of the folder, of which at most one may be run once more."""
    command = [sys.executable, "-m", "tests.again", "--at-most", "1", "-q", "-p", "no:django", "-k", chosen]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def runs(folder: Path, name: str) -> int:
    return len((folder / name).read_text().splitlines())


def test_what_the_machine_held_up_is_run_once_more_by_itself_and_named(folder: Path) -> None:
    answer = again(folder, "passes or held_up")
    assert answer.returncode == 0, answer.stdout
    assert "Failed at first and passed by themselves:\n  test_some.py::test_held_up" in answer.stdout
    assert (runs(folder, "passes"), runs(folder, "held_up")) == (1, 2)


def test_what_is_broken_fails_twice_and_the_run_with_it(folder: Path) -> None:
    answer = again(folder, "passes or (broken and not too)")
    assert answer.returncode == 1
    assert "passed by themselves" not in answer.stdout
    assert runs(folder, "broken") == 2


def test_more_failures_than_allowed_are_a_fault_at_once(folder: Path) -> None:
    answer = again(folder, "broken")
    assert answer.returncode == 1
    assert "2 tests failed, more than the 1" in answer.stdout
    assert (runs(folder, "broken"), runs(folder, "broken_too")) == (1, 1)


def test_a_run_that_could_not_start_is_no_failed_test(folder: Path) -> None:
    (folder / "test_some.py").write_text("import nothing_of_that_name")
    answer = again(folder, "passes")
    assert answer.returncode == pytest.ExitCode.INTERRUPTED
    assert "Once more" not in answer.stdout
