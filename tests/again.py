"""`python -m tests.again --at-most N …` runs pytest; a few tests that fail are run once more, by themselves.

What CPython's own runner calls `--rerun`. A suite of 7,000 tests on real services, browsers and clocks meets a stalled
machine now and then; a fault in PulseQuill fails both times. What failed at first is named at the end, never hidden.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from pytest import ExitCode

#: Where pytest keeps the names of the tests that failed, from the folder it runs in.
LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")


def run(arguments: list[str], *, at_most: int) -> int:
    """Run pytest, and once more what failed if that is at most so many tests; return the exit code that counts."""
    command = [sys.executable, "-m", "pytest", *arguments]
    code = subprocess.call([*command, "--cache-clear"])
    if code != ExitCode.TESTS_FAILED:
        return code
    failed = sorted(json.loads(LAST_FAILED.read_text(encoding="utf-8")))
    if len(failed) > at_most:
        print(f"{len(failed)} tests failed, more than the {at_most} that are run once more.", flush=True)
        return code
    print("Once more, by themselves:", *failed, sep="\n  ", flush=True)
    code = subprocess.call([*command, "-n0", "--last-failed", "--last-failed-no-failures", "none"])
    if code == ExitCode.OK:
        print("Failed at first and passed by themselves:", *failed, sep="\n  ", flush=True)
    return code


def main() -> int:
    """Take our own option off the arguments; the rest is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=False, allow_abbrev=False)
    parser.add_argument("--at-most", type=int, required=True)
    options, arguments = parser.parse_known_args()
    return run(arguments, at_most=options.at_most)


if __name__ == "__main__":
    sys.exit(main())
