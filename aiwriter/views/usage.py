"""`/ai/usage`: what the writer cost in a month and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.views.access import WorkspaceTemplatePage
from aiwriter.models.model_price import dollars
from aiwriter.models.provider_key import PROVIDER_NAMES
from aiwriter.usage import first_month, get_usage, next_month, parse_month
from pulsequill.core.charts import stacked_bars
from pulsequill.core.errors import Invalid, NotFound

#: Colours of the chart's series, by provider.
TONES = {"openai": "f-delivered", "anthropic": "f-human"}
OTHER_TONE = "f-machine"


class UsagePage(WorkspaceTemplatePage):
    """Money against the budget, calls by day, and how each version of each prompt does."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/usage.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather the month that `?month=` names; a fixed number of queries."""
        try:
            month = parse_month(self.request.GET.get("month", ""))
        except Invalid as error:
            raise NotFound from error
        usage = get_usage(self.workspace, month=month)
        left = max(0, usage["cap_micro_usd"] - usage["spent_micro_usd"])
        first = first_month(self.workspace)
        before = month - timedelta(days=1)
        return super().get_context_data(
            usage=usage,
            month=month,
            is_this_month=month == parse_month(""),
            earlier=f"{before:%Y-%m}" if first and first <= before.date() else "",
            later=f"{next_month(month):%Y-%m}" if month < parse_month("") else "",
            spent=dollars(usage["spent_micro_usd"]),
            cap=dollars(usage["cap_micro_usd"]),
            left=dollars(left),
            warns_at=dollars(usage["cap_micro_usd"] * usage["warn_percent"] // 100),
            tone="bad" if usage["is_exceeded"] else "warn" if usage["is_warning"] else "",
            cost_per_accepted=_money(usage["cost_per_accepted_micro_usd"]),
            prompts=[_with_words(row) for row in usage["by_prompt"]],
            models=[_with_words(row) for row in usage["by_model"]],
            days=[_with_words(row) for row in usage["by_day"] if row["calls"]],
            chart=_chart(usage["by_day"], month),
            **kwargs,
        )


def _money(micro_usd: int | None) -> str:
    return "–" if micro_usd is None else dollars(micro_usd)


def _with_words(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "cost": dollars(row["cost_micro_usd"]),
        "cost_per_accepted": _money(row.get("cost_per_accepted_micro_usd")),
    }


def _chart(days: list[dict[str, Any]], month: datetime) -> dict[str, Any] | None:
    """Return the month's columns with their colours and words; None when nothing was spent."""
    providers = sorted({name for day in days for name, cost in day["by_provider"].items() if cost}, key=_place)
    if not providers:
        return None
    length = (next_month(month) - month).days
    drawn = stacked_bars([day["by_provider"] for day in days], providers, steps=length)
    return {
        "bars": [(bar, TONES.get(bar.name, OTHER_TONE)) for bar in drawn.bars],
        "ticks": [dollars(tick) for tick in drawn.ticks],
        "axis": [f"{number} {month:%b}" for number in (1, 8, 15, 22, length)],
        "legend": [(PROVIDER_NAMES.get(name, name), TONES.get(name, OTHER_TONE)) for name in providers],
    }


def _place(provider: str) -> int:
    return list(TONES).index(provider) if provider in TONES else len(TONES)
