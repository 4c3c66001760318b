"""Who carries the mail: one module for each provider, behind `base.Provider`.

How to add one:

1. Write `providers/<name>.py` (or a folder when it also receives events) with a subclass of `Provider`: `name`,
   `content` (`mime` when it takes finished bytes, `parts` when it builds the MIME itself), `reports_delivery`,
   `claim_size`, `send_batch`, and `close` when it keeps connections.
2. Translate its answers through `answers.py`. Ask of every error: *could it have been accepted?* If no, `RETRY`
   or `FAILED`; if perhaps, `UNCERTAIN`. Add codes to `ANSWERS`, never decide in code; and give each new code its line
   in `advice.py` (what it means for a person and what to do) and its step in `advice.FAILED_AT`.
3. Give every exchange a timeout of `TIMEOUT_S` and switch off the client library's own retries. For each message: ask
   the `brake` whether it may start, tell the `witness` before its first byte leaves, and tell both its outcome before
   anything else happens.
4. Register the class in `PROVIDERS` below, its name in `EMAIL_PROVIDER`'s choices in `pulsequill/env.py`, and the
   installation's settings for it there too.
5. Let workspaces bring their own account: a maker in `own.py` (the only place that decrypts secrets), a card in
   `campaigns.selectors.providers.KINDS`, and a form in `campaigns/views/provider_forms.py` when it needs more than a
   pace. Addresses that a workspace may choose freely go through `pulsequill.core.outbound_http`.
6. Add a scriptable server for it to `tests/fakes/` and a row to `PROVIDERS_UNDER_TEST` in
   `tests/wire/test_provider_contract.py`: the shared cases (order, refusal, outage, drop after acceptance, deadline,
   witness, non-ASCII) run against it.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from functools import cache
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.models import Workspace
from campaigns.delivery.providers.answers import ANSWERS, Answer, Effect, Outcome, Verdict
from campaigns.delivery.providers.base import NO_WITNESS, Brake, OutgoingMessage, Parts, Provider, Witness
from campaigns.delivery.providers.capture import CaptureProvider
from campaigns.delivery.providers.own import find_own, make_own
from campaigns.delivery.providers.sendgrid.send import SendGridProvider
from campaigns.delivery.providers.smtp import SmtpProvider
from campaigns.models import ProviderSettings

__all__ = [
    "ANSWERS",
    "NO_WITNESS",
    "PROVIDERS",
    "Answer",
    "Brake",
    "Effect",
    "Outcome",
    "OutgoingMessage",
    "Parts",
    "Provider",
    "Verdict",
    "Witness",
    "active_provider",
    "get_provider",
]

PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (CaptureProvider, SmtpProvider, SendGridProvider)
}
#: Workspaces whose connections one process keeps open; beyond that the one that was used longest ago is closed.
MOST_KEPT = 64


class _Kept(NamedTuple):
    updated_at: datetime
    provider: Provider


_kept: OrderedDict[tuple[UUID, str], _Kept] = OrderedDict()
_lock = Lock()


@cache
def _of_installation(name: str) -> Provider:
    return PROVIDERS[name]()


def active_provider(workspace: Workspace | UUID) -> str:
    """Return the kind of provider that new mail of a workspace leaves by: its own choice, else the installation's."""
    chosen = ProviderSettings.objects.for_workspace(workspace).filter(is_active=True, provider__in=PROVIDERS)
    return chosen.values_list("provider", flat=True).first() or settings.EMAIL_PROVIDER


def get_provider(name: str = "", *, workspace_id: UUID | None = None) -> Provider:
    """Return this process's instance of a provider.

    A workspace's own account of that kind comes first, active or not: a campaign ends with the account it began with.
    It is looked up on each call and made anew when its settings have changed; the old instance is closed. So a process
    must not call this for a workspace while another of its threads is sending for the same one (workers do not).

    Args:
        name: a key of `PROVIDERS`; without one, the kind that is active.
        workspace_id: whose mail; None for the installation's own mail.

    Raises:
        ImproperlyConfigured: settings are missing or cannot be read; the sentence is fit for people.
    """
    if workspace_id is None:
        return _of_installation(name or settings.EMAIL_PROVIDER)
    name = name or active_provider(workspace_id)
    own = find_own(workspace_id, name)
    key = (workspace_id, name)
    with _lock:
        kept = _kept.get(key)
        if kept is not None and own is not None and kept.updated_at == own.updated_at:
            _kept.move_to_end(key)
            return kept.provider
        if kept is not None:
            del _kept[key]
            kept.provider.close()
        if own is None:
            return _of_installation(name)
        provider = make_own(own)
        _kept[key] = _Kept(own.updated_at, provider)
        if len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)[1].provider.close()
        return provider
