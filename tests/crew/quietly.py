"""A process of its own that imports CrewAI and lets it write, and prints what could be seen of it from outside.

Run by `test_quiet.py` with no standard input and an empty home.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
hosts: list[str] = []


def spied(name: str, where: Any, address_at: int) -> None:
    """Note every address that a function of the socket module is called with."""
    original = getattr(where, name)

    def spy(*args: Any, **kwargs: Any) -> Any:
        hosts.append(str(args[address_at]))
        return original(*args, **kwargs)

    setattr(where, name, spy)


def handlers() -> list[str]:
    return [str(signal.getsignal(number)) for number in SIGNALS]


def files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def main() -> None:
    import django

    django.setup()
    spied("getaddrinfo", socket, 0)
    spied("gethostbyname", socket, 0)
    seen: dict[str, Any] = {"lean": "crewai" not in sys.modules, "handlers": [handlers()]}

    from aiwriter.agents.crew_engine import CrewEngine

    seen["handlers"].append(handlers())
    spied("connect", socket.socket, 1)  # after the import: asyncio's own socket pairs are not addresses

    from aiwriter.agents import crew_engine
    from tests.aiwriter.engine_runs import BRIEF, VOICE
    from tests.crew.stand_in import StandIn

    storages: list[str] = []
    crew_class = crew_engine.Crew

    def crew(*args: Any, **kwargs: Any) -> Any:
        made = crew_class(*args, **kwargs)
        storages.append(str(Path(made._task_output_handler.storage.db_path).parent))
        return made

    crew_engine.Crew = crew
    packages: list[Any] = []

    def job() -> None:
        engine = CrewEngine(StandIn())  # type: ignore[arg-type]
        packages.append(
            engine.run(brief=BRIEF, voice=VOICE, exemplars=(), emit=lambda _frame: None, checkpoint=lambda: None)
        )

    jobs = [threading.Thread(target=job) for _ in range(3)]
    for thread in jobs:
        thread.start()
    for thread in jobs:
        thread.join()
    seen["handlers"].append(handlers())
    seen["hosts"] = hosts
    seen["subjects"] = [[draft.subject for draft in package.drafts] for package in packages]
    seen["storages"] = storages
    seen["left_storages"] = [storage for storage in storages if Path(storage).exists()]
    seen["home"] = files(os.environ["HOME"])
    seen["temporary"] = files(os.environ["TMPDIR"])
    seen["here"] = files(".")
    seen["variable"] = os.environ.get("CREWAI_STORAGE_DIR")
    print("seen:" + json.dumps(seen))


if __name__ == "__main__":
    main()
