"""Which goals a test may count. Goals belong to a later app, which tells this one where they are read."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

GoalSource = Callable[[UUID], dict[str, str]]
_sources: list[GoalSource] = []


def register_goals(source: GoalSource) -> None:
    """Let a later app say which goals there are (called in its `AppConfig.ready`).

    Args:
        source: workspace id -> the goals' names by key.
    """
    if source not in _sources:
        _sources.append(source)


def known_goals(workspace_id: UUID) -> dict[str, str]:
    """Return the names of a workspace's goals by key."""
    return {key: name for source in _sources for key, name in source(workspace_id).items()}
