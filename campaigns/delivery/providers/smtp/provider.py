"""Own SMTP: one thread, many connections, several servers."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import ClassVar, Literal

from django.conf import settings

from campaigns.delivery.providers.answers import Outcome
from campaigns.delivery.providers.base import TIMEOUT_S, Brake, OutgoingMessage, Provider, Witness
from campaigns.delivery.providers.smtp.batch import Batch
from campaigns.delivery.providers.smtp.connector import Connector
from campaigns.delivery.providers.smtp.loop import Loop
from campaigns.delivery.providers.smtp.relays import Relay, Rota
from campaigns.delivery.providers.smtp.server import Server

#: Messages of a claim: as many as the database likes, or so many for each connection.
FEWEST_IN_A_CLAIM = 1000
MESSAGES_FOR_EACH_CONNECTION = 30


class SmtpProvider(Provider):
    """Hands messages to mail servers over connections that stay open between batches. Any thread may call it."""

    name: ClassVar[str] = "smtp"
    content: ClassVar[Literal["mime", "parts"]] = "mime"
    reports_delivery: ClassVar[bool] = False

    def __init__(
        self,
        servers: Sequence[Server] = (),
        *,
        timeout_s: float = TIMEOUT_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Take in the servers; nothing is connected before the first batch.

        Args:
            servers: where to hand over; none means the installation's SMTP_URL.
            timeout_s: seconds that the answer to one command may take.
            context: whom to trust; by default whom the system trusts.

        Raises:
            ImproperlyConfigured: there is no usable SMTP_URL.
        """
        servers = servers or [Server.from_url(settings.SMTP_URL, max_connections=settings.SEND_CONCURRENCY)]
        self._relays = [Relay(server) for server in servers]
        self._rota = Rota(self._relays)
        self._connector = Connector(timeout_s=timeout_s, context=context)
        self._timeout_s = timeout_s

    @property
    def claim_size(self) -> int:
        """Enough for each connection: a batch costs it a round trip and a half; the journal keeps doubt small."""
        connections = sum(relay.server.max_connections for relay in self._relays)
        return max(FEWEST_IN_A_CLAIM, connections * MESSAGES_FOR_EACH_CONNECTION)

    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        """Share the batch out among the servers and carry it."""
        batch = Batch(messages, brake=brake, witness=witness)
        Loop(batch, self._relays, rota=self._rota, connector=self._connector, timeout_s=self._timeout_s).run()
        return batch.outcomes

    def close(self) -> None:
        """Close the idle connections."""
        self._connector.close()
        for relay in self._relays:
            relay.close()
