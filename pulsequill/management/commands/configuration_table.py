"""`manage.py configuration_table`: write the variables of `pulsequill/env.py` into the README and `.env.example`."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand

from pulsequill.env import BASE_DIR, example_file, markdown_table

_PLACE = re.compile(r"(<!-- configuration:[^\n]*-->\n).*?(<!-- /configuration -->)", re.DOTALL)


class Command(BaseCommand):
    """A test holds both files against the table, so this is run after each change of it."""

    help = "Write the configuration table into README.md and .env.example."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace what stands between the README's marks, and the whole example file."""
        readme = BASE_DIR / "README.md"
        text = readme.read_text(encoding="utf-8")
        readme.write_text(_PLACE.sub(lambda found: f"{found[1]}{markdown_table()}\n{found[2]}", text), encoding="utf-8")
        (BASE_DIR / ".env.example").write_text(example_file(), encoding="utf-8")
