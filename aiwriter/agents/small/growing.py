"""Showing a small answer while it is being written: frames `{type: "text", text}`, each with all of it so far."""

from __future__ import annotations

import time

from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.types import Delta, LLMRequest, LLMResult
from aiwriter.models import Generation
from aiwriter.streams import FrameWriter

#: No eye reads faster than this, and each frame costs a round trip to Valkey.
PAUSE_S = 0.08


def complete_growing(gateway: LLMGateway, request: LLMRequest, generation: Generation) -> LLMResult:
    """Return the whole answer; its field `text` is shown as it grows, unchecked.

    Raises:
        GatewayError: as `LLMGateway.complete`.
    """
    from langchain_core.utils.json import parse_partial_json  # with the AI stack, which is loaded by now

    emit = FrameWriter(generation.workspace_id, generation.pk)
    shown_at = 0.0
    for event in gateway.stream(request):
        if isinstance(event, LLMResult):
            return event
        if isinstance(event, Delta) and time.monotonic() - shown_at >= PAUSE_S:
            try:
                so_far = parse_partial_json(event.text)
            except ValueError:
                continue
            if isinstance(so_far, dict) and so_far.get("text"):
                shown_at = time.monotonic()
                emit({"type": "text", "text": str(so_far["text"])})
    raise GatewayError("provider_incomplete")
