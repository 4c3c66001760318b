"""Static files of a local run come from the source folders, as they are at the moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

#: The end of an answer looks whether a connection to the database has to be closed.
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings) -> Iterator[Path]:
    settings.STATICFILES_DIRS = [tmp_path]
    finders.get_finder.cache_clear()
    yield tmp_path
    finders.get_finder.cache_clear()


def nothing(_request: HttpRequest) -> HttpResponse:
    return HttpResponseNotFound()


def test_a_file_that_is_edited_made_or_removed_while_the_server_runs_is_served_as_it_is(folder: Path) -> None:
    (folder / "app.css").write_text("a{}")
    server = WhiteNoiseMiddleware(nothing)

    def get(name: str) -> tuple[int, bytes, str | None]:
        answer = server(RequestFactory().get(f"/static/{name}"))
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answer.close()
        return answer.status_code, body, answer.headers.get("Content-Length")

    assert get("app.css") == (200, b"a{}", "3")
    (folder / "app.css").write_text("a{color:red}")
    assert get("app.css") == (200, b"a{color:red}", "12")
    (folder / "new.js").write_text("1")
    assert get("new.js")[:2] == (200, b"1")
    (folder / "app.css").unlink()
    assert get("app.css")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "../settings.py",
        "%2e%2e/settings.py",
        "css/../../manage.py",
        "css\\..\\manage.py",
        "css",
        "a%00.css",
        "a" * 5000,
    ],
)
def test_nothing_else_is_served(folder: Path, path: str) -> None:
    (folder / "css").mkdir()
    assert WhiteNoiseMiddleware(nothing)(RequestFactory().get(f"/static/{path}")).status_code == 404
