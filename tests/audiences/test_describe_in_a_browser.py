"""The builder's box in Chromium: a sentence becomes rules by keyboard; groups, waiting, refusal and taking back."""

from __future__ import annotations

import json
import threading

import pytest
from django.conf import settings as configured
from django.db import connections
from django.test import Client
from django.urls import reverse

from aiwriter.agents import running
from aiwriter.models import Generation
from audiences import services
from audiences.models import Segment
from tests.audiences.test_from_text import SPENT, answer
from tests.fakes.llm_server import LLMServer
from tests.pages import LOOKS, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(workspace, make_contact, newsletter) -> None:
    services.create_field(workspace=workspace, key="country", label="Country")
    services.create_field(workspace=workspace, key="spent", label="Total spent", type="number")
    for number, country in enumerate(("Germany", "Germany", "Norway", "France")):
        make_contact(
            f"person{number}@gmail.com", attributes={"country": country, "spent": 60 * number}, lists=[newsletter]
        )


@pytest.fixture
def builder(page_for, live_server, owner, people):
    def open_builder(**look):
        page = page_for(**look)
        client = Client()
        client.force_login(owner)
        name = configured.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + reverse("audiences:segment_new"))
        return page

    return open_builder


def wish(page, text: str) -> None:
    field = page.get_by_role("textbox", name="Describe who you mean")
    field.fill(text)
    field.press("Enter")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_sentence_becomes_rules_to_check_and_only_saving_keeps_them(builder, workspace, theme, width):
    page = builder(theme=theme, width=width)

    wish(page, "in Germany or Norway who spent over 50, and likes jazz")

    page.get_by_text("I did not understand", exact=True).wait_for()
    assert page.get_by_text("“likes jazz”").first.is_visible()
    page.get_by_text("By rules, no AI model").wait_for()
    page.locator("[data-count]", has_text="2").wait_for()
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"segment-described-{width}-{theme}")
    assert not Segment.objects.exists()

    page.get_by_role("textbox", name="Name").fill("Neighbours")
    page.get_by_role("textbox", name="Name").press("Enter")
    page.wait_for_url("**/segments")
    assert Segment.objects.get().rules == {
        "all": [
            {"field": "country", "op": "in", "value": ["Germany", "Norway"]},
            {"field": "spent", "op": "greater_than", "value": 50},
        ]
    }


def test_groups_are_shown_changed_and_saved(builder, workspace):
    page = builder()
    wish(page, "(in Germany or spent over 100) but not gmail users")

    page.get_by_role("group", name="Group of conditions").first.wait_for()
    assert page.get_by_role("group", name="Group of conditions").count() == 2
    save_picture(page, "segment-groups-1280-light")
    page.get_by_role("button", name="Remove group").last.click()
    page.locator("[data-count]", has_text="4").wait_for()
    page.get_by_role("button", name="Add group").first.click()
    page.get_by_role("button", name="Remove group").last.click()
    page.get_by_role("textbox", name="Name").fill("Grouped")
    page.get_by_role("button", name="Save segment").click()
    page.wait_for_url("**/segments")

    rules = {
        "any": [
            {"field": "country", "op": "is", "value": "Germany"},
            {"field": "spent", "op": "greater_than", "value": 100},
        ]
    }
    assert Segment.objects.get().rules == {"all": [rules]}


def test_the_rules_from_before_can_be_put_back(builder):
    page = builder()
    before = page.locator("[name=rules]").input_value()
    wish(page, "in Norway")
    page.get_by_text("Country is “Norway”", exact=True).wait_for()

    page.get_by_role("button", name="Put my rules back").press("Enter")

    assert json.loads(page.locator("[name=rules]").input_value()) == json.loads(before)
    assert page.get_by_role("textbox", name="Describe who you mean").evaluate("one => one === document.activeElement")


def test_what_nobody_understands_is_said_and_changes_nothing(builder):
    page = builder()
    page.expected_errors = ["400"]
    before = page.locator("[name=rules]").input_value()

    wish(page, "people who like jazz")

    page.get_by_text("I did not understand: “like jazz”").wait_for()
    assert_accessible(page)
    save_picture(page, "segment-not-understood-1280-light")
    assert page.locator("[name=rules]").input_value() == before


def test_while_a_model_reads_the_page_says_so_and_then_shows_its_rules(builder, settings, monkeypatch):
    monkeypatch.setattr("aiwriter.tasks.run_generation.apply_async", lambda *_args, **_options: None)
    with LLMServer() as fake:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", fake.openai_url
        settings.ANTHROPIC_API_KEY = ""
        fake.otherwise = lambda _request: answer(SPENT, missed=("jazz",))
        page = builder()
        wish(page, "our big spenders with a taste for jazz")
        page.get_by_text("an AI model is asked").wait_for()
        save_picture(page, "segment-waiting-1280-light")

        at_work = threading.Thread(target=_work)
        at_work.start()
        at_work.join()

        page.get_by_text("AI · gpt").wait_for()
    page.get_by_text("Total spent is at least 100", exact=True).wait_for()
    assert_accessible(page)
    save_picture(page, "segment-by-model-1280-light")


def _work() -> None:
    running.run(Generation.objects.get().pk)
    connections.close_all()
