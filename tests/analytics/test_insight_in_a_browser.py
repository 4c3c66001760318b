"""The card of a finished campaign in Chromium: by rules, while a model writes, by a model, and on to a second mail."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings as configured
from django.db import connections
from django.test import Client
from django.urls import reverse

from aiwriter.agents import running
from aiwriter.models import Generation
from campaigns.models import Campaign
from tests.analytics.making import make_member, make_workspace
from tests.analytics.test_insight import finished, said, with_history
from tests.fakes.llm_server import LLMServer, Reply
from tests.pages import LOOKS, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report(page_for, live_server):
    """Open the page of a finished campaign that has three before it."""
    workspace = make_workspace()
    with_history(workspace, 3, clicks=8)
    campaign = finished(workspace, clicks=44).campaign
    member = make_member(workspace)

    def open_report(**look):
        page = page_for(**look)
        page.expected_errors = ["WebSocket", "/ws/"]
        client = Client()
        client.force_login(member)
        name = configured.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + reverse("analytics:live", args=[campaign.pk]))
        page.get_by_role("heading", name="In two lines").wait_for()
        return page

    return open_report


def _work() -> None:
    running.run(Generation.objects.latest("created_at").pk)
    connections.close_all()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_finished_campaign_is_summed_up_by_rules_and_leads_to_a_second_mail(report, theme, width):
    page = report(theme=theme, width=width)

    page.get_by_text("is above the average of 4.0 % of the last 3 campaigns").first.wait_for()
    page.get_by_text("What this rests on").press("Enter")
    page.get_by_text("60 people opened, 30.0 % of the delivered").wait_for()
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"insight-{width}-{theme}")

    page.get_by_label("Write again to those who").select_option("clicked")
    page.get_by_role("button", name="Draft a follow-up").press("Enter")
    page.wait_for_url("**/campaigns/*")
    made = Campaign.objects.get(name__startswith="Follow-up")
    assert (made.status, made.segments.get().name) == ("draft", "Clicked: Harvest roast launch")
    page.get_by_text("Nothing is sent until somebody sends it").wait_for()


def test_a_model_is_asked_by_a_button_and_its_lines_say_that_they_are_its(report, settings, monkeypatch):
    monkeypatch.setattr("aiwriter.tasks.run_generation.apply_async", lambda *_args, **_options: None)
    with LLMServer() as fake:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", fake.openai_url
        settings.ANTHROPIC_API_KEY = ""
        fake.script.append(said(stands_out="The click rate of 22.0 % is above the average of 4.0 %."))
        fake.otherwise = lambda _request: Reply(status=401)
        page = report()
        page.get_by_role("button", name="Ask the AI writer").press("Enter")
        page.get_by_text("The AI writer is reading the figures").wait_for()

        at_work = threading.Thread(target=_work)
        at_work.start()
        at_work.join()

        page.get_by_text("AI · gpt").wait_for()
    page.get_by_text("The click rate of 22.0 % is above the average of 4.0 %.", exact=True).wait_for()
    assert not page.get_by_role("button", name="Ask the AI writer").count()
    assert_accessible(page)
    save_picture(page, "insight-by-model-1280-light")


def test_when_the_model_cannot_help_the_rules_lines_stay_and_the_card_says_why(report, settings, monkeypatch):
    monkeypatch.setattr("aiwriter.tasks.run_generation.apply_async", lambda *_args, **_options: None)
    with LLMServer() as fake:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", fake.openai_url
        settings.ANTHROPIC_API_KEY = ""
        fake.otherwise = lambda _request: said(happened="Everybody loved it.")
        page = report()
        page.get_by_role("button", name="Ask the AI writer").click()
        page.get_by_text("The AI writer is reading the figures").wait_for()

        at_work = threading.Thread(target=_work)
        at_work.start()
        at_work.join()

        page.get_by_text("These lines were made by rules.").wait_for()
    page.get_by_role("button", name="Try again").wait_for()
    assert_accessible(page)
    save_picture(page, "insight-refused-1280-light")
