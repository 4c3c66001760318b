"""Making a conversation fit the model that is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.tokens import estimate_messages
from aiwriter.gateway.types import Message
from aiwriter.prompts.messages import Conversation

#: What can be left out is left out from here on, however much a model takes: some cost five times as much from 100,000.
LONGEST_PROMPT = 60_000


@dataclass(frozen=True)
class Fitted:
    """Messages that a model can take, and what was left out of them for it."""

    messages: tuple[Message, ...]
    input_tokens: int
    left_out: Mapping[str, int]


def fit(
    messages: Sequence[Message],
    *,
    entry: ModelEntry,
    output_tokens: int,
    schema_text: str = "",
    added: Sequence[Message] = (),
) -> Fitted:
    """Return the messages as this model can take them.

    Args:
        messages: a `Conversation`, which can be shortened, or messages that have to stay as they are.
        output_tokens: the room that the answer needs in the model's context.
        schema_text: of the asked-for shape; it is read as well.
        added: turns after them, such as the request to mend an answer; they stay.

    Raises:
        GatewayError: `context_overflow`, what has to be said is too long for this model.
    """

    def size(turns: Sequence[Message]) -> int:
        return estimate_messages((*turns, *added), entry.provider, schema_text=schema_text)

    room = entry.context_tokens - output_tokens
    left_out: Mapping[str, int] = {}
    if isinstance(messages, Conversation):
        messages = messages.shortened(lambda turns: size(turns) <= min(room, LONGEST_PROMPT))
        left_out = messages.left_out
    tokens = size(messages)
    if tokens > room:
        raise GatewayError("context_overflow")
    return Fitted((*messages, *added), tokens, left_out)
