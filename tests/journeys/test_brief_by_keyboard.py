"""From one sentence to a draft in the editor without a mouse: by templates, and by a model that streams."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.campaigns.angles import BRIEF, LINK, write
from tests.fakes.llm_server import LLMServer, Reply, Request
from tests.instance import Instance
from tests.pages import PageFor, assert_accessible, save_picture

PATIENT_MS = 60_000
MOST_TABS = 120
SENTENCE = "Tell our subscribers that the harvest lot is back, free shipping until Sunday"


def write_slowly(request: Request) -> Reply:
    """Long answers dribble, so that there is something to see and to stop."""
    reply = write(request, is_stubborn=False)
    reply.fault = "dribble" if reply.pieces > 20 else ""
    return reply


def has_focus(wanted: Locator) -> bool:
    return bool(wanted.evaluate("node => node === document.activeElement"))


def tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Press Tab (or Shift+Tab) until the focus is there, as a person would; it must be seen to be there."""
    expect(wanted).to_be_visible(timeout=PATIENT_MS)
    for _ in range(MOST_TABS):
        if has_focus(wanted):
            ring = wanted.evaluate("node => getComputedStyle(node).outlineStyle")
            assert ring != "none", f"{wanted} does not show that it has the focus"
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"no way to {wanted} by Tab")


def type_into(page: Page, field: Locator, text: str) -> None:
    tab_to(page, field)
    page.keyboard.type(text)


def press(page: Page, button: Locator) -> None:
    tab_to(page, button)
    page.keyboard.press("Enter")


def begin(page: Page, instance: Instance, name: str) -> None:
    """Sign in and open the composer of a new campaign."""
    email, password = instance.sign_ins["editor"]
    page.goto(f"{instance.url}/sign-in")
    type_into(page, page.get_by_label("Email"), email)
    type_into(page, page.get_by_label("Password", exact=True), password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).not_to_have_text("Sign in", timeout=PATIENT_MS)
    page.goto(f"{instance.url}/campaigns/new")
    type_into(page, page.get_by_label("Name", exact=False).first, name)
    press(page, page.get_by_role("button", name="Start writing"))
    expect(page.locator("#b-goal")).to_be_visible(timeout=PATIENT_MS)


def propose(page: Page) -> None:
    """One sentence, the rest proposed, taken as it is."""
    type_into(page, page.locator("#b-goal"), SENTENCE)
    press(page, page.get_by_role("button", name="Propose the rest"))
    expect(page.get_by_role("button", name="Use all")).to_be_focused(timeout=PATIENT_MS)
    assert page.locator("#b-offer").input_value() == ""
    page.keyboard.press("Enter")
    expect(page.locator("#b-offer")).to_have_value(BRIEF["offer"])


def choose(page: Page, letter: str) -> None:
    """Wait for the angles, walk to one of them, and take it."""
    cards = page.locator("[data-angle]")
    for number in range(3):
        expect(cards.nth(number)).to_have_attribute("aria-busy", "false", timeout=PATIENT_MS)
    expect(page.get_by_role("button", name="Adopt angle A")).to_be_focused(timeout=PATIENT_MS)
    chosen = page.get_by_role("button", name=f"Adopt angle {letter}")
    press(page, chosen)
    expect(page.locator("#h-edit")).to_be_focused(timeout=PATIENT_MS)
    expect(page.locator("[data-saved-text]")).to_contain_text("Adopted")


def test_templates_lead_from_a_sentence_to_the_editor(instance: Instance, page_for: PageFor) -> None:
    page = page_for()
    begin(page, instance, "By keyboard alone")
    propose(page)
    page.keyboard.press("Enter")  # the focus is on "Write three angles"
    choose(page, "B")

    subject = page.locator("[data-angle]").nth(1).get_by_role("heading").get_attribute("aria-label")
    expect(page.locator("#subject")).to_have_text(str(subject))
    expect(page.get_by_text("Template draft – no AI model was used").first).to_be_visible()
    expect(page.locator("[data-desk] li")).to_have_count(3)
    assert_accessible(page)
    save_picture(page, "keyboard-templates")


def test_a_model_streams_is_stopped_and_leads_to_the_editor(
    instance: Instance, model: LLMServer, page_for: PageFor
) -> None:
    model.otherwise = write_slowly
    page = page_for()
    begin(page, instance, "By keyboard with a model")
    propose(page)
    tab_to(page, page.locator("#b-facts"), back=True)
    page.keyboard.press("Control+End")
    page.keyboard.type("\n" + "\n".join(BRIEF["facts"]))
    type_into(page, page.locator("#b-cta_url"), LINK)
    page.keyboard.press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_focused(timeout=PATIENT_MS)
    expect(page.locator("[data-angle]")).to_have_count(3)
    body = page.locator("[data-angle] [data-part=body]").first
    expect(body).to_contain_text("Hi", timeout=PATIENT_MS)
    tops = page.locator("[data-angle]").evaluate_all("cards => cards.map(card => card.getBoundingClientRect().top)")
    page.keyboard.press("Escape")
    expect(page.locator("[data-part=status]")).to_have_text("Stopped.", timeout=PATIENT_MS)

    press(page, page.get_by_role("button", name="New set"))
    expect(stop).to_be_focused(timeout=PATIENT_MS)
    lengths = watch_growth(page)
    choose(page, "C")

    assert len(lengths) >= 3, f"the text came in one piece: {lengths}"
    assert lengths == sorted(lengths), "the text went back while it grew"
    again = page.locator("[data-angle]").evaluate_all("cards => cards.map(card => card.getBoundingClientRect().top)")
    assert len(set(again)) == len(set(tops)) == 1, "cards are not side by side"
    expect(page.locator("#subject")).to_contain_text("Red apple, panela")
    expect(page.locator("[data-desk] li").first).to_contain_text("Strategist")
    expect(page.locator("[data-desk-foot]")).to_contain_text("tokens")
    assert_accessible(page)
    save_picture(page, "keyboard-model")
    shown = page.locator("[data-desk] li b").all_inner_texts()
    page.reload()
    expect(page.locator("[data-desk] li")).to_have_count(len(shown), timeout=PATIENT_MS)
    expect(page.locator("[data-angle]").nth(2)).to_have_attribute("data-state", "adopted")


def watch_growth(page: Page) -> list[int]:
    """The lengths that the first body had until its card was done, as the page itself saw them."""
    return page.evaluate(
        """() => new Promise((resolve) => {
            const seen = [];
            const look = () => {
                const card = document.querySelector("[data-angle]");
                const length = card?.querySelector("[data-part=body]").textContent.length ?? 0;
                if (card?.getAttribute("aria-busy") === "false") return resolve(seen);
                if (length && length !== seen.at(-1)) seen.push(length);
                setTimeout(look, 20);
            };
            look();
        })"""
    )
