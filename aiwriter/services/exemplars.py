"""The workspace's memory: what worked is kept, found again, and forgotten when a person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import activity
from aiwriter.models import Exemplar
from aiwriter.retrieval.store import MOST_TEXT
from aiwriter.tasks import index_memory
from aiwriter.voice.cleaning import without_invisible
from pulsequill.core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: What a test may be won by.
METRICS = ("click_rate", "open_rate", "conversion_rate")


@transaction.atomic
def remember_winner(
    *,
    workspace: Workspace,
    campaign_id: UUID,
    title: str,
    text: str,
    metric: str,
    value: float,
    sample_size: int,
) -> Exemplar:
    """Keep the winner of a test as an exemplar; a campaign has one, and telling it again brings it up to date.

    Args:
        title: its subject.
        text: its words, as readers see them, a blank line between paragraphs.
        metric: one of `METRICS`.
        value: the winner's share, 0 to 1.
        sample_size: people whom the figure rests on.

    Raises:
        Invalid: a figure that cannot be, or no words.
    """
    if metric not in METRICS or not 0 <= value <= 1 or sample_size < 1:
        sentence = f"A winner needs one of {', '.join(METRICS)}, a share from 0 to 1, and people whom it rests on."
        raise Invalid(sentence, errors=[FieldError("metric", "not_a_result", sentence)])
    words = without_invisible(text).strip()[:MOST_TEXT]
    if not words:
        raise Invalid("There are no words to remember.", errors=[FieldError("text", "required", "No words.")])
    rows = Exemplar.objects.for_workspace(workspace).filter(origin=Exemplar.Origin.WINNER, campaign_id=campaign_id)
    exemplar = rows.select_for_update().first() or Exemplar(
        workspace=workspace, origin=Exemplar.Origin.WINNER, campaign_id=campaign_id
    )
    if exemplar.text != words and not exemplar._state.adding:
        exemplar.embeddings.all().delete()
        exemplar.passages.all().delete()
    exemplar.title, exemplar.text = without_invisible(title).strip()[:300] or words[:80], words
    exemplar.metric, exemplar.metric_value, exemplar.sample_size = metric, value, sample_size
    exemplar.save()
    index_memory.delay_on_commit(workspace_id=str(workspace.pk))
    return exemplar


@transaction.atomic
def forget_exemplar(*, exemplar: Exemplar, actor: User | None) -> None:
    """Forget an exemplar with its vectors; drafts that were written with it in mind stay."""
    activity.record(
        workspace=exemplar.workspace, kind="exemplar.deleted", summary=f"Forgot the example “{exemplar.title[:120]}”.",
        actor=actor, subject=exemplar,
    )  # fmt: skip
    exemplar.delete()


def refresh_memory(*, workspace: Workspace) -> None:
    """Have the ai worker bring the vectors up to date, such as after a change of the embedder."""
    index_memory.delay_on_commit(workspace_id=str(workspace.pk))
