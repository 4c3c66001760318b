"""The OpenAPI document: complete, valid and readable under the strict policy."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with GENERATOR_STATS.silence():
        return SchemaGenerator().get_schema(request=None, public=True)


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_it_is_a_valid_openapi_3_1_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_every_operation_has_an_id_of_its_own_a_tag_and_a_summary(document: dict[str, Any]) -> None:
    ids = Counter(operation["operationId"] for _, operation in operations(document))
    assert [name for name, count in ids.items() if count > 1] == []
    assert [name for name, operation in operations(document) if not operation.get("summary")] == []
    assert [name for name, operation in operations(document) if not operation.get("tags")] == []


def test_every_operation_shows_its_errors_as_problem_documents(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        answers = operation["responses"]
        assert "429" in answers, name
        assert "application/problem+json" in answers["400"]["content"], name
        if "{" in name:
            assert "404" in answers, name


def test_making_things_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    without = [
        name
        for name, operation in operations(document)
        if name.startswith("POST")
        and "201" in operation["responses"]
        and not any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
    ]
    assert without == ["POST /v1/ws-tickets"]  # a ticket is good once: there is nothing to replay


@pytest.mark.django_db
def test_swagger_works_without_an_inline_script() -> None:
    page = Client().get("/v1/docs")
    assert page.status_code == 200
    assert not re.findall(r"<script(?![^>]*src=)", page.content.decode())
    script = Client().get("/v1/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert Client().get("/v1/schema").status_code == 200
