"""CrewAI, imported so that it talks to nobody and leaves nothing behind. Import it from here and from nowhere else.

As it comes, importing it resolves a telemetry host, takes over SIGTERM, SIGINT and SIGHUP (which breaks the warm
shutdown of a Celery worker) and writes a key into the account's home; a crew keeps its outputs in a SQLite file, and
locks that over the Valkey which REDIS_URL names, or with a file that stays in the temporary folder.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import Never

#: Read when CrewAI is imported.
SILENCE = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "OTEL_SDK_DISABLED": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
}
STORAGE = "CREWAI_STORAGE_DIR"
_storage_lock = threading.Lock()


@contextmanager
def storage_in(folder: str) -> Iterator[None]:
    """Let what is made inside keep its files in `folder`.

    CrewAI asks the environment when a crew is made, and the environment belongs to all threads: they take turns.
    """
    with _storage_lock:
        os.environ[STORAGE] = folder
        try:
            yield
        finally:
            os.environ.pop(STORAGE)


os.environ.update(SILENCE)
with TemporaryDirectory(prefix="pulsequill-crewai-") as _folder, storage_in(_folder):
    from crewai_core import lock_store as _lock_store
    from crewai_core.auth import token as _token

    def _nobody_is_signed_in() -> Never:
        raise _token.AuthError("PulseQuill has no account at CrewAI")

    # Asking for the account's token makes a key in its home, while nothing here has or wants an account.
    _token.get_auth_token = _nobody_is_signed_in

    # Every crew has its folder to itself, so there is nobody to lock out.
    _lock_store.set_lock_backend(lambda _name, **_timeout: nullcontext())

    from crewai import Agent, Crew, Process, Task
    from crewai.llms.base_llm import BaseLLM

__all__ = ["Agent", "BaseLLM", "Crew", "Process", "Task", "storage_in"]
