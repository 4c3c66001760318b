"""Why one address did or did not get one campaign: everything that is known about it, in order, and what is not known.

The ledger proves who was planned; lists, segments and suppressions are asked as they are now, and whatever is said of
the time of the launch rests on a date that was kept. Where nothing was kept, the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.models import Conversion, Event, EventArchive
from analytics.reports.campaign_bounce_words import reason_of
from analytics.reports.campaign_overview import money
from analytics.selectors.breakdowns import REASON_LABELS, client_of, short_url
from analytics.selectors.contacts import LOOKS
from analytics.selectors.mailboxes import provider_of
from audiences.models import Contact, FormerContact, Segment, Subscription, Suppression
from audiences.selectors import explain_segment
from campaigns.models import Campaign, Message, Variant
from campaigns.selectors.message_timeline import get_message_timeline
from campaigns.selectors.reasons import in_words
from campaigns.tickets import FOR_CANARY, FOR_TEST, HELD_OUT, TICKETS, Draw, ticket_sql

#: More events than this of one message are an accident; the first ones tell the story.
MOST_EVENTS = 200
_EXCLUDED = "excluded"
_WAITING = {FOR_TEST: "the end of the test", FOR_CANARY: "the first readers' results"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story; without a time it is a state and not an event."""

    title: str
    detail: str = ""
    at: datetime | None = None
    icon: str = "info"


