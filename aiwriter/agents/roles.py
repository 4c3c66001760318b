"""Who is in the writing team: names, labels, shapes and lengths of their answers. Light enough for every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from aiwriter.agents.answers import BrandAnswer, CriticAnswer, StrategyAnswer, WriterAnswer


@dataclass(frozen=True)
class Role:
    """One member of the team. Its instructions are the prompt file of its name."""

    name: str
    label: str
    answer: type[BaseModel]
    #: The longest answer that is paid for, in tokens.
    output_tokens: int


ROLES: Mapping[str, Role] = {
    role.name: role
    for role in (
        Role("strategist", "Strategist", StrategyAnswer, 1200),
        Role("writer", "Writer", WriterAnswer, 2000),
        Role("brand_reviewer", "Brand reviewer", BrandAnswer, 1500),
        Role("critic", "Compliance critic", CriticAnswer, 1500),
        Role("editor", "Editor", WriterAnswer, 2000),
    )
}
