"""Keeps mail in the database instead of sending it: the provider of a first run, of development and of trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from django.db import connection, transaction
from django.utils import timezone

from campaigns.delivery.providers.answers import NOT_SENT, Outcome
from campaigns.delivery.providers.base import Brake, OutgoingMessage, Provider, Witness
from campaigns.models import CapturedMessage

_COLUMNS = ("workspace_id", "campaign_id", "message_id", "to", "subject", "raw", "created_at")
_COPY = "COPY {} ({}) FROM STDIN (FORMAT BINARY)".format(
    CapturedMessage._meta.db_table, ", ".join(f'"{column}"' for column in _COLUMNS)
)
_TYPES = ("uuid", "uuid", "int8", "varchar", "varchar", "bytea", "timestamptz")
SUBJECT_LIMIT = 998


class CaptureProvider(Provider):
    """Writes the bytes of every message to the outbox, a batch in one COPY."""

    name: ClassVar[str] = "capture"
    content: ClassVar[Literal["mime", "parts"]] = "mime"
    reports_delivery: ClassVar[bool] = False
    uses_database: ClassVar[bool] = True

    @property
    def claim_size(self) -> int:
        """A thousand: the outbox takes them in one statement."""
        return 1000

    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        """Keep a batch, all of it or none; a database error is raised, because then no result can be recorded."""
        if not brake.may_start():
            return [NOT_SENT] * len(messages)
        now = timezone.now()
        for message in messages:
            witness.starting(message)
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for message in messages:
                copy.write_row(
                    (
                        message.workspace_id,
                        message.campaign_id,
                        message.message_id,
                        message.to,
                        message.subject[:SUBJECT_LIMIT],
                        message.mime,
                        now,
                    )
                )
        outcomes = [Outcome("accepted", provider_message_id=f"capture-{message.message_id}") for message in messages]
        for message, outcome in zip(messages, outcomes, strict=True):
            witness.settled(message, outcome)
        return outcomes
