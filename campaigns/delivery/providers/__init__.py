"""Who carries the mail: one module for each provider, behind `base.Provider`.

How to add one:

1. Write `providers/<name>.py` (or a folder when it also receives events) with a subclass of `Provider`: `name`,
   `content` (`mime` when it takes finished bytes, `parts` when it builds the MIME itself), `reports_delivery`,
   `claim_size` and `send_batch`.
2. Translate its answers through `answers.py`. Ask of every error: *could it have been accepted?* If no, `RETRY`
   or `FAILED`; if perhaps, `UNCERTAIN`. Add codes to `ANSWERS`; never decide in code.
3. Give every exchange a timeout of `TIMEOUT_S`, switch off the client library's own retries, ask the `brake`
   before each message is started, and tell it each outcome. Tell the `witness` before a message leaves and right
   after its answer.
4. Register the class in `PROVIDERS` below, the name in `EMAIL_PROVIDER`'s choices in `pulsequill/env.py`, and its
   settings there too.
5. Add a scriptable server for it to `tests/fakes/` and a row to `PROVIDERS_UNDER_TEST` in
   `tests/wire/test_provider_contract.py`: the shared cases (order, refusal, outage, drop after acceptance, deadline,
   non-ASCII) run against it.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings

from campaigns.delivery.providers.answers import ANSWERS, Answer, Effect, Outcome, Verdict
from campaigns.delivery.providers.base import NO_WITNESS, Brake, OutgoingMessage, Parts, Provider, Witness
from campaigns.delivery.providers.capture import CaptureProvider
from campaigns.delivery.providers.sendgrid.send import SendGridProvider
from campaigns.delivery.providers.smtp import SmtpProvider

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
    "get_provider",
]

PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (CaptureProvider, SmtpProvider, SendGridProvider)
}


@cache
def _made(name: str) -> Provider:
    return PROVIDERS[name]()


def get_provider(name: str = "") -> Provider:
    """Return this process's instance of a provider; without a name, the one that the installation is set to."""
    return _made(name or settings.EMAIL_PROVIDER)
