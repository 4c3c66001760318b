"""Rewriting and the subject lab on a running PulseQuill: real worker, real socket, a fake provider on the wire."""

from __future__ import annotations

import json
import re
import threading

from playwright.sync_api import Page, expect

from tests.aiwriter import team
from tests.fakes.llm_server import LLMServer, Reply, Request
from tests.instance import Instance
from tests.journeys.signing_in import sign_in
from tests.pages import PageFor, save_picture, settle

PATIENT_MS = 60_000
LONGER = (
    "The harvest roast is back, and it has rested long enough to be worth the wait of a whole year for everybody here"
)
#: The demo workspace has sent "The first boxes from Huila are here".
LINES = [{"subject": f"Box {n} from Huila is here", "preview_text": "Roasted this week."} for n in range(10)]


def test_an_edit_streams_in_is_taken_and_undone_and_the_lab_knows_what_was_sent(
    instance: Instance, model: LLMServer, page_for: PageFor
) -> None:
    gate = threading.Event()  # opens to let the model finish what it has begun to say

    def play(request: Request) -> Reply:
        if "instruction" in team.data_of(request):
            return Reply(json.dumps({"text": LONGER}), pieces=5, gate=gate)
        return Reply(json.dumps({"lines": LINES}))

    model.otherwise = play
    page: Page = page_for()
    page.context.set_default_timeout(PATIENT_MS)
    sign_in(page, instance, "owner")
    page.goto(f"{instance.url}/campaigns/new")
    page.get_by_label("Name").first.fill("Harvest roast")
    page.get_by_role("button", name="Start writing").click()

    expect(page.locator("#subject")).to_be_visible(timeout=PATIENT_MS)
    settle(page)
    page.locator("#subject").click()
    page.keyboard.type("The harvest roast is back")
    page.keyboard.press("Control+j")
    panel = page.locator("#rewrite")
    panel.get_by_role("button", name="Longer").click()
    growing = panel.locator("figure").last
    expect(growing).to_contain_text(re.compile(r"The harvest"), timeout=PATIENT_MS)
    expect(growing).to_have_attribute("aria-busy", "true")
    expect(page.locator("#subject")).to_have_text("The harvest roast is back")
    save_picture(page, "journey-writing-streams")
    gate.set()
    expect(panel.locator("ins").first).to_be_visible(timeout=PATIENT_MS)
    panel.get_by_role("button", name="Accept").click()
    expect(page.locator("#subject")).to_have_text(LONGER)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#subject")).to_have_text("The harvest roast is back")

    page.get_by_role("button", name="Subject lab").click()
    lab = page.get_by_role("dialog", name="Subject lab")
    lab.get_by_role("button", name="Write ten lines").click()
    expect(lab.locator(".lab-lines li")).to_have_count(11, timeout=PATIENT_MS)
    past = lab.get_by_role("table", name="Similar subjects that were sent")
    expect(past.get_by_role("row").nth(1)).to_contain_text("The first boxes from Huila are here", timeout=PATIENT_MS)
    expect(past.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\d\.\d %"))
    expect(lab).to_contain_text("no prediction")
    save_picture(page, "journey-subject-lab")
