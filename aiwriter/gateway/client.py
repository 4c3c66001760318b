"""One streamed call to a provider through LangChain's chat models; the SDKs are imported here, on first use.

What the SDKs would do behind our back is off: no retries, no hidden waiting for Retry-After, no default of the
longest possible answer. The answer's shape is asked for by JSON schema on the wire and parsed by the gateway,
because LangChain's own parsing throws the text and the usage away with the error.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.line import Line, read_ahead
from aiwriter.gateway.router import ANTHROPIC, OPENAI
from aiwriter.gateway.types import Chunk, Message, Usage, json_schema
from pulsequill.core.signing import derived_key

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk
    from pydantic import BaseModel

#: Room for thinking that a model does before it answers; it counts as output.
THINKING_TOKENS = 2000
#: JSON-schema words that one of the providers refuses; our own parsing still enforces them.
UNSUPPORTED_KEYWORDS = frozenset(
    {"maxLength", "minLength", "minItems", "maxItems", "pattern", "format", "title", "default", "minimum", "maximum"}
)


@dataclass(frozen=True)
class ProviderConfig:
    """How to reach one provider.

    Attributes:
        is_own_server: not OpenAI itself but a server that speaks its older dialect, such as Ollama.
    """

    api_key: str
    base_url: str
    is_own_server: bool = False

    @property
    def identity(self) -> str:
        """A name for this key at this address that gives the key away to nobody."""
        return hmac.new(derived_key("ai key"), f"{self.base_url}\n{self.api_key}".encode(), "sha256").hexdigest()[:16]


@lru_cache(maxsize=64)
def wire_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema in the dialect that both providers take; to be read only."""

    def clean(node: Any, *, are_names: bool = False) -> Any:
        if isinstance(node, list):
            return [clean(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {
            key: clean(value, are_names=not are_names and key in ("properties", "$defs"))
            for key, value in node.items()
            if are_names or key not in UNSUPPORTED_KEYWORDS
        }

    return clean(json_schema(schema))  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def schema_text(schema: type[BaseModel] | None) -> str:
    """Return the schema as the provider reads it, for counting and for saying it in words."""
    return json.dumps(wire_schema(schema)) if schema else ""


def output_limit(entry: ModelEntry, max_output_tokens: int) -> int:
    """Return the output tokens to pay for: the answer's, and the thinking's where the model thinks."""
    wanted = max_output_tokens + (THINKING_TOKENS if entry.thinks_by_default else 0)
    return min(wanted, entry.max_output_tokens)


def build_model(
    *,
    entry: ModelEntry,
    config: ProviderConfig,
    schema: type[BaseModel] | None,
    max_output_tokens: int,
    temperature: float | None,
    read_timeout_s: float,
    line: Line,
) -> Any:
    """Return a LangChain chat model that is ready to stream. The first call in a process imports the SDK (seconds)."""
    build = _openai_model if entry.provider == OPENAI else _anthropic_model
    return build(
        entry=entry,
        config=config,
        schema=schema if entry.has_structured_output else None,
        limit=output_limit(entry, max_output_tokens),
        temperature=temperature if entry.accepts_temperature else None,
        read_timeout_s=read_timeout_s,
        line=line,
    )


def stream_chunks(
    model: Any, messages: Sequence[Message], line: Line, *, entry: ModelEntry, schema: type[BaseModel] | None
) -> Iterator[Chunk | None]:
    """Call a model and yield what arrives, and None while nothing does. Closing it closes the connection.

    Raises:
        Exception: whatever the SDK raises; `errors.translate` knows what it means.
    """
    turns = [_turn(message, entry, schema) for message in messages]
    return read_ahead(lambda: (_chunk(piece) for piece in model.stream(turns)), line)


def _turn(message: Message, entry: ModelEntry, schema: type[BaseModel] | None) -> tuple[str, Any]:
    """Return a message as LangChain takes it.

    The instruction is the same in every call of a role, so Claude is asked to keep it; too short ones it ignores
    (https://docs.claude.com/en/docs/build-with-claude/prompt-caching). GPT keeps prefixes without being asked.
    """
    if message.speaker != "system":
        return message.speaker, message.text
    text = message.text
    if schema is not None and not entry.has_structured_output:
        text += f"\n\nAnswer with one JSON object of this JSON schema:\n{schema_text(schema)}"
    if entry.provider == ANTHROPIC:
        return "system", [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]
    return "system", text


def _openai_model(
    *,
    entry: ModelEntry,
    config: ProviderConfig,
    schema: type[BaseModel] | None,
    limit: int,
    temperature: float | None,
    read_timeout_s: float,
    line: Line,
) -> Any:
    from langchain_openai import ChatOpenAI
    from openai import DefaultHttpxClient

    options: dict[str, Any] = {"temperature": temperature} if temperature is not None else {}
    if entry.thinks_by_default:
        options["reasoning_effort"] = "low"
    extra: dict[str, Any] = {}
    if config.is_own_server:
        extra["max_tokens"] = limit  # Ollama and llama.cpp ignore max_completion_tokens (ollama issue 7125)
    if schema is not None:
        shape = {"name": schema.__name__, "schema": wire_schema(schema), "strict": True}
        extra["response_format"] = {"type": "json_schema", "json_schema": shape}
    model = ChatOpenAI(
        model=entry.model,
        api_key=config.api_key,  # type: ignore[arg-type]
        base_url=config.base_url,
        max_retries=0,
        timeout=read_timeout_s,
        max_tokens=limit,  # type: ignore[call-arg]
        stream_usage=True,  # LangChain drops it silently for every custom base URL
        use_responses_api=False,
        http_client=line.http_client(DefaultHttpxClient, timeout_s=read_timeout_s),
        **options,
    )
    return model.bind(extra_body=extra) if extra else model


def _anthropic_model(
    *,
    entry: ModelEntry,
    config: ProviderConfig,
    schema: type[BaseModel] | None,
    limit: int,
    temperature: float | None,
    read_timeout_s: float,
    line: Line,
) -> Any:
    from anthropic import Anthropic, DefaultHttpxClient
    from langchain_anthropic import ChatAnthropic

    options: dict[str, Any] = {"temperature": temperature} if temperature is not None else {}
    model = ChatAnthropic(
        model_name=entry.model,
        api_key=config.api_key,  # type: ignore[arg-type]
        base_url=config.base_url,
        max_retries=0,
        timeout=read_timeout_s,
        max_tokens_to_sample=limit,
        stop=None,
        **options,
    )
    # LangChain's class takes no HTTP client, so ours stands where its cached property would put the one it makes.
    http = line.http_client(DefaultHttpxClient, timeout_s=read_timeout_s)
    model.__dict__["_client"] = Anthropic(**model._client_params, http_client=http)
    output_config: dict[str, Any] = {"effort": "low"} if entry.thinks_by_default else {}
    if schema is not None:
        output_config["format"] = {"type": "json_schema", "schema": wire_schema(schema)}
    return model.bind(output_config=output_config) if output_config else model


def _stored(details: Mapping[str, Any]) -> int:
    """Return the tokens put into the provider's cache; LangChain moves them to their lifetime where it is told."""
    lifetimes = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    return sum(details.get(name) or 0 for name in lifetimes)


def _chunk(piece: AIMessageChunk) -> Chunk:
    metadata = piece.response_metadata or {}
    usage = None
    if counted := piece.usage_metadata:
        details = counted.get("input_token_details") or {}
        usage = Usage(
            input_tokens=counted.get("input_tokens") or 0,
            output_tokens=counted.get("output_tokens") or 0,
            cached_tokens=details.get("cache_read") or 0,
            stored_tokens=_stored(details),
            source="provider",
        )
    return Chunk(
        text=piece.text,
        usage=usage,
        finish_reason=metadata.get("finish_reason") or metadata.get("stop_reason") or "",
        model=metadata.get("model_name") or metadata.get("model") or "",
        request_id=metadata.get("id") or piece.id or "",
    )
