"""What similar subjects of the same sender did before: looked up, never predicted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiwriter.retrieval.embedders import LexicalEmbedder
from analytics.selectors.figures import count_by_variant, figures_of
from campaigns.models import Campaign, Variant

if TYPE_CHECKING:
    from accounts.models import Workspace

#: Rates of fewer deliveries are noise: with 50 of them one click more is two percent.
LEAST_DELIVERED = 50
#: So many different subjects must have been sent before "similar" means anything. A learned prediction would need
#: hundreds (Oracle asks for 300); this is a look-up with its n beside it.
FEWEST_SUBJECTS = 5
#: Cosine of the lexical vectors below which two lines have nothing to do with each other.
LEAST_SIMILARITY = 0.2
MOST_RESULTS = 5
MOST_COMPARED = 500
_TAG = re.compile(r"\{\{[^{}]*\}\}")


@dataclass
class _Sent:
    """One subject with all that its deliveries did, in however many campaigns."""

    subject: str
    campaign: Campaign
    at: datetime
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, counts: dict[str, int]) -> None:
        for name, value in counts.items():
            self.counts[name] = self.counts.get(name, 0) + value


def _words(subject: str) -> str:
    """Return a subject without its merge tags: whom it was for says nothing about what it said."""
    words = " ".join(_TAG.sub(" ", subject).split()).strip(" ,;:–—-")
    return words[:1].upper() + words[1:]


def _sent_subjects(workspace: Workspace) -> list[tuple[_Sent, dict[str, Any]]]:
    """Return every subject that reached enough people, newest first, with its figures."""
    variants = (
        Variant.objects.for_workspace(workspace)
        .filter(campaign__status=Campaign.Status.SENT, campaign__launched_at__isnull=False)
        .exclude(subject="")
        .select_related("campaign")
        .order_by("-campaign__launched_at")[:MOST_COMPARED]
    )
    rows = list(variants)
    counted = count_by_variant({variant.campaign_id for variant in rows})
    sent: dict[str, _Sent] = {}
    for variant in rows:
        launched_at = variant.campaign.launched_at
        if launched_at is None or not _words(variant.subject):
            continue
        one = sent.setdefault(
            _words(variant.subject).casefold(), _Sent(_words(variant.subject), variant.campaign, launched_at)
        )
        one.add(counted.get((variant.campaign_id, variant.pk), {}))
    with_figures = ((one, figures_of({"sent": one.counts.get("sent", 0)}, one.counts)) for one in sent.values())
    return [(one, figures) for one, figures in with_figures if figures["delivered"] >= LEAST_DELIVERED]


def find_similar_subjects(workspace: Workspace, subject: str) -> dict[str, Any]:
    """Return what subjects like this one did, most alike first.

    Alike means sharing words: the same in every workspace, asked of nobody and free.

    Returns:
        `is_enough` (whether there is enough to compare with), `compared` (how many subjects), `click_rate` (of all of
        them), `results` (each with its human click and open rate and `delivered`, its n) and a `note` for people.
    """
    sent = _sent_subjects(workspace)
    answer: dict[str, Any] = {
        "is_enough": len(sent) >= FEWEST_SUBJECTS, "compared": len(sent), "click_rate": None, "results": [],
    }  # fmt: skip
    if not answer["is_enough"]:
        answer["note"] = (
            f"Not enough data: {len(sent)} of the {FEWEST_SUBJECTS} sent subjects with at least {LEAST_DELIVERED} "
            "deliveries that a comparison needs."
        )
        return answer
    delivered = sum(figures["delivered"] for _one, figures in sent)
    answer["click_rate"] = round(sum(figures["unique_clicks"] for _one, figures in sent) / delivered, 6)
    texts = [_words(subject), *(one.subject for one, _figures in sent)]
    own, *others = LexicalEmbedder().embed([text.casefold() for text in texts], workspace_id=None, generation_id=None)
    near = [
        (sum(a * b for a, b in zip(own, other, strict=True)), one, figures)
        for other, (one, figures) in zip(others, sent, strict=True)
    ]
    near.sort(key=lambda each: each[0], reverse=True)
    answer["results"] = [
        {
            "subject": one.subject,
            "campaign": one.campaign.name,
            "campaign_id": str(one.campaign.pk),
            "sent_at": one.at,
            "similarity_percent": round(100 * min(1.0, likeness)),
            "delivered": figures["delivered"],
            "click_rate": figures["click_rate"],
            "open_rate": figures["open_rate"],
        }
        for likeness, one, figures in near[:MOST_RESULTS]
        if likeness >= LEAST_SIMILARITY
    ]
    usual = f"All {len(sent)} together: {answer['click_rate']:.1%} clicks, n = {delivered:,}."
    answer["note"] = (
        f"By shared words, people only, no prediction. Opens are less sure than clicks. {usual}"
        if answer["results"]
        else f"None of your {len(sent)} sent subjects is like this one. {usual}"
    )
    return answer
