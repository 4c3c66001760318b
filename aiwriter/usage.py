"""What the writer cost in a month and what became of its drafts: by prompt version, by model, by day.

Months and days are those of UTC, as the budget's are. The number of queries is the same for any history.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from aiwriter.models import Draft, GenerationStep
from aiwriter.models.generation_step import HAS_FAILED
from aiwriter.selectors import get_budget
from pulsequill.core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from accounts.models import Workspace

OFFLINE = "offline"
#: People took them, as they were or after edits.
ADOPTED = (Draft.Status.ACCEPTED, Draft.Status.EDITED)

#: For each version of a prompt: its own calls, and what became of the runs that it took part in. A run was "asked
#: again" when the same kind was asked for once more within an hour for the same campaign (without one: the same
#: brief), or when its request itself says that the first answer would not do.
_BY_PROMPT = """
WITH calls AS (
  SELECT prompt_id, prompt_sha256, generation_id, count(*) AS calls,
         count(*) FILTER (WHERE error_class NOT IN ('', 'under_way')) AS failed, sum(cost_micro_usd) AS cost
    FROM aiwriter_generationstep
   WHERE workspace_id = %(workspace)s AND created_at >= %(since)s AND created_at < %(until)s AND prompt_id <> ''
   GROUP BY prompt_id, prompt_sha256, generation_id
), runs AS (
  SELECT g.id, g.cost_micro_usd AS cost,
         g.request ->> 'instruction' IS NOT DISTINCT FROM 'another_try' OR EXISTS (
           SELECT 1 FROM aiwriter_generation later
            WHERE later.workspace_id = g.workspace_id AND later.kind = g.kind AND later.id <> g.id
              AND later.created_at > g.created_at AND later.created_at < g.created_at + interval '1 hour'
              AND CASE WHEN g.campaign_id IS NULL THEN later.campaign_id IS NULL AND later.brief_id = g.brief_id
                       ELSE later.campaign_id = g.campaign_id END) AS asked_again
    FROM aiwriter_generation g
   WHERE g.workspace_id = %(workspace)s AND g.id IN (SELECT generation_id FROM calls)
), drafts AS (
  SELECT generation_id, count(*) AS written, count(*) FILTER (WHERE status IN ('accepted', 'edited')) AS accepted,
         count(*) FILTER (WHERE status = 'rejected') AS rejected,
         sum(edit_distance) AS distance, count(edit_distance) AS measured
    FROM aiwriter_draft
   WHERE workspace_id = %(workspace)s AND generation_id IN (SELECT generation_id FROM calls)
   GROUP BY generation_id
)
SELECT c.prompt_id, c.prompt_sha256, sum(c.calls), sum(c.failed), sum(c.cost), count(*) AS generations,
       count(*) FILTER (WHERE r.asked_again), sum(r.cost), coalesce(sum(d.written), 0), coalesce(sum(d.accepted), 0),
       coalesce(sum(d.rejected), 0), sum(d.distance) / nullif(sum(d.measured), 0)
  FROM calls c JOIN runs r ON r.id = c.generation_id LEFT JOIN drafts d ON d.generation_id = c.generation_id
 GROUP BY c.prompt_id, c.prompt_sha256
 ORDER BY sum(c.cost) DESC, c.prompt_id, c.prompt_sha256
"""


def parse_month(text: str) -> datetime:
    """Return the first moment of a month such as `2026-11`; empty is this month.

    Raises:
        Invalid: it is not a month, or one that has not begun.
    """
    now = timezone.now()
    this_month = datetime(now.year, now.month, 1, tzinfo=UTC)
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC) if text else this_month
    except ValueError:
        month = None
    if month is None or month > this_month or month.year < 2000:
        detail = "A month that has begun, such as 2026-11."
        raise Invalid(detail, errors=[FieldError("month", "not_a_month", detail)])
    return month


def next_month(month: datetime) -> datetime:
    """Return the first moment of the month after."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def share(part: int, whole: int) -> float | None:
    """Return a share of 1; None when there is nothing to share."""
    return round(part / whole, 4) if whole else None


