"""The AI writer inside the composer, in a real browser: a fake provider answers on the wire, the worker is a thread."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from aiwriter.agents import running
from aiwriter.models import Generation
from aiwriter.services import generations
from aiwriter.services.briefs import create_brief
from aiwriter.services.money import set_budget
from campaigns.models import Campaign, EmailTemplate
from campaigns.services.templates import create_template
from tests.aiwriter import team
from tests.campaigns.making import HELLO, make_campaign, make_member, make_workspace
from tests.fakes.llm_server import LLMServer, Reply, Request
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)

TWO_PARAGRAPHS = "<p>The beans are here. They rest since June.</p><p>Write to us.</p>"
LINES = [
    ("The harvest lot we waited a year for", "Picked in June, rested for months, roasted this week."),
    ("Finca La Esperanza: 1,450 bags are here", "Red apple, panela and a long finish, roasted this week."),
    ("Meet the family behind your next cup", "Three generations on one hillside, and a letter from Luz."),
    ("Have you tasted Huila yet?", "Light roast, red apple, panela. Free shipping until Sunday."),
    ("Free shipping until Sunday", "On every bag of the harvest roast."),
    ("LAST CHANCE: hurry, today only!!", "Last chance to get it."),
    ("A short note about the harvest", "What the year was like, and what it tastes of."),
    ("87.25 points, and one hillside", "Our cuppers scored it twice. Here is what they wrote."),
    ("What June tastes of in November", "A slow year on one hillside, and what came of it."),
    ("Coffee", "Coffee"),
]


def play(request: Request) -> Reply:
    """The fake model: adds a sentence to a passage, and has ten lines, five labels and one alternative text."""
    data = team.data_of(request)
    if "instruction" in data:
        return Reply(json.dumps({"text": f"{data['text']} It is worth it."}))
    if request.properties == {"lines"}:
        round_two = " again" if "LAST CHANCE: hurry, today only!!" in data.get("earlier", []) else ""
        return Reply(json.dumps({"lines": [{"subject": s + round_two, "preview_text": p} for s, p in LINES]}))
    if request.properties == {"labels"}:
        labels = ("Reserve your bag", "Taste the harvest", "Hold one for me", "See the roast", "Get a bag")
        return Reply(json.dumps({"labels": [{"label": label, "reason": "A reason."} for label in labels]}))
    return Reply(json.dumps({"text": "Terraces of the farm"}))


@pytest.fixture(scope="module", autouse=True)
def _patience() -> Iterator[None]:
    """The stack of the AI writer takes seconds to load, as it does once in a worker; an answer is waited for longer."""
    import_module("langchain_openai")
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def model(settings: Any) -> Iterator[LLMServer]:
    with LLMServer(otherwise=play) as server:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", server.openai_url
        settings.EMBEDDER = "lexical"
        yield server


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What Celery's worker does, as soon as a request has been committed."""
    started: list[threading.Thread] = []

    def work(generation_id: str) -> None:
        try:
            running.run(generation_id)
        finally:
            connection.close()

    class Carrier:
        @staticmethod
        def delay_on_commit(*, generation_id: str) -> None:
            thread = threading.Thread(target=work, args=(generation_id,))
            started.append(thread)
            transaction.on_commit(thread.start)

    monkeypatch.setattr(generations, "run_generation", Carrier)
    yield
    for thread in started:
        thread.join(30)


@pytest.fixture
def campaign() -> Campaign:
    workspace = make_workspace()
    brief = create_brief(
        workspace=workspace,
        fields={
            "goal": "The harvest roast from Finca La Esperanza is back",
            "offer": "Free shipping until Sunday",
            "facts": ["1,450 bags, picked in June", "Cup score 87.25"],
            "cta_url": "https://shop.example.io/beans?a=1&b=2",
        },
    )
    return make_campaign(workspace, brief=brief)


def use_body(campaign: Campaign, *blocks: dict[str, Any]) -> None:
    variant = campaign.variants.get()
    variant.body = [{"id": f"b{number}", **block} for number, block in enumerate(blocks)]
    variant.save()


def stored(campaign: Campaign) -> Any:
    return Campaign.objects.get(pk=campaign.pk).variants.get()


