"""The app's configuration: makes sure that the model catalogue exists after every migration."""

from __future__ import annotations

import os
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

TRACING_OFF = {"LANGSMITH_TRACING": "false", "LANGSMITH_TRACING_V2": "false", "LANGCHAIN_TRACING_V2": "false"}


def _seed_model_prices(**_signal: Any) -> None:
    from aiwriter.gateway.catalog import seed_prices  # models are not loaded yet when this module is imported

    seed_prices()


class AIWriterConfig(AppConfig):
    """The AI writer."""

    name = "aiwriter"
    verbose_name = "AI writer"

    def ready(self) -> None:
        """Seed prices after `migrate`, as Django does with permissions; an edited row is never overwritten.

        LangChain would post every prompt to LangSmith when the environment asks for it: prompts stay here.
        """
        os.environ.update(TRACING_OFF)
        post_migrate.connect(_seed_model_prices, sender=self, dispatch_uid="aiwriter_seed_model_prices")
