"""Two lines about a finished campaign: by rules at once, by a model when somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from aiwriter.models import Generation
from aiwriter.services.insights import FAILED, ask_for_insight, can_ask_for_insight, find_insight
from analytics.selectors.insight import Facts, get_facts, is_finished
from campaigns.models import Campaign
from pulsequill.core.errors import WrongState


@dataclass(frozen=True)
class Insight:
    """What is shown.

    Attributes:
        lines: two sentences; a model's when there are some, else those of the rules.
        generation: the newest run of a model over these figures or earlier ones.
        is_current: the model's lines are about the figures as they are now.
        can_ask: a model can be asked.
    """

    facts: Facts
    lines: list[str]
    generation: Generation | None
    is_current: bool
    can_ask: bool

    @property
    def is_ai(self) -> bool:
        """Whether a model wrote the lines."""
        return self.generation is not None and self.generation.status == Generation.Status.SUCCEEDED

    @property
    def is_pending(self) -> bool:
        """Whether a model is writing."""
        return self.generation is not None and not self.generation.is_finished

    @property
    def problem(self) -> str:
        """Why a model's lines are not shown, if they were asked for."""
        if self.generation is None or self.generation.status not in FAILED:
            return ""
        if self.generation.error_code == "answer_invalid":
            return "The AI writer said more than the figures show."
        return self.generation.error_detail or "The AI writer could not sum it up."

    def as_json(self) -> dict[str, Any]:
        """Return it as `/v1` shows it."""
        return {
            "lines": self.lines,
            "origin": "ai" if self.is_ai else "rules",
            "ai_generated": self.is_ai,
            "model": self.generation.model if self.is_ai and self.generation else "",
            "status": "pending" if self.is_pending else "failed" if self.problem else "ready",
            "problem": self.problem,
            "is_current": self.is_current,
            "generation": str(self.generation.pk) if self.generation else None,
            **{name: self.facts[name] for name in ("figures", "derived", "comparisons")},
        }


def _of_finished(campaign: Campaign) -> None:
    if not is_finished(campaign):
        raise WrongState("A campaign is summed up once it has been sent.", status_now=campaign.status)


def get_insight(campaign: Campaign) -> Insight:
    """Return the two lines about a campaign.

    Raises:
        WrongState: it has not been sent.
    """
    _of_finished(campaign)
    facts, lines = get_facts(campaign)
    generation = find_insight(campaign.workspace, campaign.pk)
    is_current = generation is None or generation.request == facts
    if generation is not None and generation.status == Generation.Status.SUCCEEDED:
        lines = [str(line) for line in generation.result["lines"]]
    return Insight(facts, lines, generation, is_current, can_ask_for_insight(campaign.workspace))


def request_insight(*, campaign: Campaign, actor: User | None) -> Insight:
    """Ask a model for the two lines. For figures that it has summed up already, nothing is asked or paid again.

    Raises:
        WrongState: the campaign has not been sent.
        Unavailable: `ai_not_configured`.
        Blocked, Throttled: the budget is used up, or too much is asked at once.
    """
    _of_finished(campaign)
    facts, _lines = get_facts(campaign)
    ask_for_insight(workspace=campaign.workspace, actor=actor, campaign_id=campaign.pk, figures=dict(facts))
    return get_insight(campaign)
