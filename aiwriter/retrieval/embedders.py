"""What turns text into vectors of 384 numbers. Vectors of two embedders are never compared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Protocol

from django.conf import settings

from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.embedding import EMBEDDING_MODEL, embed_texts
from aiwriter.gateway.keys import providers_for
from aiwriter.gateway.router import OPENAI
from aiwriter.models.embedding import DIMENSIONS

_WORD = re.compile(r"[^\W_]+")


class UnknownEmbedder(ValueError):
    """EMBEDDER names something that does not exist, or that has no key."""


class Embedder(Protocol):
    """Turns texts into unit vectors of `DIMENSIONS` numbers."""

    id: str
    label: str

    def embed(self, texts: Sequence[str], *, workspace_id: Any, generation_id: Any) -> list[list[float]]:
        """Return one vector for each text; the work is booked on the generation.

        Raises:
            GatewayError: a provider was asked and did not answer.
        """
        ...


class LexicalEmbedder:
    """Keyword similarity without a model: words, word pairs and letter groups hashed into 384 signed buckets.

    Feature hashing after Weinberger et al. (2009): the sign keeps collisions from adding up.
    """

    id = "lexical:v1"
    label = "keyword similarity"

    def embed(self, texts: Sequence[str], *, workspace_id: Any, generation_id: Any) -> list[list[float]]:  # noqa: ARG002
        """Return the vectors; costs nothing and asks nobody."""
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * DIMENSIONS
        for feature, weight in self._features(text.lower()):
            digest = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "big")
            vector[digest % DIMENSIONS] += weight if digest >> 63 else -weight
        length = math.sqrt(sum(value * value for value in vector))
        if length == 0:
            vector[0] = length = 1.0
        return [value / length for value in vector]

    @staticmethod
    def _features(text: str) -> Iterator[tuple[str, float]]:
        words = _WORD.findall(text)
        for word in words:
            yield f"w:{word}", 1.0
            padded = f"^{word}$"
            for size in (3, 4):
                for start in range(len(padded) - size + 1):
                    yield f"g:{padded[start : start + size]}", 0.4
        for first, second in pairwise(words):
            yield f"b:{first} {second}", 0.7


class OpenAIEmbedder:
    """OpenAI's small embedding model, asked for 384 dimensions."""

    id = f"openai:{EMBEDDING_MODEL}@{DIMENSIONS}"
    label = "meaning"

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config

    def embed(self, texts: Sequence[str], *, workspace_id: Any, generation_id: Any) -> list[list[float]]:
        """Return the provider's vectors."""
        return embed_texts(
            texts,
            dimensions=DIMENSIONS,
            config=self._config,
            workspace_id=workspace_id,
            generation_id=generation_id,
        )


def choose_embedder(workspace_id: Any) -> Embedder:
    """Return the embedder that EMBEDDER names, or the best that a workspace can use.

    Raises:
        UnknownEmbedder: there is none of that name.
    """
    openai = providers_for(workspace_id).get(OPENAI)
    wanted = settings.EMBEDDER or ("openai" if openai else "lexical")
    if wanted == "lexical":
        return LexicalEmbedder()
    if wanted == "openai" and openai:
        return OpenAIEmbedder(openai)
    raise UnknownEmbedder(f"EMBEDDER={wanted}: use lexical, or openai with a key of OpenAI.")
