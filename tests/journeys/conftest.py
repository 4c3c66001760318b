"""The one running PulseQuill of the journeys, and a model for those that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.fakes.llm_server import LLMServer, Reply
from tests.instance import Instance
from tests.journeys.signing_in import sign_in
from tests.pages import PageFor


@pytest.fixture
def model(instance: Instance, page_for: PageFor) -> Iterator[LLMServer]:
    """Answers for a provider whose key the demo's owner saves for the length of a test; say what in `otherwise`."""
    page = page_for()
    sign_in(page, instance, "owner")
    page.goto(f"{instance.url}/ai")
    keys = page.locator("li").filter(has=page.get_by_label("OpenAI key"))
    keys.get_by_text("Use a key of your own").click()
    keys.get_by_label("OpenAI key").fill("sk-of-the-demo-workspace")
    keys.get_by_role("button", name="Save key").click()
    expect(keys).to_contain_text("Own key")
    yield instance.model
    instance.model.otherwise = lambda _request: Reply()
    keys.get_by_text("Replace or remove").click()
    keys.get_by_role("button", name="Remove").click()
    expect(keys).to_contain_text("No key")
    page.close()
