"""`/v1/problems` explains every code that an answer may carry: the source is read, so that none can be forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from rest_framework import exceptions

import pulsequill.urls  # noqa: F401 - with it, every class of every view is loaded
from pulsequill.core.errors import DomainError
from pulsequill.core.rest.problems import _RENAMED, CODES

APPS = ("accounts", "aiwriter", "audiences", "campaigns", "analytics", "pulsequill")
#: Functions that make an answer from a code.
ANSWERS = {"problem", "problem_response", "_answer"}


def below(base: type) -> Iterator[type]:
    for one in base.__subclasses__():
        yield one
        yield from below(one)


DOMAIN = {one.__name__ for one in below(DomainError)}


def of_classes() -> set[str]:
    """Codes that stand in a class: of the domain's errors, and of DRF's that are its own or ours."""
    ours = (*APPS, exceptions.__name__)
    drf = {one.default_code for one in below(exceptions.APIException) if one.__module__.startswith(ours)}
    return {one.code for one in below(DomainError)} | {_RENAMED.get(code, code) for code in drf}


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def written_in(where: str, trees: dict[str, ast.Module]) -> Iterator[tuple[str, ast.expr]]:
    """The expressions that a module gives to an error or an answer as its code, each with where it stands."""
    tree = trees[where]
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}

    def surrounding(node: ast.AST, kind: type[ast.AST]) -> ast.AST | None:
        while node in parents and not isinstance(node, kind):
            node = parents[node]
        return node if isinstance(node, kind) else None

    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        is_own = name_of(node) == "__init__" and getattr(surrounding(node, ast.ClassDef), "name", "") in DOMAIN
        if not (is_own or name_of(node) in DOMAIN | ANSWERS):
            continue
        for code in (keyword.value for keyword in node.keywords if keyword.arg == "code"):
            maker = surrounding(node, ast.FunctionDef)
            if isinstance(code, ast.Name) and isinstance(maker, ast.FunctionDef):
                yield from given_to(maker, code.id, where, trees)
            else:
                yield f"{where}:{node.lineno}", code


def given_to(
    maker: ast.FunctionDef, parameter: str, where: str, trees: dict[str, ast.Module]
) -> Iterator[tuple[str, ast.expr]]:
    """What its callers give to a function that raises for them: those in its module, and those that import it."""
    names = [argument.arg for argument in maker.args.args if argument.arg != "self"]
    if parameter not in names:
        yield f"{where}:{maker.lineno}", ast.Name(parameter)
        return
    if default := dict(zip(names[::-1], maker.args.defaults[::-1], strict=False)).get(parameter):
        yield f"{where}:{maker.lineno}", default
    for place, tree in trees.items():
        if place != where and not imports(tree, where.removesuffix(".py").replace("/", "."), maker.name):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name_of(node) == maker.name:
                given = {**dict(zip(names, node.args, strict=False)), **{k.arg: k.value for k in node.keywords}}
                if parameter in given:
                    yield f"{place}:{node.lineno}", given[parameter]


def imports(tree: ast.Module, module: str, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == module and name in {alias.name for alias in node.names}
        for node in ast.walk(tree)
    )


@cache
def in_the_source() -> dict[str, str]:
    """Every code that the source names, with a place where it does."""
    root: Path = settings.BASE_DIR
    trees = {
        path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for app in APPS
        for path in sorted((root / app).rglob("*.py"))
    }
    found: dict[str, str] = {}
    for where in trees:
        if where == "pulsequill/core/rest/problems.py":
            continue  # hands on what others decided
        for place, code in written_in(where, trees):
            if isinstance(code, ast.Attribute) and code.attr == "code":
                continue  # of an error that is translated
            assert isinstance(code, ast.Constant), f"{place}: write the code as a literal, so that it can be found"
            found[str(code.value)] = place
    return found


def test_every_code_that_the_source_names_is_explained() -> None:
    places = {**dict.fromkeys(of_classes(), "a class"), **in_the_source()}
    missing = {code: place for code, place in places.items() if code not in CODES}
    assert not missing, "explain them in pulsequill.core.rest.problems.CODES"


def test_no_code_is_explained_that_nothing_answers_with() -> None:
    source = (settings.BASE_DIR / "pulsequill/core/rest/problems.py").read_text(encoding="utf-8")
    answered = {code for code in CODES if source.count(f'code="{code}"')}
    assert set(CODES) - of_classes() - set(in_the_source()) - answered == set()


@pytest.mark.parametrize("code", ["budget_exceeded", "ai_not_configured", "too_many_generations", "guardrails"])
def test_the_reading_finds_what_it_is_for(code: str) -> None:
    assert code in in_the_source()


def test_the_codes_are_served_to_whoever_follows_the_type_of_a_problem(client: Client) -> None:
    rows = client.get("/v1/problems").json()
    assert {row["code"]: row["meaning"] for row in rows} == CODES
    assert all(row["meaning"].endswith((".", "?")) for row in rows)
