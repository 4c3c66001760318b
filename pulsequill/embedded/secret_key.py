"""The secret key of a local run: made once, kept beside the data it protects."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make(home: Path) -> str:
    """Return the key in `home/secret_key`, making it (mode 0600) on the first call; safe when two processes race."""
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".secret_key.{os.getpid()}"
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64), encoding="ascii")
        try:
            os.link(draft, path)  # fails when another process was first: its key wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
