"""The lock under which a draft is changed."""

from __future__ import annotations

from campaigns.lifecycle import EDITABLE
from campaigns.models import Campaign
from pulsequill.core.errors import NotFound, WrongState
from pulsequill.core.rest.etags import Stale


def lock_for_edit(campaign: Campaign, expected_revision: int | None) -> Campaign:
    """Return the campaign's row, locked until the transaction ends.

    Raises:
        WrongState: it is not a draft any more.
        Stale: somebody else changed it since `expected_revision`.
        NotFound: it was deleted meanwhile.
    """
    row = (
        Campaign.objects.for_workspace(campaign.workspace_id)
        .select_for_update(of=("self",))
        .filter(pk=campaign.pk)
        .first()
    )
    if row is None:
        raise NotFound
    if row.status not in EDITABLE:
        raise WrongState(
            f"A campaign that is {row.get_status_display().lower()} cannot be edited.", status_now=row.status
        )
    if expected_revision is not None and row.revision != expected_revision:
        raise Stale("Somebody else changed this campaign. Load it again before you go on.", revision=row.revision)
    return row