@dataclass
class Story:
    """The whole answer.

    Attributes:
        verdict: one word for programs: `delivered`, `sent`, `bounced`, `skipped`, `failed`, `in_doubt`, `waiting`,
            `not_planned`, `not_launched`.
        summary: one sentence for people.
        audience: how the address stood, and stands, to the campaign's lists and segments.
        steps: what happened, the oldest first.
        unknown: what cannot be known, and why.
    """

    email: str
    verdict: str
    summary: str
    message: Message | None = None
    contact: Contact | None = None
    audience: list[Step] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the story as `/v1` shows it."""

        def lines(steps: list[Step]) -> list[dict[str, Any]]:
            return [{"at": step.at, "title": step.title, "detail": step.detail} for step in steps]

        return {
            "email": self.email,
            "verdict": self.verdict,
            "summary": self.summary,
            "message": str(self.message.public_id) if self.message else None,
            "contact": self.contact.pk if self.contact else None,
            "audience": lines(self.audience),
            "steps": lines(self.steps),
            "unknown": self.unknown,
        }


def get_why(campaign: Campaign, email: str) -> Story:
    """Return the story of one address and one campaign.

    Args:
        campaign: with its lists, segments and exclusions at hand (`campaigns.selectors.campaigns.get_campaign`).
        email: any spelling; it need not be anybody's.
    """
    address = email.strip().lower()
    workspace = campaign.workspace_id
    contact = Contact.objects.for_workspace(workspace).filter(email_normalized=address).first()
    rows = Message.objects.for_workspace(workspace).select_related("variant", "workspace")
    # Not `first()`, which asks for the lowest key and has PostgreSQL walk all keys: there is one row or none.
    message = next(iter(rows.filter(campaign=campaign, email_normalized=address, is_test=False)), None)
    stop = Suppression.objects.for_workspace(workspace).filter(email_normalized=address).first()
    if message is None:
        return _not_planned(campaign, email.strip(), contact, stop)
    story = Story(email=message.email, verdict="", summary="", message=message, contact=contact)
    story.audience = list(_audience(campaign, contact))
    story.steps = [*_plan(campaign, message, contact), *_skipped(campaign, message, contact, stop)]
    events = _events(message)
    told = {event.occurred_at for event in events}
    moments = [
        moment for moment in get_message_timeline(message) if moment.title != "Planned" and moment.at not in told
    ]
    happened = [Step(one.title, one.detail, one.at, one.icon) for one in moments]
    happened += [_event_step(event, message) for event in events]
    happened += list(_goals(message))
    story.steps += sorted(happened, key=lambda step: step.at or message.created_at)
    if stop is not None and message.status != Message.Status.SKIPPED:
        story.steps.append(_suppression_step(stop, "Since then suppressed" if _after(stop, message) else "Suppressed"))
    story.verdict, story.summary = _verdict(message)
    story.unknown = list(_unknown(campaign, message, events))
    return story


def _after(stop: Suppression, message: Message) -> bool:
    return stop.created_at >= message.created_at


def _verdict(message: Message) -> tuple[str, str]:
    """Return the answer in a word and in a sentence."""
    status = message.status
    if message.bounced_at:
        return "bounced", "It was sent, and came back."
    if status == Message.Status.SENT:
        if message.delivered_at:
            read = " and clicked" if message.first_clicked_at else " and opened" if message.first_opened_at else ""
            return "delivered", f"It was delivered{read}."
        return "sent", "It was handed over to the provider; whether it arrived was not reported."
    if status == Message.Status.SKIPPED:
        if message.reason == HELD_OUT:
            return "skipped", "It was not mailed on purpose: it belongs to the group that is held out to compare with."
        return "skipped", f"It was not mailed: {_lower(in_words(message.reason))}."
    if status == Message.Status.FAILED:
        return "failed", "The mail was refused when it was handed over."
    if status == Message.Status.IN_DOUBT:
        return "in_doubt", "Nobody knows: the mail may have left, and is not sent again by itself."
    if status == Message.Status.HELD:
        return "waiting", f"It is planned and waits for {_WAITING.get(message.reason, 'its wave')}."
    return "waiting", "It is planned and has not left yet."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _audience(campaign: Campaign, contact: Contact | None) -> Iterator[Step]:
    """Yield how somebody stands to each list and segment that was chosen; lists say since when."""
    if contact is None:
        return
    places = Subscription.objects.for_workspace(campaign.workspace_id).filter(contact=contact)
    by_list = {place.list_id: place for place in places}
    for chosen in campaign.lists.all():
        yield _place(f"List “{chosen.name}”", by_list.get(chosen.pk), campaign.launched_at)
    for segment in campaign.segments.all():
        yield _membership(f"Segment “{segment.name}”", segment, contact)
    for left_out in campaign.exclude_lists.all():
        if (place := by_list.get(left_out.pk)) and place.status == Subscription.Status.ACTIVE:
            yield Step(f"Excluded list “{left_out.name}”", "Is on it today, so is left out.", place.created_at, "block")
    for segment in campaign.exclude_segments.all():
        if explain_segment(segment.rules, contact=contact).passed:
            yield Step(f"Excluded segment “{segment.name}”", "Belongs to it today, so is left out.", None, "block")


def _place(name: str, place: Subscription | None, launched_at: datetime | None) -> Step:
    if place is None:
        return Step(name, "Is not on it today, and no place on it was kept.", None, "close")
    since = "before the launch" if launched_at and place.created_at <= launched_at else "after the launch"
    joined = f"Joined {since}" if launched_at else "Joined"
    words = {
        Subscription.Status.ACTIVE: "and is on it today.",
        Subscription.Status.PENDING: "and has not confirmed yet.",
        Subscription.Status.UNSUBSCRIBED: "and has left it.",
    }[Subscription.Status(place.status)]
    if place.unsubscribed_at and launched_at and place.status == Subscription.Status.UNSUBSCRIBED:
        words = f"and left it {'before' if place.unsubscribed_at <= launched_at else 'after'} the launch."
    icon = "check" if place.status == Subscription.Status.ACTIVE else "unsubscribe"
    return Step(name, f"{joined} {words}", place.created_at, icon)


def _membership(name: str, segment: Segment, contact: Contact) -> Step:
    belongs = explain_segment(segment.rules, contact=contact).passed
    words = "Belongs to it today." if belongs else "Does not belong to it today."
    return Step(name, f"{words} Who belonged at the launch is not kept.", None, "check" if belongs else "close")


def _plan(campaign: Campaign, message: Message, contact: Contact | None) -> Iterator[Step]:
    """Yield that it was planned, and the draws that gave it its variant and its place."""
    yield Step(
        "In the audience", "It was among the recipients when the campaign was launched.", message.created_at, "user"
    )
    draws = _tickets(campaign, contact) if contact else {}
    if message.reason == HELD_OUT:
        ticket = f" It drew {draws[Draw.PART]:,}." if draws else ""
        yield Step("Held out", f"{campaign.holdout_share} of 100 get nothing, to compare with.{ticket}", None, "block")
    elif message.status == Message.Status.HELD:
        yield Step("Held back", f"Waits for {_WAITING.get(message.reason, 'its wave')}.", None, "clock")
    variants = list(Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).order_by("label"))
    if message.variant and len(variants) > 1:
        shares = ", ".join(f"{one.label} {one.share}" for one in variants)
        ticket = f" It drew {draws[Draw.VARIANT]:,} of {TICKETS:,}." if draws else ""
        detail = f"Drawn from the contact and the campaign, so it is the same each time (shares {shares}).{ticket}"
        yield Step(f"Variant {message.variant.label}", detail, None, "columns")
    if campaign.canary_share and message.status != Message.Status.SKIPPED and draws:
        released = campaign.canary_released_at
        # of a small list, the next tickets are among the first readers too: they were mailed before the others
        was_early = message.claimed_at is not None and (released is None or message.claimed_at < released)
        is_first = draws[Draw.CANARY] < TICKETS * campaign.canary_share / 100 or was_early
        words = "Among the first readers" if is_first else "After the first readers"
        yield Step(words, f"{campaign.canary_share} of 100 got it first. It drew {draws[Draw.CANARY]:,}.", None, "flag")


def _tickets(campaign: Campaign, contact: Contact) -> dict[Draw, int]:
    """Return what a contact draws in a campaign: the same today as at the launch."""
    columns = ", ".join(ticket_sql(campaign.pk, draw, "%s") for draw in Draw)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [str(contact.pk)] * len(Draw))
        return dict(zip(Draw, cursor.fetchone(), strict=True))


def _skipped(campaign: Campaign, message: Message, contact: Contact | None, stop: Suppression | None) -> Iterator[Step]:
    """Yield what stood behind the reason of a skipped row."""
    if message.status != Message.Status.SKIPPED or message.reason == HELD_OUT:
        return
    if message.reason.startswith("suppressed_"):
        if stop is not None:
            yield _suppression_step(stop, "Suppressed")
        else:
            yield Step(in_words(message.reason), "The suppression has been lifted since.", message.created_at, "block")
    elif message.reason == _EXCLUDED:
        yield Step("On an excluded list or segment", _excluded_by(campaign, contact), message.created_at, "block")
    elif not message.claimed_at:
        yield Step("Skipped", in_words(message.reason), message.created_at, "block")


def _excluded_by(campaign: Campaign, contact: Contact | None) -> str:
    excluded = [step.title for step in _audience(campaign, contact) if step.title.startswith("Excluded ")]
    if excluded:
        return f"{'; '.join(excluded)}."
    return "Which one is not kept, and today it is on none of them."


def _suppression_step(stop: Suppression, title: str) -> Step:
    told_by = f", told by {stop.source}" if stop.source else ""
    return Step(title, f"{stop.get_reason_display()}{told_by}.", stop.created_at, "block")


def _events(message: Message) -> list[Event | EventArchive]:
    found: list[Event | EventArchive] = []
    for model in (Event, EventArchive):
        events = model.objects.for_workspace(message.workspace_id).filter(message=message).select_related("link")
        found += events.order_by("occurred_at", "id")[:MOST_EVENTS]
    return sorted(found, key=lambda event: (event.occurred_at, event.pk))[:MOST_EVENTS]


def _event_step(event: Event | EventArchive, message: Message) -> Step:
    """Say one event, and for opens and clicks who it was and how that is known."""
    icon, word = LOOKS.get(event.kind, ("info", f"Reported: {event.data.get('reported_kind', 'something else')}"))
    details = []
    if event.kind == Event.Kind.CLICKED and event.link:
        details.append(short_url(event.link.url))
    if event.kind in (Event.Kind.OPENED, Event.Kind.CLICKED):
        if event.actor == Event.Actor.MACHINE:
            icon, word = "machine", f"{word} by a machine"
            details.append(f"known by: {REASON_LABELS.get(event.actor_reason, event.actor_reason) or 'a rule'}")
        else:
            word = f"{word} by a person"
            details.append(client_of(event.user_agent))
    if event.kind == Event.Kind.BOUNCED:
        said, code = str(event.data.get("detail", "")), str(event.data.get("code", ""))
        provider = provider_of(message.email_normalized.rpartition("@")[2])
        details += [reason_of(code=code, words=said, provider=provider).title, said]
    elif event.kind != Event.Kind.CONVERTED:
        details.append(str(event.data.get("detail", ""))[:200])
    return Step(word, " · ".join(filter(None, details)), event.occurred_at, icon)


def _goals(message: Message) -> Iterator[Step]:
    for row in Conversion.objects.for_workspace(message.workspace_id).filter(message=message).select_related("goal"):
        worth = f", {money(row.value, row.currency)}" if row.currency else ""
        yield Step(f"Reached “{row.goal.name}”", f"{row.times} times{worth}".strip(), row.first_at, "star")


def _unknown(campaign: Campaign, message: Message, events: list[Event | EventArchive]) -> Iterator[str]:
    """Yield what the answer cannot say."""
    if message.contact_id is None:
        yield "The contact was deleted since, so its lists and segments cannot be shown."
    if message.attempt_no > 1:
        yield f"There were {message.attempt_no} attempts; the answer of the last one only is kept."
    if message.status == Message.Status.SENT and not message.delivered_at and not message.bounced_at:
        yield "No report of delivery has come. Many mail servers send none; it is not a sign of trouble by itself."
    facts = (message.first_opened_at, message.first_clicked_at, message.bounced_at, message.first_machine_opened_at)
    if any(facts) and not events:
        yield "The single events are older than they are kept; first times are all that is left."
    if not campaign.track_opens or not campaign.track_clicks:
        what = " and ".join(
            word for word, is_on in (("opens", campaign.track_opens), ("clicks", campaign.track_clicks)) if not is_on
        )
        yield f"This campaign did not track {what}."
    elif message.status == Message.Status.SENT and not message.first_opened_at:
        yield "Somebody who reads with pictures off leaves no open."


def _not_planned(campaign: Campaign, email: str, contact: Contact | None, stop: Suppression | None) -> Story:
    """Say as much as can honestly be said about somebody without a row in the ledger."""
    story = Story(email=email, verdict="not_planned", summary="", contact=contact)
    story.audience = list(_audience(campaign, contact))
    if stop is not None:
        story.steps.append(_suppression_step(stop, "Suppressed"))
    launched_at = campaign.launched_at
    if launched_at is None:
        story.verdict = "not_launched"
        story.summary = "The campaign has not been launched, so nobody has been planned yet."
        return story
    story.summary = "It was not among the recipients when the campaign was launched."
    if contact is None:
        former = FormerContact.objects.for_workspace(campaign.workspace_id).filter(email_normalized=email.lower())
        if (gone := former.first()) is not None:
            when = "after" if gone.created_at > launched_at else "before"
            story.steps.append(
                Step("The contact was deleted", f"That was {when} the launch.", gone.created_at, "trash")
            )
        else:
            story.steps.append(
                Step("There is no contact with this address", "A typing mistake, perhaps?", None, "help")
            )
        story.unknown.append("Whether there was such a contact at the launch cannot be known from the address alone.")
        story.unknown.append("People who were erased on request are not looked up, whatever the ledger holds of them.")
        return story
    if contact.created_at > launched_at:
        story.summary = "The contact did not exist yet when the campaign was launched."
        story.steps.append(Step("Became a contact", "After the launch.", contact.created_at, "user"))
        return story
    story.steps.append(Step("Became a contact", "Before the launch.", contact.created_at, "user"))
    story.summary = _why_not(story.audience, campaign)
    if campaign.segments.all():
        story.unknown.append("Segments are computed; who belonged to one at the launch is not kept.")
    story.unknown.append(
        "Places on lists that were taken away, and addresses that were changed since, leave no trace here."
    )
    return story


def _why_not(audience: list[Step], campaign: Campaign) -> str:
    lists = [step for step in audience if step.title.startswith("List ")]
    late = [step for step in lists if step.detail.startswith("Joined after the launch")]
    if late:
        return f"It joined {_lower(late[0].title)} only after the launch."
    if not any(step.icon == "check" for step in audience):
        what = "lists or segments" if campaign.segments.all() else "lists"
        return f"It is on none of the campaign's {what}."
    return "It was not among the recipients at the launch, although it fits the campaign today."
