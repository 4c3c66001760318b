"""Composing: subject, text, HTML and headers to finished bytes, against what others do for the same mail.

The product's side is what the pipeline calls for a claimed batch, the look-up of the contacts included.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import chevron
from chevron.tokenizer import tokenize
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from campaigns.content import mustache
from campaigns.delivery import ledger
from campaigns.delivery.providers import OutgoingMessage
from campaigns.delivery.rendering import Renderer
from campaigns.models import Campaign
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark

BATCH = 1000
ROUNDS = 5
#: What the templates hold, as a dictionary of the shape that chevron reads.
CONTEXT = {
    "first_name": "Maya",
    "unsubscribe_url": "https://pq.example/u/" + "x" * 54,
    "preferences_url": "https://pq.example/p/" + "x" * 54,
    "web_version_url": "https://pq.example/w/" + "x" * 24,
    "pq_link_0": "https://pq.example/t/c/" + "x" * 32,
    "pq_link_1": "https://pq.example/t/c/" + "x" * 32,
    "pq_open_pixel": '<img src="https://pq.example/t/o/xxxxxxxxxxxxxxxxxxxxxxxx">',
    "workspace": {"name": "Northwind", "postal_address": "14 Harbour Row, Bristol", "reason_line": "You signed up."},
    "campaign": {"name": "Benchmark"},
}


def _product() -> tuple[Campaign, Callable[[], float]]:
    workspace = make_workspace("Composing")
    readers = make_audience(workspace, BATCH)
    campaign = mail.make_campaign(workspace, readers, mail.make_sender(workspace))
    mail.launch(campaign, "smtp")
    claim = ledger.claim(campaign=campaign, list_ids=[readers.pk], limit=BATCH, worker="bench", now=timezone.now())
    renderer = Renderer(campaign)

    def product() -> float:
        started = time.perf_counter()
        for _ in range(ROUNDS):
            composed = renderer.render(claim.rows, content="mime", now=timezone.now())
        seconds = time.perf_counter() - started
        assert sum(isinstance(message, OutgoingMessage) for message in composed) == BATCH
        return ROUNDS * BATCH / seconds

    return campaign, product


def _against_chevron(_is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """The limit renders the same three templates from ready-made tokens, and makes no message of them."""
    campaign, product = _product()
    variant = campaign.variants.get()
    sources = (mustache.unescaped(variant.subject), variant.compiled_text, variant.compiled_html)
    tokens = [list(tokenize(source)) for source in sources]

    def reference() -> float:
        started = time.perf_counter()
        for _ in range(BATCH):
            for template in tokens:
                chevron.render(template, CONTEXT)
        return BATCH / (time.perf_counter() - started)

    return product, reference


def _against_django(_is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """The peer is given finished texts and makes the bytes."""
    _campaign, product = _product()
    text, html = mail.sample_parts()

    def reference() -> float:
        started = time.perf_counter()
        for reader in range(BATCH):
            message = EmailMultiAlternatives("The harvest lot", text, mail.FROM, [f"reader{reader}@example.com"])
            message.attach_alternative(html, "text/html")
            message.message().as_bytes()
        return BATCH / (time.perf_counter() - started)

    return product, reference


CHEVRON = Benchmark(
    name="Composing a message",
    unit="messages/s",
    reference_name="chevron, from tokens",
    prepare=_against_chevron,
    floor=1.0,
    aim=1.4,
)
DJANGO = Benchmark(
    name="Composing a message",
    unit="messages/s",
    reference_name="EmailMultiAlternatives",
    prepare=_against_django,
    floor=15.0,
    aim=20.0,
)
