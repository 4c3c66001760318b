"""Models whose last day is near: what people and operators are told before the router has to change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from aiwriter.gateway.catalog import Catalog, UnknownModel, load_catalog
from aiwriter.models import ModelPrice

NEAR = timedelta(days=60)


@dataclass(frozen=True)
class Ending:
    """One model in use that ends; `replacement` is empty when nothing takes over."""

    provider: str
    model: str
    role: str
    last_day: date
    replacement: str

    @property
    def needs_operator(self) -> bool:
        """Whether the router will have no model for this role of this family."""
        return not self.replacement


def list_endings(today: date) -> list[Ending]:
    """Return the models that the router uses by themselves and that end within `NEAR`, the nearest first.

    A model whose replacement has taken over already is not listed; one without a replacement stays until an operator
    names one.
    """
    catalog = load_catalog(today)
    names = ModelPrice.objects.exclude(role="").exclude(shutdown_date=None).values_list("model", flat=True)
    endings = []
    for name in sorted(set(names)):
        try:
            entry = catalog.get(name)
        except UnknownModel:  # its price is valid from a later day on
            continue
        replacement = _successor(catalog, entry.replacement)
        if entry.shutdown_date is None or entry.shutdown_date > today + NEAR:
            continue
        if today < entry.shutdown_date or not replacement:
            endings.append(Ending(entry.provider, name, entry.role, entry.shutdown_date, replacement))
    return sorted(endings, key=lambda ending: ending.last_day)


def _successor(catalog: Catalog, name: str) -> str:
    try:
        return catalog.serving(name).model
    except UnknownModel:
        return ""
