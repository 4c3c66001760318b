"""What the layers promise, beyond what import-linter can see."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from pulsequill.env import BASE_DIR, VARIABLES

#: Later first; each may know those behind it.
LAYERS = ("analytics", "campaigns", "audiences", "aiwriter", "accounts", "pulsequill")
HEAVY = ("openai", "anthropic", "langchain", "langchain_core", "langgraph", "crewai")


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders or LAYERS:
        for path in sorted((BASE_DIR / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(BASE_DIR), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def test_import_linter_holds() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_nobody_reaches_models_by_name() -> None:
    found = [f"{path}:{call.lineno}" for path, tree in sources() for name, call in calls(tree) if name == "get_model"]
    assert not found, "apps.get_model hides a dependency from import-linter"


def test_signals_carry_no_core_flow() -> None:
    allowed = {Path("pulsequill/celery.py")}  # Celery's own hook for logging
    found = [
        f"{path}:{call.lineno}"
        for path, tree in sources()
        if path not in allowed
        for name, call in calls(tree)
        if name in ("receiver", "Signal") or (name == "connect" and "signals" in ast.unparse(call.func))
    ]
    assert not found


@pytest.mark.parametrize("label", LAYERS[:-1])
def test_foreign_keys_follow_the_layers(label: str) -> None:
    may_know = set(LAYERS[LAYERS.index(label) :]) | {"auth", "contenttypes"}
    wrong = [
        f"{model.__name__}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model._meta.app_label not in may_know
    ]
    assert not wrong


def test_checking_the_project_does_not_load_the_ai_stack() -> None:
    code = (
        "import sys; from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'check']);"
        f"print('HEAVY', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pulsequill.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "HEAVY"


@pytest.mark.parametrize("document", ["README.md", ".env.example"])
def test_every_environment_variable_is_documented(document: str) -> None:
    text = (BASE_DIR / document).read_text(encoding="utf-8")
    missing = [variable.name for variable in VARIABLES if not re.search(rf"\b{variable.name}\b", text)]
    assert not missing


def test_the_environment_is_read_in_one_place() -> None:
    reads = re.compile(r"os\.(getenv\(|environ\.get\(|environ\[[^]]+\](?! *=))")
    found = [
        str(path)
        for path, _ in sources(*LAYERS[:-1], "pulsequill/core")
        if reads.search((BASE_DIR / path).read_text(encoding="utf-8"))
    ]
    assert not found


def test_no_file_has_a_name_that_says_nothing() -> None:
    nameless = {"utils.py", "helpers.py", "misc.py", "common.py"}
    assert not [str(path) for path, _ in sources() if path.name in nameless]


@pytest.mark.parametrize("label", LAYERS[:-1])
def test_every_app_explains_itself(label: str) -> None:
    readme = (BASE_DIR / label / "README.md").read_text(encoding="utf-8")
    assert "Decisions" in readme
