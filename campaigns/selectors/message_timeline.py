"""What happened to one message, from the plan to the last click, as the ledger knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from campaigns.models import Message, Settlement
from campaigns.selectors.reasons import in_words


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline; `icon` is a name of the sprite."""

    at: datetime
    icon: str
    title: str
    detail: str = ""


#: Fact of the ledger -> icon and words. Each is set by the first event of its kind.
_FACTS: dict[str, tuple[str, str]] = {
    "delivered_at": ("check", "Delivered"),
    "first_opened_at": ("eye", "Opened by a person"),
    "first_machine_opened_at": ("machine", "Opened by a machine"),
    "first_clicked_at": ("click", "Clicked by a person"),
    "first_machine_clicked_at": ("machine", "Clicked by a machine"),
    "bounced_at": ("bounce", "Bounced"),
    "complained_at": ("flag", "Reported as spam"),
    "unsubscribed_at": ("unsubscribe", "Unsubscribed"),
}


def get_message_timeline(message: Message) -> list[Moment]:
    """Return what happened to a message, newest first; of attempts the ledger knows the last one."""
    held = in_words(message.reason) if message.status == Message.Status.HELD else ""
    moments = [Moment(message.created_at, "clock", "Planned", held)]
    if message.claimed_at:
        moments.append(_claim(message, message.claimed_at))
    if message.due_at:
        title = "Next attempt" if message.attempt_no else "May leave"
        moments.append(Moment(message.due_at, "refresh", title, in_words(message.reason)))
    if message.sent_at:
        taken_as = f"as {message.provider_message_id}" if message.provider_message_id else ""
        moments.append(Moment(message.sent_at, "send", f"Accepted by {message.provider or 'the provider'}", taken_as))
    for name, (icon, title) in _FACTS.items():
        if at := getattr(message, name):
            detail = f"{message.get_bounce_type_display()} bounce" if name == "bounced_at" else ""
            moments.append(Moment(at, icon, title, detail))
    for settlement in Settlement.objects.for_workspace(message.workspace_id).filter(message=message):
        moments += _settled(settlement)
    return sorted(moments, key=lambda moment: moment.at, reverse=True)


def _claim(message: Message, at: datetime) -> Moment:
    """What the last claim came to, when that is not told by a moment of its own."""
    by = f"By {message.claimed_by}. " if message.claimed_by else ""
    match message.status:
        case Message.Status.SKIPPED:
            return Moment(at, "block", "Skipped", in_words(message.reason))
        case Message.Status.FAILED:
            return Moment(at, "warn", f"Attempt {message.attempt_no} failed", by + message.reason)
        case Message.Status.IN_DOUBT:
            return Moment(at, "help", f"Attempt {message.attempt_no} ended in doubt", by + message.reason)
    return Moment(at, "play", f"Attempt {message.attempt_no}", by.strip())


def _settled(settlement: Settlement) -> list[Moment]:
    icon = "check" if settlement.verb == Settlement.Verb.MARKED_SENT else "refresh"
    made = Moment(
        settlement.created_at,
        icon,
        f"{settlement.get_verb_display()} by {settlement.actor_label}",
        in_words(settlement.was_reason),
    )
    if settlement.undone_at:
        return [made, Moment(settlement.undone_at, "refresh", "In doubt again", "The marking was undone.")]
    return [made]
