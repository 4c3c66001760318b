"""The app's configuration: makes sure that the model catalogue exists after every migration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _seed_model_prices(**_signal: Any) -> None:
    from aiwriter.gateway.catalog import seed_prices  # models are not loaded yet when this module is imported

    seed_prices()


class AIWriterConfig(AppConfig):
    """The AI writer."""

    name = "aiwriter"
    verbose_name = "AI writer"

    def ready(self) -> None:
        """Seed prices after `migrate`, as Django does with permissions; an edited row is never overwritten."""
        post_migrate.connect(_seed_model_prices, sender=self, dispatch_uid="aiwriter_seed_model_prices")
