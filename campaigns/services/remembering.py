"""What campaigns teach the writer: their texts as samples of the brand's voice, and the winners of their tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiwriter.models import BrandSample, Exemplar
from aiwriter.services.exemplars import remember_winner
from aiwriter.services.samples import MOST_AT_ONCE, add_sample
from campaigns.models import Campaign
from campaigns.selectors.texts import sent_campaigns, variant_source, variant_text
from pulsequill.core.errors import FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace


def sample_campaigns(*, workspace: Workspace, actor: User | None, chosen: Sequence[str]) -> list[BrandSample]:
    """Keep what sent campaigns said as samples of the brand's voice; a campaign that is too short is left out.

    Args:
        chosen: ids of campaigns.

    Raises:
        Invalid: none was chosen, too many, or none of them says enough.
    """
    if not 1 <= len(set(chosen)) <= MOST_AT_ONCE:
        text = f"Choose 1 to {MOST_AT_ONCE} campaigns."
        raise Invalid(text, errors=[FieldError("campaign", "out_of_range", text)])
    samples, refusal = [], None
    for campaign, variant in sent_campaigns(workspace, limit=1000):
        if str(campaign.pk) not in chosen:
            continue
        source, is_markup = variant_source(variant)
        try:
            sample = add_sample(
                workspace=workspace, actor=actor, text=source, title=variant.subject or campaign.name,
                source=BrandSample.Source.CAMPAIGN, is_html=is_markup, campaign_id=campaign.pk,
            )  # fmt: skip
        except Invalid as error:
            refusal = error
        else:
            samples.append(sample)
    if not samples:
        raise refusal or Invalid("These campaigns are not there, or were not sent.")
    return samples


def remember_campaign_winner(*, campaign: Campaign, metric: str, value: float, sample_size: int) -> Exemplar:
    """Tell the writer which variant won a test, and by what; whoever decides a test calls this.

    Raises:
        WrongState: no variant has won.
        Invalid: as `remember_winner`.
    """
    winner = campaign.variants.filter(is_winner=True).first()
    if winner is None:
        raise WrongState("No variant of this campaign has won.")
    return remember_winner(
        workspace=campaign.workspace, campaign_id=campaign.pk, title=winner.subject, text=variant_text(winner),
        metric=metric, value=value, sample_size=sample_size,
    )  # fmt: skip