@pytest.fixture
def composer(live_server: LiveServer, page_for: PageFor, campaign: Campaign) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(campaign.workspace))

    def open_composer(path: str = "", **options: Any) -> Page:
        page = page_for(**options)
        # The live server of tests speaks no WebSocket: the page falls back to asking again.
        page.expected_errors.append("WebSocket connection")
        cookie = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        page.goto(live_server.url + (path or reverse("campaigns:composer", args=[campaign.pk])))
        expect(page.locator("#subject")).to_be_visible()
        expect(page.locator("[data-canvas] > *").first).to_be_visible()
        return page

    return open_composer


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name=re.compile("."))


def accept(page: Page) -> None:
    """Wait for the answer, however long it takes, and take it."""
    expect(panel(page).get_by_role("button", name="Accept")).to_be_visible()
    panel(page).get_by_role("button", name="Accept").click()


def select(page: Page, words: str, within: str = ".prose") -> None:
    """Select words of an editor as a person would: with the keyboard's result, a range of the document."""
    page.locator(within).first.click()
    found = page.locator(within).first.evaluate(
        """(box, words) => {
          const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const at = walker.currentNode.data.indexOf(words);
            if (at < 0) continue;
            getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + words.length);
            return true;
          }
          return false;
        }""",
        words,
    )
    assert found, words


