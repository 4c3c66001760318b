"""One streamed call to a provider through LangChain's chat models; the SDKs are imported here, on first use.

What the SDKs would do behind our back is off: no retries, no hidden waiting for Retry-After, no default of the
longest possible answer. The answer's shape is asked for by JSON schema on the wire and parsed by the gateway,
because LangChain's own parsing throws the text and the usage away with the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.line import Line, read_ahead
from aiwriter.gateway.router import OPENAI
from aiwriter.gateway.types import Chunk, Message, Usage

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
    """How to reach one provider."""

    api_key: str
    base_url: str


def wire_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema in the dialect that both providers take."""

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

    return clean(schema.model_json_schema())  # type: ignore[no-any-return]


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
        schema=schema,
        limit=output_limit(entry, max_output_tokens),
        temperature=temperature if entry.accepts_temperature else None,
        read_timeout_s=read_timeout_s,
        line=line,
    )


def stream_chunks(model: Any, messages: Sequence[Message], line: Line) -> Iterator[Chunk | None]:
    """Call a model and yield what arrives, and None while nothing does. Closing it closes the connection.

    Raises:
        Exception: whatever the SDK raises; `errors.translate` knows what it means.
    """
    turns = [(message.speaker, message.text) for message in messages]
    return read_ahead(lambda: (_chunk(piece) for piece in model.stream(turns)), line)


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
    if schema is None:
        return model
    shape = {"name": schema.__name__, "schema": wire_schema(schema), "strict": True}
    return model.bind(extra_body={"response_format": {"type": "json_schema", "json_schema": shape}})


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


def _chunk(piece: AIMessageChunk) -> Chunk:
    metadata = piece.response_metadata or {}
    usage = None
    if counted := piece.usage_metadata:
        details = counted.get("input_token_details") or {}
        usage = Usage(
            input_tokens=counted.get("input_tokens") or 0,
            output_tokens=counted.get("output_tokens") or 0,
            cached_tokens=details.get("cache_read") or 0,
            source="provider",
        )
    return Chunk(
        text=piece.text,
        usage=usage,
        finish_reason=metadata.get("finish_reason") or metadata.get("stop_reason") or "",
        model=metadata.get("model_name") or metadata.get("model") or "",
        request_id=metadata.get("id") or piece.id or "",
    )