def get_usage(workspace: Workspace, *, month: datetime | None = None) -> dict[str, Any]:
    """Return a month's use: money against the budget, calls, tokens, and what people did with the drafts.

    Args:
        month: its first moment, from `parse_month`; None is this month. Older months are held against today's budget.
    """
    since = month or parse_month("")
    until = next_month(since)
    budget = get_budget(workspace)
    steps = GenerationStep.objects.for_workspace(workspace).filter(created_at__gte=since, created_at__lt=until)
    paid = steps.exclude(provider=OFFLINE)
    totals = paid.aggregate(
        calls=Count("pk"),
        failed=Count("pk", filter=HAS_FAILED),
        cached=Count("pk", filter=Q(is_cache_hit=True)),
        cost=Sum("cost_micro_usd"),
        input_tokens=Sum("input_tokens"),
        output_tokens=Sum("output_tokens"),
    )
    drafts = Draft.objects.for_workspace(workspace).filter(created_at__gte=since, created_at__lt=until)
    decided = drafts.aggregate(
        written=Count("pk"),
        accepted=Count("pk", filter=Q(status__in=ADOPTED)),
        edited=Count("pk", filter=Q(status=Draft.Status.EDITED)),
        rejected=Count("pk", filter=Q(status=Draft.Status.REJECTED)),
        ai_accepted=Count("pk", filter=Q(status__in=ADOPTED, is_ai_generated=True)),
    )
    spent, cap = totals["cost"] or 0, budget.monthly_cap_micro_usd
    return {
        "month": since.date().isoformat()[:7],
        "spent_micro_usd": spent,
        "cap_micro_usd": cap,
        "warn_percent": budget.warn_percent,
        "is_warning": cap > 0 and spent * 100 >= cap * budget.warn_percent,
        "is_exceeded": spent >= cap,
        "calls": totals["calls"],
        "failed_calls": totals["failed"],
        "cached_calls": totals["cached"],
        "input_tokens": totals["input_tokens"] or 0,
        "output_tokens": totals["output_tokens"] or 0,
        "drafts_written": decided["written"],
        "drafts_accepted": decided["accepted"],
        "drafts_edited": decided["edited"],
        "drafts_rejected": decided["rejected"],
        "acceptance_rate": share(decided["accepted"], decided["written"]),
        "cost_per_accepted_micro_usd": spent // decided["ai_accepted"] if decided["ai_accepted"] else None,
        "by_model": _by_model(paid),
        "by_prompt": _by_prompt(workspace, since, until),
        "by_day": _by_day(paid, since),
    }


def first_month(workspace: Workspace) -> date | None:
    """Return the day of a workspace's first call; None when there was none."""
    first: datetime | None = GenerationStep.objects.for_workspace(workspace).aggregate(at=Min("created_at"))["at"]
    return first.date() if first else None


def _by_model(paid: Any) -> list[dict[str, Any]]:
    rows = (
        paid.values("provider", "model_requested")
        .annotate(
            calls=Count("pk"),
            failed_calls=Count("pk", filter=HAS_FAILED),
            input_tokens=Sum("input_tokens"),
            output_tokens=Sum("output_tokens"),
            cost_micro_usd=Sum("cost_micro_usd"),
        )
        .order_by("-cost_micro_usd", "model_requested")
    )
    return [{"model": row.pop("model_requested"), **row} for row in rows]


def _by_prompt(workspace: Workspace, since: datetime, until: datetime) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_PROMPT, {"workspace": workspace.pk, "since": since, "until": until})
        rows = cursor.fetchall()
    return [
        {
            "prompt": prompt,
            "sha256": sha256,
            "calls": int(calls),
            "failed_calls": int(failed),
            "cost_micro_usd": int(cost),
            "generations": generations,
            "regenerate_rate": share(asked_again, generations),
            "drafts_written": int(written),
            "drafts_accepted": int(accepted),
            "drafts_rejected": int(rejected),
            "acceptance_rate": share(int(accepted), int(written)),
            "mean_edit_distance": round(float(distance), 4) if distance is not None else None,
            "cost_per_accepted_micro_usd": int(runs_cost) // int(accepted) if accepted else None,
        }
        for prompt, sha256, calls, failed, cost, generations, asked_again, runs_cost, written, accepted, rejected,
        distance in rows
    ]  # fmt: skip


def _by_day(paid: Any, since: datetime) -> list[dict[str, Any]]:
    """Return every day of the month that has begun, days without a call too."""
    rows = (
        paid.annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values("day", "provider")
        .annotate(calls=Count("pk"), cost_micro_usd=Sum("cost_micro_usd"))
    )
    found: dict[date, dict[str, dict[str, int]]] = {}
    for row in rows:
        found.setdefault(row["day"], {})[row["provider"]] = row
    last = min(timezone.now().date(), since.replace(day=monthrange(since.year, since.month)[1]).date())
    days = [since.date().replace(day=number) for number in range(1, last.day + 1)]
    return [
        {
            "date": day.isoformat(),
            "calls": sum(row["calls"] for row in found.get(day, {}).values()),
            "cost_micro_usd": sum(row["cost_micro_usd"] for row in found.get(day, {}).values()),
            "by_provider": {name: row["cost_micro_usd"] for name, row in sorted(found.get(day, {}).items())},
        }
        for day in days
    ]
