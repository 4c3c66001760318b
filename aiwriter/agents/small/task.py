"""The shape of a small task: how it is asked, what comes of the answer, and what rules can do without a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from aiwriter.agents.contract import BriefData, VoiceData
from aiwriter.models import Generation


@dataclass(frozen=True)
class Asked:
    """What a small task works on; what was asked besides the brief stands in `generation.request`."""

    generation: Generation
    brief: BriefData
    voice: VoiceData

    @property
    def request(self) -> dict[str, Any]:
        """The request as it was stored."""
        return dict(self.generation.request)


@dataclass(frozen=True)
class SmallTask:
    """One kind of generation that is a single call.

    Attributes:
        prompt: the name of its prompt; also its task for routing.
        answer: the shape of the model's answer.
        data: what goes into the prompt.
        result: what is stored as the generation's result.
        by_rules: the same without a model; raises `NeedsModel` for what rules cannot do. None: a model is needed.
        is_short: a short text, which the small model writes.
        max_output_tokens: the longest answer that is paid for.
        is_cacheable: the same question may be answered from the cache.
        is_shown: the answer's `text` is shown while it grows.
        check: raises ValueError for an answer that has the shape and still cannot be; the model then gets one chance to
            mend it.
        keep: called in the transaction that ends the generation, to put the result where it belongs.
    """

    prompt: str
    answer: type[BaseModel]
    data: Callable[[Asked], dict[str, Any]]
    result: Callable[[Asked, Any], dict[str, Any]]
    by_rules: Callable[[Asked], dict[str, Any]] | None = None
    is_short: bool = False
    max_output_tokens: int = 1500
    is_cacheable: bool = True
    is_shown: bool = False
    keep: Callable[[Asked, dict[str, Any]], None] | None = None
    check: Callable[[Asked, Any], None] | None = None
