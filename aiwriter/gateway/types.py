"""What goes into the gateway and what comes out: plain values, no provider types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel

Speaker = Literal["system", "user", "assistant"]
Complexity = Literal["low", "medium", "high"]


@lru_cache(maxsize=64)
def json_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema, to be read only; working it out takes milliseconds."""
    return schema.model_json_schema()


@dataclass(frozen=True)
class Message:
    """One turn. Texts are sent as they are: nothing is ever interpolated into them afterwards."""

    speaker: Speaker
    text: str


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, and whether the provider counted them or we estimated.

    `input_tokens` are all that were read; of them `cached_tokens` came from the provider's cache and `stored_tokens`
    were put into it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    stored_tokens: int = 0
    source: Literal["provider", "estimated", "none"] = "none"


@dataclass(frozen=True)
class LLMRequest:
    """One question to a model.

    Attributes:
        role: who asks, such as `writer`; stands in the audit row.
        task: which part of the work, such as `writer:A`; routing looks at the word before the colon.
        messages: what is said; a `prompts.messages.Conversation` may be shortened to what a model can take.
        schema: the shape of the answer; None means free text.
        max_output_tokens: the longest answer that is paid for.
        temperature: None leaves it to the model; dropped for models that do not take it.
        prompt_id, prompt_sha256: the version of the instructions, for the audit row.
        prefer_other_than: a provider to avoid if another is there (a critic should not judge its own family).
        deadline_s: for each call, and for the waiting before it.
        is_cacheable: the same question may get the same answer again; not so where people ask for another one.
    """

    role: str
    task: str
    messages: Sequence[Message]
    schema: type[BaseModel] | None = None
    max_output_tokens: int = 1500
    temperature: float | None = None
    complexity: Complexity = "medium"
    needs_brand_alignment: bool = False
    prompt_id: str = ""
    prompt_sha256: str = ""
    prefer_other_than: str = ""
    deadline_s: float = 60.0
    model: str = ""
    is_cacheable: bool = False

    def sha256(self) -> str:
        """Return the digest of everything that decides the answer, so that a run which takes over finds it.

        It is the digest of the whole question: what is left out for a model, or said again to it, does not change it.
        """
        shape = {
            "task": self.task,
            "messages": [(message.speaker, message.text) for message in self.messages],
            "schema": json_schema(self.schema) if self.schema else None,
            "max": self.max_output_tokens,
            "temperature": self.temperature,
            "model": self.model,
        }
        return hashlib.sha256(json.dumps(shape, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Delta:
    """A piece of the answer as it arrives; `text` is everything so far."""

    text: str


@dataclass(frozen=True)
class LLMResult:
    """A complete answer."""

    text: str
    parsed: BaseModel | None
    provider: str
    model: str
    usage: Usage
    cost_micro_usd: int
    finish_reason: str
    fallback_from: str = ""
    is_reused: bool = False


@dataclass
class Chunk:
    """What one read from a provider's stream brought."""

    text: str = ""
    usage: Usage | None = None
    finish_reason: str = ""
    model: str = ""
    request_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