def wait_stored(page: Page, campaign: Campaign, check: Callable[[Any], bool]) -> None:
    """Wait until what is saved is as it should be."""
    for _ in range(100):
        if check(stored(campaign)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(stored(campaign).body)


def test_selected_words_are_rewritten_by_keyboard_beside_the_old_ones_as_one_undo_step(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "text", "html": TWO_PARAGRAPHS})
    page = composer()
    page.locator(".prose").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("Look. ")
    page.keyboard.press("Shift+End")
    expect(page.get_by_role("toolbar", name="Rewrite the selected words")).to_be_visible()

    page.keyboard.press("Control+j")
    expect(panel(page).get_by_role("button", name="Shorter")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(panel(page).get_by_role("button", name="Plainer")).to_be_focused()
    page.keyboard.press("Enter")

    expect(panel(page).locator("figure").first).to_contain_text("The beans are here. They rest since June.")
    expect(panel(page).locator("ins")).to_have_text("It is worth it.")
    assert "worth it" not in page.locator(".prose").inner_text()
    expect(panel(page).get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator(".prose")).to_contain_text("They rest since June. It is worth it.")
    expect(page.locator(".prose")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" Yes.")
    wait_stored(page, campaign, lambda variant: "worth it. Yes.</p><p>Write to us.</p>" in variant.body[0]["html"])
    for expected in (
        "<p>Look. The beans are here. They rest since June. It is worth it.</p><p>Write to us.</p>",
        "<p>Look. The beans are here. They rest since June.</p><p>Write to us.</p>",
        TWO_PARAGRAPHS,
    ):
        page.get_by_role("button", name="Undo").click()
        wait_stored(page, campaign, lambda variant, html=expected: variant.body[0]["html"] == html)
    page.get_by_role("button", name="Redo").click()
    page.get_by_role("button", name="Redo").click()
    wait_stored(page, campaign, lambda variant: "It is worth it.</p>" in variant.body[0]["html"])


def test_links_and_merge_tags_come_back_as_they_were(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    page.locator(".prose").click()
    page.get_by_role("toolbar", name="Rewrite this text").get_by_role("button", name="Punchier").click()
    expect(panel(page).locator(".tag").first).to_have_text("first_name")
    accept(page)

    wait_stored(page, campaign, lambda variant: "worth it" in variant.body[1]["html"])
    html = stored(campaign).body[1]["html"]
    assert html.startswith("<p>Hi {{first_name}}, see <a href=")
    assert "https://shop.example.io/beans?a=1&amp;b=2" in html
    assert team.data_of(model.requests[0])["text"] == "Hi {{first_name}}, see ⟦link-a⟧the beans⟦/link-a⟧."
    assert "1,450 bags, picked in June" in team.data_of(model.requests[0])["facts"]


def test_a_lost_link_is_named_and_asked_about_before_it_is_taken(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    model.otherwise = lambda _request: Reply(json.dumps({"text": "See the beans, with 30% off."}))
    page = composer()
    page.locator(".prose").click()
    page.get_by_role("toolbar", name="Rewrite this text").get_by_role("button", name="Plainer").click()
    findings = panel(page).get_by_role("list", name="What the checks say")
    expect(findings).to_contain_text("The merge tag “first_name” is gone.")
    expect(findings).to_contain_text("The link of “the beans” is gone.")
    expect(findings).to_contain_text("30%")

    accept(page)
    question = page.get_by_role("dialog", name="Take it although a check failed?")
    expect(question).to_contain_text("The link of “the beans” is gone.")
    question.get_by_role("button", name="Cancel").click()
    expect(page.locator(".prose .tag")).to_have_text("first_name")
    accept(page)
    question.get_by_role("button", name="Take it").click()
    wait_stored(page, campaign, lambda variant: variant.body[1]["html"] == "<p>See the beans, with 30% off.</p>")


def test_what_is_typed_while_the_answer_is_on_its_way_is_never_overwritten(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "text", "html": TWO_PARAGRAPHS})
    gate = threading.Event()
    model.script.append(Reply(json.dumps({"text": "They are good."}), gate=gate))
    page = composer()
    select(page, "They rest since June.")
    page.keyboard.press("Control+j")
    panel(page).get_by_role("button", name="Shorter").click()
    expect(panel(page)).to_contain_text("Writing…")
    page.locator(".prose").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type(" of last year")
    gate.set()

    expect(panel(page).get_by_role("alert")).to_have_text("You changed this text meanwhile, so nothing was replaced.")
    expect(panel(page)).to_contain_text("They are good.")
    expect(page.locator(".prose")).to_be_focused()
    page.keyboard.type("!")
    wait_stored(page, campaign, lambda variant: "They rest since June of last year!." in variant.body[0]["html"])
    panel(page).get_by_role("button", name="Keep mine").click()
    expect(page.locator("#rewrite")).to_be_hidden()


def test_typing_beside_the_passage_does_no_harm_to_its_answer(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "text", "html": TWO_PARAGRAPHS})
    gate = threading.Event()
    model.script.append(Reply(json.dumps({"text": "They rested."}), gate=gate))
    page = composer()
    select(page, "They rest since June.")
    page.keyboard.press("Control+j")
    panel(page).get_by_role("button", name="Friendlier").click()
    expect(panel(page)).to_contain_text("Writing…")
    page.locator(".prose").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("Look: ")
    gate.set()
    accept(page)
    question = page.get_by_role("dialog", name="Take it although a check failed?")  # June is gone
    question.get_by_role("button", name="Take it").click()
    wait_stored(page, campaign, lambda variant: "Look: The beans are here. They rested.</p>" in variant.body[0]["html"])


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("#subject", lambda variant: variant.subject),
        ("#preview_text", lambda variant: variant.preview_text),
        (".block-heading", lambda variant: variant.body[0]["text"]),
        (".pickd .line-host .line", lambda variant: variant.body[2]["label"]),
    ],
)
def test_every_line_can_be_rewritten_with_the_keys_alone(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign, place: str, read: Callable[[Any], str]
) -> None:
    page = composer()
    if place.startswith(".pickd"):
        page.locator(".block .cta").click()
    before = read(stored(campaign))
    page.locator(place).click()
    page.keyboard.press("Control+j")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Enter")
    wait_stored(page, campaign, lambda variant: read(variant) == f"{before} It is worth it.")
    page.get_by_role("button", name="Undo").click()
    wait_stored(page, campaign, lambda variant: read(variant) == before)


