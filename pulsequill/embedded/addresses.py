"""Where the embedded services of a home folder are, running or not: all that settings need to know about them.

Apart from the services themselves, because every command reads the settings and only a few start a service.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pulsequill.embedded.ports import port_of

#: Name of the database and of its owner.
DATABASE = "pulsequill"


def postgres_url(home: Path) -> str:
    """Return the address of this home's database; its password is made on the first call."""
    return f"postgresql://{DATABASE}:{postgres_password(home)}@127.0.0.1:{port_of('postgres', home)}/{DATABASE}"


def valkey_url(home: Path) -> str:
    """Return the address of this home's Valkey."""
    return f"redis://127.0.0.1:{port_of('valkey', home)}"


def postgres_password(home: Path) -> str:
    """Return the database's password, making it (mode 0600) on the first call; safe when processes race."""
    path = home / "postgres.password"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f".postgres.password.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(24), encoding="ascii")
        try:
            os.link(draft, path)  # fails when another process was first: its password wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")
