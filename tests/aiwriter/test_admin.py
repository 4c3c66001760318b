"""An operator keeps models and prices in the admin, and cannot rewrite what was paid."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from aiwriter.gateway.catalog import load_catalog
from aiwriter.models import Generation, GenerationStep, ModelPrice
from tests.aiwriter.making import make_workspace

pytestmark = pytest.mark.django_db
MODELS = [model for model in apps.get_app_config("aiwriter").get_models() if not model._meta.auto_created]
LIST = "admin:aiwriter_modelprice_changelist"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ops@pulsequill.example", "a-long-password-here"))
    return client


@pytest.fixture
def price() -> ModelPrice:
    return ModelPrice.objects.get(model="gpt-4.1")


def book(price: ModelPrice) -> GenerationStep:
    workspace = make_workspace()
    generation = Generation.objects.create(workspace=workspace, status="succeeded")
    return GenerationStep.objects.create(
        workspace=workspace, generation=generation, role="writer", provider="openai", model_requested=price.model,
        price=price, cost_micro_usd=77,
    )  # fmt: skip


def form_of(price: ModelPrice, **changes: object) -> dict[str, object]:
    values = {field.name: getattr(price, field.name) for field in price._meta.fields if field.name != "id"}
    values = {name: "" if value is None or value is False else value for name, value in values.items()}
    return {**values, **changes}


def address(price: ModelPrice) -> str:
    return reverse("admin:aiwriter_modelprice_change", args=[price.pk])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_list(operator: Client, model: type) -> None:
    assert model in admin.site._registry
    assert operator.get(reverse(f"admin:aiwriter_{model._meta.model_name}_changelist")).status_code == 200


def test_a_price_by_which_nothing_was_paid_is_edited(operator: Client, price: ModelPrice) -> None:
    operator.post(address(price), form_of(price, input_price=3_000_000, role="small"))

    price.refresh_from_db()
    assert (price.input_price, price.role) == (3_000_000, "small")


def test_a_price_by_which_calls_were_paid_stays_and_the_rest_of_its_row_is_edited(operator, price) -> None:
    step = book(price)
    last_day = timezone.now().date() + timedelta(days=30)

    operator.post(
        address(price), form_of(price, input_price=1, valid_from="2020-01-01", shutdown_date=last_day, role="small")
    )
    operator.post(reverse("admin:aiwriter_modelprice_delete", args=[price.pk]), {"post": "yes"})

    price.refresh_from_db()
    assert (price.input_price, str(price.valid_from)) == (2_000_000, "2024-01-01")
    assert (price.shutdown_date, price.role) == (last_day, "small")
    step.refresh_from_db()
    assert (step.price_id, step.cost_micro_usd) == (price.pk, 77)


def test_a_new_price_begins_tomorrow_and_history_keeps_the_old_one(operator: Client, price: ModelPrice) -> None:
    step = book(price)
    today = timezone.now().date()

    answer = operator.post(reverse(LIST), {"action": "begin_new_price", "_selected_action": [price.pk]})
    copy = ModelPrice.objects.get(model=price.model, valid_from=today + timedelta(days=1))
    operator.post(address(copy), form_of(copy, input_price=9_000_000))

    assert answer["Location"] == address(copy)
    assert load_catalog(today).get("gpt-4.1").input_price == 2_000_000
    assert load_catalog(today + timedelta(days=1)).get("gpt-4.1").input_price == 9_000_000
    step.refresh_from_db()
    assert (step.price_id, step.cost_micro_usd) == (price.pk, 77)

    again = operator.post(reverse(LIST), {"action": "begin_new_price", "_selected_action": [price.pk]}, follow=True)
    assert "has a price from" in again.content.decode()


@pytest.mark.parametrize("name", ["gpt-unheard-of", "gpt-4.1"])
def test_a_replacement_is_another_model_that_is_known(operator: Client, price: ModelPrice, name: str) -> None:
    page = operator.post(address(price), form_of(price, replacement=name))

    assert page.status_code == 200, "the form comes back"
    price.refresh_from_db()
    assert price.replacement == "gpt-6-luna"


def test_the_list_warns_of_models_in_use_that_end_soon_and_filters_them(operator: Client, price: ModelPrice) -> None:
    today = timezone.now().date()
    ModelPrice.objects.update(shutdown_date=None)
    ModelPrice.objects.filter(pk=price.pk).update(shutdown_date=today + timedelta(days=10))
    ModelPrice.objects.filter(model="gpt-4o").update(shutdown_date=today - timedelta(days=1))

    page = operator.get(reverse(LIST)).content.decode()

    assert f"Model gpt-4.1 ends on {today + timedelta(days=10)}. gpt-6-luna takes over." in page
    assert "gpt-4o ends" not in page, "the router does not use it by itself"
    assert "⚠ in 10 days" in page

    def listed(**query: str) -> set[str]:
        return {row.model for row in operator.get(reverse(LIST), query).context["cl"].result_list}

    assert listed(ends="soon") == {"gpt-4.1"}
    assert listed(ends="over") == {"gpt-4o"}
    assert "gpt-6-luna" in listed(ends="unknown")


def test_the_list_tells_prices_of_today_from_later_and_earlier_ones(operator: Client, price: ModelPrice) -> None:
    today = timezone.now().date()
    rows = {}
    for name, day in (("newer", today), ("later", today + timedelta(days=1))):
        values = {f.attname: getattr(price, f.attname) for f in price._meta.fields if not f.primary_key}
        rows[name] = ModelPrice.objects.create(**{**values, "valid_from": day})

    def listed(choice: str) -> set[int]:
        return {row.pk for row in operator.get(reverse(LIST), {"in_force": choice}).context["cl"].result_list}

    assert rows["newer"].pk in listed("now")
    assert price.pk not in listed("now")
    assert listed("later") == {rows["later"].pk}
    assert listed("past") == {price.pk}
