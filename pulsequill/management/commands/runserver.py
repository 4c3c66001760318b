"""`manage.py runserver` by daphne, so that pages have their sockets while one works on them.

daphne is no installed app: with Twisted it would take a fifth of a second of the start of every other command.
"""

from __future__ import annotations

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
