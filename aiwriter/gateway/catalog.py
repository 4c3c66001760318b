"""Which models there are, what they can do and what they cost: data of `ModelPrice`, read as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog
from django.conf import settings

from aiwriter.models import ModelPrice

logger = structlog.get_logger(__name__)

SEED_FILE = Path(__file__).with_name("model_prices.json")
#: Shipped rows are valid on every day that an installation can have.
SEED_DATE = date(2024, 1, 1)
MAX_REPLACEMENTS = 5
#: What a model that nobody has described is taken for: small, plain, and as dear as the dearest that is described.
UNDESCRIBED_CONTEXT_TOKENS = 8192
UNDESCRIBED_OUTPUT_TOKENS = 4096


@dataclass(frozen=True)
class ModelEntry:
    """One price row: what `ModelPrice` says, without the database. No `price_id`: no row says it, it is assumed."""

    price_id: int | None
    provider: str
    model: str
    role: str
    tier_from_tokens: int
    input_price: int
    output_price: int
    cached_input_price: int
    context_tokens: int
    max_output_tokens: int
    accepts_temperature: bool
    thinks_by_default: bool
    has_structured_output: bool
    shutdown_date: date | None
    replacement: str


class UnknownModel(LookupError):
    """The catalogue has no such model, or the model is shut down without a replacement."""


class Catalog:
    """The price rows that are valid on one day."""

    def __init__(self, entries: Iterable[ModelEntry], today: date, own_models: Mapping[str, str] | None = None) -> None:
        """
        Args:
            own_models: by provider, the one model that the operator's own server offers in every role.
        """
        self.today = today
        self._tiers: dict[str, list[ModelEntry]] = {}
        for entry in sorted(entries, key=lambda entry: entry.tier_from_tokens):
            self._tiers.setdefault(entry.model, []).append(entry)
        self._own = dict(own_models or {})
        for provider, model in self._own.items():
            if model not in self._tiers:
                self._tiers[model] = [self._undescribed(provider, model)]

    def _undescribed(self, provider: str, model: str) -> ModelEntry:
        known = [tiers[0] for tiers in self._tiers.values()]
        logger.warning("ai_model_without_price", model=model, provider=provider, assumed="the dearest known")
        return ModelEntry(
            price_id=None,
            provider=provider,
            model=model,
            role="",
            tier_from_tokens=0,
            input_price=max((entry.input_price for entry in known), default=0),
            output_price=max((entry.output_price for entry in known), default=0),
            cached_input_price=max((entry.input_price for entry in known), default=0),
            context_tokens=UNDESCRIBED_CONTEXT_TOKENS,
            max_output_tokens=UNDESCRIBED_OUTPUT_TOKENS,
            accepts_temperature=True,
            thinks_by_default=False,
            has_structured_output=False,
            shutdown_date=None,
            replacement="",
        )

    def get(self, model: str, *, input_tokens: int = 0) -> ModelEntry:
        """Return the row of `model` for a prompt of this length.

        Raises:
            UnknownModel: the catalogue does not know it.
        """
        tiers = self._tiers.get(model)
        if not tiers:
            raise UnknownModel(model)
        return max((t for t in tiers if t.tier_from_tokens <= input_tokens), key=lambda t: t.tier_from_tokens)

    def serving(self, model: str) -> ModelEntry:
        """Return the model that serves requests for `model` today: itself, or its replacement after its last day.

        Raises:
            UnknownModel: it, or the end of its chain of replacements, is not there.
        """
        for _ in range(MAX_REPLACEMENTS):
            entry = self.get(model)
            if entry.shutdown_date is None or self.today < entry.shutdown_date:
                return entry
            model = entry.replacement
        raise UnknownModel(model)

    def for_role(self, provider: str, role: str) -> ModelEntry | None:
        """Return the model that a provider's role is served by today, or None."""
        if model := self._own.get(provider):
            return self.serving(model)
        named = (tiers[0] for tiers in self._tiers.values() if tiers[0].provider == provider and tiers[0].role == role)
        for entry in named:
            try:
                return self.serving(entry.model)
            except UnknownModel:
                continue
        return None


def load_catalog(today: date) -> Catalog:
    """Read the catalogue of `today`: of each model and tier the newest row that is already valid."""
    rows = ModelPrice.objects.filter(valid_from__lte=today).order_by("model", "tier_from_tokens", "-valid_from")
    rows = rows.distinct("model", "tier_from_tokens")
    fields = [name for name in ModelEntry.__dataclass_fields__ if name != "price_id"]
    return Catalog(
        (ModelEntry(price_id=row.pk, **{name: getattr(row, name) for name in fields}) for row in rows),
        today,
        {"openai": settings.OPENAI_MODEL} if settings.OPENAI_MODEL else {},
    )


def seed_prices() -> int:
    """Add the shipped price rows that are missing and return how many; rows that exist are left alone."""
    rows = [ModelPrice(**{"valid_from": SEED_DATE, **row}) for row in json.loads(SEED_FILE.read_text(encoding="utf-8"))]
    known = ModelPrice.objects.count()
    ModelPrice.objects.bulk_create(rows, ignore_conflicts=True)
    return ModelPrice.objects.count() - known
