"""Routing, catalogue, tokens and prices: pure tables."""

from __future__ import annotations

from datetime import date

import pytest

from aiwriter.gateway.catalog import Catalog, UnknownModel, load_catalog, seed_prices
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.router import fallback_route, route
from aiwriter.gateway.tokens import estimate_text
from aiwriter.gateway.types import Usage
from aiwriter.models import ModelPrice

BEFORE, AFTER = date(2026, 11, 23), date(2027, 1, 14)
BOTH = ("openai", "anthropic")


@pytest.fixture
def catalog(db) -> Catalog:
    return load_catalog(BEFORE)


@pytest.mark.parametrize(
    ("task", "complexity", "brand", "available", "model"),
    [
        ("subject_lines", "high", True, BOTH, "gpt-4.1-mini"),
        ("cta", "medium", False, BOTH, "gpt-4.1-mini"),
        ("drafts", "high", False, BOTH, "claude-sonnet-5-5"),
        ("drafts", "low", True, BOTH, "claude-sonnet-5-5"),
        ("drafts", "medium", False, BOTH, "gpt-4.1"),
        ("writer:A", "medium", False, ("anthropic",), "claude-sonnet-5-5"),
        ("subject_lines", "low", False, ("anthropic",), "claude-haiku-5-5"),
        ("drafts", "high", True, ("openai",), "gpt-4.1"),
        ("drafts", "medium", False, (), "template-v1"),
    ],
)
def test_it_routes(catalog, task, complexity, brand, available, model):
    chosen = route(task=task, complexity=complexity, needs_brand_alignment=brand, available=available, catalog=catalog)

    assert chosen.model == model
    assert chosen.reason


def test_without_a_key_and_without_templates_it_refuses(catalog):
    with pytest.raises(GatewayError, match="ai_not_configured"):
        route(task="drafts", complexity="low", needs_brand_alignment=False, available=(), catalog=catalog,
              is_offline_allowed=False)  # fmt: skip


def test_a_critic_comes_from_the_other_family(catalog):
    chosen = route(task="critic", complexity="medium", needs_brand_alignment=False, available=BOTH, catalog=catalog,
                   avoid="openai")  # fmt: skip

    assert chosen.provider == "anthropic"


def test_after_its_last_day_a_model_is_replaced(db):
    small = route(task="cta", complexity="low", needs_brand_alignment=False, available=BOTH,
                  catalog=load_catalog(AFTER))  # fmt: skip

    assert small.model == "gpt-6-luna"


def test_the_other_family_steps_in(catalog):
    main = route(task="drafts", complexity="medium", needs_brand_alignment=False, available=BOTH, catalog=catalog)

    assert fallback_route(main, task="drafts", available=BOTH, catalog=catalog).model == "claude-sonnet-5-5"
    assert fallback_route(main, task="drafts", available=("openai",), catalog=catalog) is None


def test_a_price_depends_on_the_day_and_on_the_length(catalog):
    assert catalog.get("claude-haiku-5-5", input_tokens=99_999).input_price == 100_000
    assert catalog.get("claude-haiku-5-5", input_tokens=100_000).input_price == 500_000
    with pytest.raises(UnknownModel):
        catalog.get("no-such-model")


def test_a_newer_price_row_replaces_an_older_one(db):
    old = ModelPrice.objects.get(model="gpt-4.1")
    ModelPrice.objects.create(
        provider="openai", model="gpt-4.1", role="main", valid_from=date(2026, 12, 1), input_price=1, output_price=2,
        context_tokens=1000, max_output_tokens=100,
    )  # fmt: skip

    assert load_catalog(BEFORE).get("gpt-4.1").input_price == old.input_price
    assert load_catalog(date(2026, 12, 2)).get("gpt-4.1").input_price == 1


def test_seeding_again_keeps_what_an_operator_changed(db):
    ModelPrice.objects.filter(model="gpt-4.1").update(input_price=7)

    assert seed_prices() == 0
    assert ModelPrice.objects.get(model="gpt-4.1").input_price == 7


@pytest.mark.parametrize(
    ("model", "usage", "micro_usd"),
    [
        ("gpt-4.1-mini", Usage(2000, 800), 2080),
        ("gpt-4.1", Usage(2000, 800), 10_400),
        ("claude-sonnet-5-5", Usage(2000, 800), 12_000),
        ("gpt-4.1", Usage(2000, 0, cached_tokens=1000), 2500),
        ("gpt-4.1-mini", Usage(1, 0), 1),
    ],
)
def test_it_counts_money_in_whole_micro_dollars(catalog, model, usage, micro_usd):
    assert cost_micro_usd(catalog.get(model), usage) == micro_usd


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("The harvest roast is back, free shipping until Sunday. " * 10, 110, 190), ("収穫祭のコーヒー" * 10, 72, 100)],
)
def test_it_estimates_tokens_by_script(text, least, most):
    assert least <= estimate_text(text) <= most
    assert estimate_text(text, "anthropic") > estimate_text(text)
