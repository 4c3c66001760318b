"""A second mail to some of those who got the first: a draft with its segment and its brief, and nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts import activity
from accounts.models import User
from aiwriter.models import Generation
from analytics.selectors.insight import is_finished
from audiences.models import Segment
from audiences.services import create_segment
from campaigns.models import Campaign
from campaigns.services.adopting import BRIEF_FIELDS, write_angles
from campaigns.services.composing import create_campaign
from pulsequill.core.errors import FieldError, Invalid, WrongState


@dataclass(frozen=True)
class Readers:
    """Some of those who got a campaign.

    Attributes:
        op: what the rules call them.
        words: how they are called on the page and in a segment's name.
        audience: how the brief describes them.
        goal: what the second mail is for; `{goal}` is what the first one was for.
    """

    op: str
    words: str
    audience: str
    goal: str


READERS: dict[str, Readers] = {
    "did_not_open": Readers(
        "did_not_open",
        "Did not open",
        "People who were sent our last mail about this and have not opened it.",
        "Say it again, in other words and with another subject, to people who have not read it yet: {goal}",
    ),
    "opened_without_click": Readers(
        "did_not_click",
        "Opened, did not click",
        "People who opened our last mail about this and have not clicked.",
        "Answer what may have kept interested readers from going further, and lead them there: {goal}",
    ),
    "clicked": Readers(
        "clicked",
        "Clicked",
        "People who clicked in our last mail about this.",
        "Take readers who were interested enough to click one step further: {goal}",
    ),
}
#: A second mail does not let people feel watched.
NEVER_SAID = ("you did not open", "you didn't open", "we noticed", "we saw that you")
LONGEST_GOAL = 1000


@dataclass(frozen=True)
class FollowUp:
    """A new draft campaign, who it is for, and the run that writes it."""

    campaign: Campaign
    segment: Segment
    generation: Generation


def rules_for(campaign: Campaign, readers: str) -> dict[str, Any]:
    """Return the rules that find some of a campaign's readers."""
    rules = [{"campaign": str(campaign.pk), "op": READERS[readers].op}]
    if readers == "opened_without_click":
        rules.insert(0, {"campaign": str(campaign.pk), "op": "opened"})
    return {"all": rules}


@transaction.atomic
def draft_follow_up(*, campaign: Campaign, actor: User | None, readers: str) -> FollowUp:
    """Make a draft campaign for some of the readers of one that was sent, and ask the AI writer for its text.

    Raises:
        Invalid: there are no such readers.
        WrongState: the campaign has not been sent.
        Blocked, Throttled, Unavailable: the writer cannot be asked now; nothing is made then.
    """
    if readers not in READERS:
        detail = f"One of {', '.join(READERS)}."
        raise Invalid(detail, errors=[FieldError("readers", "not_a_choice", detail)])
    if not is_finished(campaign):
        raise WrongState("A campaign is followed up once it has been sent.", status_now=campaign.status)
    chosen = READERS[readers]
    segment = _segment(campaign, chosen, rules_for(campaign, readers), actor)
    made = create_campaign(
        workspace=campaign.workspace,
        actor=actor,
        name=f"Follow-up: {campaign.name}"[:160],
        changes={
            "sender": campaign.sender,
            "segments": [segment],
            "exclude_lists": list(campaign.exclude_lists.all()),
            "exclude_segments": list(campaign.exclude_segments.all()),
            "track_opens": campaign.track_opens,
            "track_clicks": campaign.track_clicks,
        },
    )
    generation = write_angles(campaign=made, actor=actor, brief_fields=_brief(campaign, chosen))
    activity.record(
        workspace=campaign.workspace, actor=actor, kind="campaign.follow_up", subject=made,
        summary=f"Began a follow-up of {campaign.name[:100]} for those who: {chosen.words.lower()}.",
    )  # fmt: skip
    return FollowUp(made, segment, generation)


def _segment(campaign: Campaign, chosen: Readers, rules: dict[str, Any], actor: User | None) -> Segment:
    """Return the segment of these readers; it is made once."""
    rows = Segment.objects.for_workspace(campaign.workspace_id)
    known = rows.filter(rules=rules).first()
    if known is not None:
        return known
    name = f"{chosen.words}: {campaign.name}"[:110]
    taken = set(rows.filter(name__startswith=name).values_list("name", flat=True))
    free = next(one for one in (name, *(f"{name} ({n})" for n in range(2, 1000))) if one not in taken)
    return create_segment(workspace=campaign.workspace, name=free, rules=rules, actor=actor)


def _brief(campaign: Campaign, chosen: Readers) -> dict[str, Any]:
    """Return the brief of the second mail: what the first one may claim, said to these readers."""
    first = campaign.brief
    subject = next(
        (variant.subject for variant in campaign.variants.order_by("label") if variant.subject), campaign.name
    )
    kept = {} if first is None else {name: getattr(first, name) for name in BRIEF_FIELDS}
    goal = chosen.goal.format(goal=first.goal if first else f"our mail “{subject}”")
    return {
        **kept,
        "goal": goal[:LONGEST_GOAL],
        "audience": chosen.audience,
        "must_not_say": [*kept.get("must_not_say", []), *NEVER_SAID],
    }
