"""What the delivery tests share: campaigns ready to send, a provider that answers as told, and mail read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, ClassVar, Literal

import pytest
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import Contact
from campaigns.delivery import pipeline, planner
from campaigns.delivery.providers import Brake, Outcome, OutgoingMessage, Provider, Witness
from campaigns.delivery.providers.answers import NOT_SENT
from campaigns.models import Campaign, CapturedMessage, Message
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace


def make_ready(size: int = 3, *, workspace: Workspace | None = None, **changes: Any) -> tuple[Campaign, list[Contact]]:
    """A draft with `size` contacts on its list."""
    workspace = workspace or make_workspace()
    contacts = [make_contact(workspace, first_name=f"Reader {number}") for number in range(size)]
    campaign = make_campaign(workspace, **{"lists": [make_list(workspace, *contacts)], **changes})
    return campaign, contacts


def make_launched(size: int = 3, **changes: Any) -> tuple[Campaign, list[Contact]]:
    """A campaign whose ledger has been planned and of which nothing has left."""
    campaign, contacts = make_ready(size, **changes)
    planner.launch(campaign, now=timezone.now())
    return campaign, contacts


def rows_of(campaign: Campaign) -> list[Message]:
    """The ledger in the order of planning."""
    return list(Message.objects.filter(campaign=campaign, is_test=False).order_by("id"))


def statuses_of(campaign: Campaign) -> Counter[str]:
    """How many rows have each status."""
    return Counter(row.status for row in rows_of(campaign))


def captured(campaign: Campaign | None = None) -> list[EmailMessage]:
    """The mail that was kept, read back by Python's own parser."""
    rows = CapturedMessage.objects.filter(campaign=campaign) if campaign else CapturedMessage.objects.all()
    return [message_from_bytes(bytes(row.raw), policy=default) for row in rows.order_by("id")]  # type: ignore[misc]


class ToldProvider(Provider):
    """Answers what the test says, message by message, and remembers what it was given."""

    name: ClassVar[str] = "told"
    content: ClassVar[Literal["mime", "parts"]] = "mime"
    reports_delivery: ClassVar[bool] = True
    uses_database: ClassVar[bool] = True  # what a test lets it answer may look into the ledger

    def __init__(self, answer: Callable[[OutgoingMessage], Outcome], *, batch: int = 100) -> None:
        self.answer = answer
        self.batch = batch
        self.given: list[OutgoingMessage] = []

    @property
    def claim_size(self) -> int:
        return self.batch

    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        outcomes = []
        for message in messages:
            if not brake.may_start():
                outcomes.append(NOT_SENT)
                continue
            self.given.append(message)
            witness.starting(message)
            outcome = self.answer(message)
            witness.settled(message, outcome)
            outcomes.append(brake.note(outcome))
        return outcomes


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ToldProvider]:
    """Make the pipeline use a provider that answers as told."""

    def use(answer: Callable[[OutgoingMessage], Outcome], **options: Any) -> ToldProvider:
        provider = ToldProvider(answer, **options)
        monkeypatch.setattr(pipeline, "get_provider", lambda _name="", **_whose: provider)
        return provider

    return use
