"""The lock files hold what pyproject.toml asks for, and say nothing about where to get it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIRED = PROJECT["project"]["dependencies"]
GROUPS = PROJECT["dependency-groups"]
TEST = GROUPS["test"]
DEV = [*(line for line in GROUPS["dev"] if isinstance(line, str)), *TEST]
CREW = PROJECT["project"]["optional-dependencies"]["crew"]
LOCKS = {
    "requirements.lock": REQUIRED,
    "requirements-dev.lock": [*REQUIRED, *DEV],
    "requirements-crew.lock": [*REQUIRED, *CREW],
    "requirements-test.lock": TEST,
}


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    pinned = pins(text)

    for line in LOCKS[name]:
        wanted = Requirement(line)
        package = re.sub(r"[-_.]+", "-", wanted.name.lower())
        assert package in pinned, f"{name} lacks {line}: compile it again, its first lines say how"
        assert wanted.specifier.contains(pinned[package]), (
            f"{name} has {package} {pinned[package]}, not {wanted.specifier}"
        )
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


def test_what_is_tested_beside_crewai_is_what_is_tested_elsewhere():
    crew, test, dev = (
        pins((ROOT / f"requirements-{name}.lock").read_text(encoding="utf-8")) for name in ("crew", "test", "dev")
    )

    assert {name: version for name, version in test.items() if dev.get(name) != version} == {}
    assert {name: (version, crew[name]) for name, version in test.items() if crew.get(name, version) != version} == {}
