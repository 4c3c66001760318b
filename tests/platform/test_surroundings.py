"""Every reason not to start is one clear sentence with a way out."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from django.conf import settings

from pulsequill import surroundings
from pulsequill.embedded.addresses import postgres_url
from pulsequill.surroundings import Unfit
from tests.instance import ROOT, command_environment, free_port


def test_the_databases_of_this_test_run_pass() -> None:
    assert "with pgvector" in surroundings.check_database_url(postgres_url(settings.HOME))
    assert surroundings.check_redis_url(settings.REDIS_URL).startswith("Valkey")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@localhost/x", "not a PostgreSQL address"),
        ("postgresql://someone:hunter2@127.0.0.1:1/nothing", "Connection refused"),
        ("postgresql://someone:hunter2@127.0.0.1:notaport/x", "does not lead to a database"),
    ],
)
def test_a_broken_database_address_is_named_without_its_password(url: str, words: str) -> None:
    with pytest.raises(Unfit) as refusal:
        surroundings.check_database_url(url)
    assert words in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_wrong_password_is_named_without_being_told() -> None:
    url = postgres_url(settings.HOME).replace(":" + settings.DATABASES["default"]["PASSWORD"], ":wrong-word")
    with pytest.raises(Unfit, match="password authentication failed") as refusal:
        surroundings.check_database_url(url)
    assert "wrong-word" not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://localhost:6379", "redis://127.0.0.1:1"])
def test_a_broken_valkey_address_is_named(url: str) -> None:
    with pytest.raises(Unfit, match="REDIS_URL"):
        surroundings.check_redis_url(url)


def test_a_port_in_use_is_named_with_another_to_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unfit, match=f"Port {port} of 127.0.0.1 is in use .* PORT={port + 1} make run"):
            surroundings.check_port("127.0.0.1", port)
    assert surroundings.check_port("127.0.0.1", free_port())


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(100, 99, 1024))
    with pytest.raises(Unfit, match="is full: 0 MB are free and 512 MB are needed"):
        surroundings.check_disk(tmp_path)


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Unfit, match=r"cannot be written.*PULSEQUILL_HOME"):
        surroundings.check_home(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT='eighty' must be a whole number."),
        ({"EMAIL_PROVIDER": "pigeon"}, "EMAIL_PROVIDER='pigeon' must be one of capture, smtp, sendgrid."),
        ({"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}, "DATABASE_URL does not lead to a database"),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "REDIS_URL does not lead to a Valkey"),
    ],
)
def test_serve_refuses_a_wrong_environment_in_one_sentence(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**command_environment(tmp_path, free_port()), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.count("\n") == 1
