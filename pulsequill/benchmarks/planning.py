"""Planning: everybody on a list to a row of the ledger, against the barest statement that writes the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection, transaction

from campaigns.models import Message
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark

#: No suppression, no rule of membership, no share of variants: a copy of the list into the same table and indexes.
_BARE = """
INSERT INTO campaigns_message (workspace_id, campaign_id, variant_id, contact_id, email, email_normalized, is_test,
                               status, reason, attempt_no, claimed_by, provider, provider_message_id,
                               last_error_code, bounce_type, created_at)
SELECT c.workspace_id, %s, %s, c.id, c.email, c.email_normalized, false, 'queued', '', 0, '', 'smtp', '', '', '', now()
  FROM audiences_subscription s JOIN audiences_contact c ON c.id = s.contact_id
 WHERE s.list_id = %s
"""


def _prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    count = 1_000_000 if is_full else 100_000
    workspace = make_workspace("Planning")
    sender = mail.make_sender(workspace)
    readers = make_audience(workspace, count)

    def product() -> float:
        mail.empty_ledger()
        campaign = mail.make_campaign(workspace, readers, sender)
        started = time.perf_counter()
        mail.launch(campaign, "smtp")
        seconds = time.perf_counter() - started
        assert campaign.recipients == count
        return count / seconds

    def reference() -> float:
        mail.empty_ledger()
        campaign = mail.make_campaign(workspace, readers, sender)
        started = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_BARE, [campaign.pk, campaign.variants.get().pk, readers.pk])
        seconds = time.perf_counter() - started
        assert Message.objects.across_workspaces().count() == count
        return count / seconds

    return product, reference


BENCHMARK = Benchmark(
    name="Planning recipients",
    unit="rows/s",
    reference_name="bare INSERT ... SELECT",
    prepare=_prepare,
    floor=0.7,
    aim=0.9,
)