def test_a_template_is_rewritten_in_the_same_way(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    template = create_template(workspace=campaign.workspace, actor=None, name="Harvest", subject="Beans", body=HELLO)
    page = composer(path=reverse("campaigns:template", args=[template.pk]))
    expect(page.locator("[data-subject-score] .line-score")).to_be_visible()
    page.locator(".block-heading").click()
    page.keyboard.press("Control+j")
    page.keyboard.press("Enter")
    accept(page)
    expect(page.locator(".block-heading")).to_have_text("It is here It is worth it.")
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    assert EmailTemplate.objects.get(pk=template.pk).body[0]["text"] == "It is here It is worth it."


def test_words_in_the_code_are_rewritten_and_the_boxs_own_undo_takes_them_back(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    model.otherwise = lambda _request: Reply(json.dumps({"text": 'It "is" here'}))
    page = composer()
    page.get_by_role("button", name="Code", exact=True).click()
    box = page.locator("code-area textarea")
    box.evaluate(
        "(box) => { const at = box.value.indexOf('It is here'); box.focus(); box.setSelectionRange(at, at + 10); }"
    )
    page.keyboard.press("Control+j")
    page.keyboard.press("Enter")
    accept(page)
    wait_stored(page, campaign, lambda variant: variant.body[0]["text"] == 'It "is" here')
    expect(box).to_be_focused()
    page.keyboard.press("Control+z")
    wait_stored(page, campaign, lambda variant: variant.body[0]["text"] == "It is here")

    box.evaluate("(box) => { const at = box.value.indexOf('\"text\"'); box.setSelectionRange(at, at + 12); }")
    page.keyboard.press("Control+j")
    expect(page.locator("#toasts")).to_contain_text("Select the words of one text first")


def test_escape_stops_the_writer_and_leaves_the_text_alone(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    gate = threading.Event()
    model.script.append(Reply(json.dumps({"text": "Never mind."}), gate=gate))
    page = composer()
    page.locator(".block-heading").click()
    page.keyboard.press("Control+j")
    page.keyboard.press("Enter")
    expect(panel(page)).to_contain_text("Writing…")
    page.keyboard.press("Escape")
    expect(page.locator("#rewrite")).to_be_hidden()
    expect(page.locator(".block-heading")).to_be_focused()
    for _ in range(100):
        if Generation.objects.filter(is_cancel_requested=True).exists():
            break
        page.wait_for_timeout(100)
    gate.set()
    assert Generation.objects.get().is_cancel_requested
    assert stored(campaign).body[0]["text"] == "It is here"


def test_without_a_key_rules_do_what_they_can_and_the_rest_is_said(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "text", "html": "<p>We do not really utilize numerous beans.</p>"})
    page = composer()
    page.locator(".prose").click()
    page.keyboard.press("Control+j")
    expect(panel(page)).to_contain_text("need an AI model. No provider key is set")
    expect(panel(page).get_by_role("button", name="Longer")).to_have_attribute("aria-disabled", "true")
    expect(panel(page).get_by_label("Translate into")).to_have_count(0)
    panel(page).get_by_role("button", name="Plainer").click()
    expect(panel(page)).to_contain_text("By rules, no AI model was used")
    accept(page)
    wait_stored(page, campaign, lambda variant: variant.body[0]["html"] == "<p>We do not really use many beans.</p>")


@pytest.mark.parametrize("trouble", ["down", "budget"])
def test_trouble_is_said_in_a_sentence_and_nothing_is_lost(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign, trouble: str
) -> None:
    model.otherwise = lambda _request: Reply(status=401)
    page = composer()
    if trouble == "budget":
        set_budget(workspace=campaign.workspace, actor=None, cap_micro_usd=0, warn_percent=80)
        page.expected_errors.append("Failed to load resource")
    page.locator(".block-heading").click()
    page.keyboard.press("Control+j")
    page.keyboard.press("Enter")
    said = {"down": "key", "budget": "The AI budget of this month is used up."}[trouble]
    expect(panel(page).get_by_role("alert")).to_contain_text(said)
    panel(page).get_by_role("button", name="Keep what is there").click()
    expect(page.locator(".block-heading")).to_have_text("It is here")
    expect(page.locator(".block-heading")).to_be_focused()


def test_the_lab_shows_scored_lines_to_sort_keep_and_use_as_one_undo_step(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    row = page.locator("[data-subject-score]")
    expect(row.locator(".line-score")).to_be_visible()
    before = row.locator(".line-score").inner_text()
    page.locator("#subject").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("Finca La Esperanza: 1,450 bags have come")
    expect(row.locator(".line-score")).not_to_have_text(before)

    row.get_by_role("button", name="Subject lab").click()
    lab = page.get_by_role("dialog", name="Subject lab")
    expect(lab.locator(".lab-detail")).to_contain_text("advice, not fact")
    expect(lab.locator(".lab-detail")).to_contain_text("Not enough data: 0 of the 5 sent subjects")
    lab.get_by_role("button", name="Write ten lines").click()
    expect(lab.locator(".lab-lines li")).to_have_count(11)
    lab.get_by_label("Order of the lines").select_option("score")
    scores = [int(re.match(r"\d+", text)[0]) for text in lab.locator(".lab-lines li .line-score").all_inner_texts()[1:]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 85 > 70 > scores[-1]

    lab.locator(".lab-lines").get_by_role("button", name=re.compile("Meet the family")).click()
    lab.get_by_role("button", name="Keep").click()
    lab.get_by_role("button", name="Another ten").click()
    expect(lab.locator(".lab-lines li")).to_have_count(12)
    expect(lab.locator(".lab-lines li").nth(1)).to_contain_text("Meet the family behind your next cup")
    expect(lab.locator(".lab-lines")).to_contain_text("Coffee again")
    lab.locator(".lab-lines").get_by_role(
        "button", name=re.compile("Meet the family behind your next cup, kept|kept")
    ).click()
    lab.get_by_role("button", name="Use it").click()
    expect(lab.get_by_role("button", name="In the mail", exact=True)).to_be_visible()
    lab.get_by_role("button", name="Close").click()
    wait_stored(page, campaign, lambda variant: variant.subject == "Meet the family behind your next cup")
    assert stored(campaign).preview_text == "Three generations on one hillside, and a letter from Luz."
    page.get_by_role("button", name="Undo").click()
    wait_stored(page, campaign, lambda variant: variant.subject == "Finca La Esperanza: 1,450 bags have come")
    assert stored(campaign).preview_text == "Picked in June"


def test_a_button_gets_labels_and_a_picture_its_words_each_as_one_undo_step(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign
) -> None:
    picture = {"type": "image", "src": "https://cdn.example.io/IMG_1.png", "alt": "", "href": ""}
    use_body(campaign, *HELLO, picture)
    page = composer()
    page.expected_errors.append("net::ERR")  # nobody serves the picture
    page.locator(".block .cta").click()
    page.get_by_role("button", name="Suggest labels").click()
    suggested = page.get_by_role("list", name="Suggest labels")
    expect(suggested.get_by_role("listitem")).to_have_count(5)
    suggested.get_by_role("button", name="Taste the harvest").click()
    expect(page.locator(".block .cta")).to_have_text("Taste the harvest")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".block .cta")).to_have_text("Reserve a bag")

    page.get_by_role("button", name="Choose picture block; drag to move").click()
    page.get_by_role("button", name="Suggest alt text").click()
    expect(page.locator(".pickd")).to_contain_text(
        "From the words around it, not from the picture: look whether it is true."
    )
    page.get_by_role("button", name="Terraces of the farm").click()
    wait_stored(page, campaign, lambda variant: variant.body[3]["alt"] == "Terraces of the farm")
    assert "Hi {{first_name}}, see the beans." in team.data_of(model.requests[-1])["around"]


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_it_is_accessible_and_fits(
    model: LLMServer, composer: Callable[..., Page], campaign: Campaign, theme: str, width: int
) -> None:
    model.otherwise = lambda request: (
        Reply(json.dumps({"text": "{{first_name}}, have a look at the beans, with 30% off."}))
        if "instruction" in team.data_of(request)
        else play(request)
    )
    page = composer(theme=theme, width=width)
    expect(page.locator("[data-subject-score] .line-score")).to_be_visible()

    def look(name: str) -> None:
        assert_accessible(page, exclude=["iframe"])
        assert_fits(page)
        save_picture(page, f"writing_aid_{name}_{theme}_{width}")

    page.locator(".prose").click()
    select(page, "see")
    expect(page.get_by_role("toolbar", name="Rewrite the selected words")).to_be_visible()
    look("bar")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+j")
    expect(panel(page).get_by_role("button", name="Shorter")).to_be_focused()
    look("choose")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("button", name="Accept")).to_be_focused()
    look("answer")
    page.keyboard.press("Escape")
    page.locator(".block .cta").click()
    page.get_by_role("button", name="Suggest labels").click()
    expect(page.get_by_role("list", name="Suggest labels").get_by_role("listitem")).to_have_count(5)
    look("labels")
    page.get_by_role("button", name="Subject lab").click()
    lab = page.get_by_role("dialog", name="Subject lab")
    lab.get_by_role("button", name="Write ten lines").click()
    expect(lab.locator(".lab-lines li")).to_have_count(11)
    expect(lab).to_contain_text("Not enough data")
    look("lab")
