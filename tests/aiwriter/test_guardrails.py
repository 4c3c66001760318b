"""The rules that every draft is held against."""

from __future__ import annotations

import pytest

from aiwriter.evals.labelled_drafts import labelled_drafts, measure
from aiwriter.guardrails import check_draft

EVIDENCE = ("Free shipping until Sunday. 1,450 bags, 20% off with code ROAST20. Our harvest roast is back.",)
BODY = "Our harvest roast is back, and shipping is free until Sunday."


def codes(body: str = BODY, *, subject: str = "The harvest roast is back", blocks=None, **options) -> set[str]:
    return {finding["code"] for finding in report(body, subject=subject, blocks=blocks, **options)["findings"]}


def report(body: str = BODY, *, subject: str = "The harvest roast is back", blocks=None, **options):
    blocks = blocks if blocks is not None else [{"id": "a1", "type": "text", "html": f"<p>{body}</p>"}]
    settings = {"preview_text": "Free shipping until Sunday.", "evidence": EVIDENCE, **options}
    return check_draft(subject=subject, blocks=blocks, **settings)


def test_a_good_draft_has_no_findings():
    assert report()["findings"] == []
    assert report()["ok"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Hi [First Name], our harvest roast is back today.", "tag_foreign"),
        ("Hi *|FNAME|*, our harvest roast is back today.", "tag_foreign"),
        ("Hi {first_name}, our harvest roast is back today.", "tag_foreign"),
        ("Hi {{firstname}}, our harvest roast is back today.", "tag_unknown"),
        ("Hi {{#first_name}}there, our harvest roast is back.", "tag_unclosed"),
        ("Hi {{{first_name}}}, our harvest roast is back.", "tag_not_allowed"),
        ("Hi {{> header}}, our harvest roast is back again.", "tag_not_allowed"),
        ("Hi {{first_name, our harvest roast is back again.", "tag_malformed"),
        ("Our harvest roast is back with 25% off for everyone.", "number_unsupported"),
        ("Our harvest roast is back with twenty-five percent off.", "number_unsupported"),
        ("Our harvest roast is back, use code SAVE99 at checkout.", "code_unsupported"),
        ("Our harvest roast is back, but only until Friday evening.", "date_unsupported"),
        ("Our harvest roast is back with a money guarantee for all.", "offer_unsupported"),
        ("Our award-winning harvest roast is back for all of you.", "claim_unsupported"),
        ('Our harvest roast is <a href="https://evil.example/x">back</a> again now.', "link_unknown"),
        ('Our harvest roast is <a href="javascript:alert(1)">back</a> again now.', "link_unsafe"),
        ("Our harvest roast is ba\u200bck and shipping is free today.", "hidden_characters"),
        ("Our harvest roast is back. Act now, dear coffee lovers.", "spam_phrase"),
        ("OUR HARVEST ROAST is back and shipping is free today.", "shouting"),
        ("Back.", "body_empty"),
    ],
)
def test_it_catches(body, code):
    assert code in codes(body)


@pytest.mark.parametrize(
    "body",
    [
        "Our harvest roast is back: 1450 bags, twenty percent off.",
        "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}} our roast is back.",
        "Use code ROAST20 and get 20% off our harvest roast.",
        "The harvest roast is back. One more thing: shipping is free.",
    ],
)
def test_it_lets_supported_words_pass(body):
    assert report(body)["ok"], report(body)["findings"]


def test_the_link_of_the_brief_must_be_kept():
    button = {"id": "a2", "type": "button", "label": "See it", "url": "https://northwind.example/h/"}
    text = {"id": "a1", "type": "text", "html": f"<p>{BODY}</p>"}

    assert "link_dropped" in codes(required_link="https://northwind.example/h")
    assert "link_dropped" not in codes(blocks=[text, button], required_link="https://northwind.example/h")


def test_it_holds_the_wishes_of_the_brief():
    assert "must_not_say" in codes(must_not_say=["harvest roast"])
    assert "must_say_missing" in codes(must_say=["Roasted in Bristol"])
    assert "must_not_say" in codes(banned_phrases=["shipping"])


def test_it_looks_into_columns():
    inner = [{"id": "a2", "type": "text", "html": "<p>Now 90% off everything, dear readers.</p>"}]
    columns = [{"id": "a1", "type": "columns", "columns": [inner, []]}]

    assert "number_unsupported" in codes(blocks=columns)


def test_blocking_findings_come_first_and_make_it_not_ok():
    found = report("OUR ROAST is back with 25% off for everyone.")

    assert not found["ok"]
    severities = [finding["severity"] for finding in found["findings"]]
    assert severities == sorted(severities, key=["block", "warn", "info"].index)
    assert found["metrics"]["words"] > 5


def receipt(body: str, text: str, **options):
    found = [each for each in report(body, **options)["receipts"] if each["text"] == text]
    assert found, [each["text"] for each in report(body, **options)["receipts"]]
    return found[0]


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ("Our harvest roast is back with twenty percent off for you.", "twenty percent", "percent"),
        ("Our roast is back: fourteen hundred and fifty bags.", "fourteen hundred and fifty", "number"),
        ("Use code ROAST20 for our harvest roast today.", "ROAST20", "code"),
        ("Our harvest roast is back, shipped free until Sunday.", "Sunday", "date"),
        ("Our harvest roast is back, and shipping costs nothing today.", "costs nothing", "offer"),
    ],
)  # fmt: skip
def test_a_receipt_names_the_fact_behind_a_statement(body, text, kind):
    found = receipt(body, text)

    assert found["kind"] == kind
    assert found["support"] == {"source": "brief", "text": EVIDENCE[0]}


def test_a_receipt_without_support_says_so_and_blocks():
    body = "Our harvest roast is back for £9.50 a bag."

    assert receipt(body, "£9.50")["support"] is None
    assert not report(body)["ok"]
    assert receipt(body, "£9.50", brand_facts=["A bag costs 9.50 pounds"])["support"]["source"] == "brand"
    assert report(body, brand_facts=["A bag costs 9.50 pounds"])["ok"]


@pytest.mark.parametrize(
    ("fact", "body"),
    [
        ("20 bags are left", "Our roast is back with 20% off for all of you."),
        ("20% off", "Our roast is back with $20 off for all of you."),
        ("A bag costs £9.50", "Our roast is back, and a bag costs $9.50 now."),
        ("Free shipping until Sunday", "Our roast is back with a free mug for all of you."),
        ("Open until 9 am", "Our roast is back, and we are open until 9 pm."),
        ("Ends on 12 March", "Our roast is back, and the sale ends on 12 April."),
    ],
)
def test_a_number_of_another_kind_supports_nothing(fact, body):
    assert not report(body, subject="Our roast is back", preview_text="", evidence=[fact])["ok"]


@pytest.mark.parametrize(
    ("fact", "body", "language"),
    [
        ("20% off until Friday", "Unser Brot ist da, und bis Freitag gibt es zwanzig Prozent Rabatt.", "de"),
        ("Doors open at 6:30 pm", "Our doors open at half past six, so come along.", "en"),
        ("from 10 to noon on Saturday", "Our doors are open on Saturday from 10:00 until 12:00.", "en"),
        ("25 % de descuento", "Hoy ahorras un veinticinco por ciento con nosotros en la tienda.", "es"),
        ("2,400 kr", "Kortet kostar 2 400 kr och gäller hela säsongen i backen.", "sv"),
        ("Yüzde on indirim", "Çayımız geldi ve size %10 indirim var.", "tr"),
        ("خصم 20%", "عطر العود الجديد هنا والخصم ٢٠٪ لكم في المتجر.", "ar"),
    ],
)
def test_the_same_fact_in_other_words_or_another_language_supports(fact, body, language):
    found = report(body, subject="…", preview_text="", evidence=[fact], language=language)

    assert found["ok"], found["findings"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Hallo, unser Brot ist wieder da und wir freuen uns auf Sie und Ihre Familie.", "language_other"),
        ('Our roast is back.<span style="display:none">cheap loans</span> Come and see.', "hidden_text"),
        ("Our p\u0430yp\u0430l roast is back again for all of you.", "hidden_characters"),
        ("As an AI language model I am glad that our roast is back.", "leftover_text"),
        ("Our **harvest** roast is back for all of you.", "markdown_left"),
        ('Our roast: <a href="https://evil.example/x">northwind.example</a> is back.', "link_disguised"),
        ("Our roast is back, see bit.ly/roast for all of it.", "link_unknown"),
        ("{{#each roasts}}{{name}}{{/each}} is back for all of you.", "tag_not_allowed"),
        ("Hello [Vorname], our roast is back for all of you.", "tag_foreign"),
    ],
)
def test_it_also_catches(body, code):
    assert code in codes(body)


@pytest.mark.parametrize(
    "body",
    [
        "Keep Sunday evening free, our harvest roast is back for you.",
        "For slow Mondays: our harvest roast is back, fuss-free and ready.",
        "It means a great deal to us: our harvest roast is back.",
        "1. Grind the beans.\n2. Pour the water on our harvest roast.",
        "Two reasons to smile: our harvest roast is back. \U0001fae8",
    ],
)
def test_harmless_words_are_no_promises(body):
    assert report(body)["ok"], report(body)["findings"]


def test_marks_that_hebrew_needs_are_not_hidden():
    assert "hidden_characters" not in codes("שלום לכולם\u200f, הקפה חזר אלינו לחנות והוא טרי מאוד.", language="he")


def test_saying_the_same_again_is_noticed():
    first = "Our harvest roast is back, and shipping is free until Sunday for all our subscribers."

    found = codes(first, subject="", preview_text="", earlier=[first])
    assert "too_similar" in found
    assert "too_similar" not in codes(first, earlier=["A quiet word about the new grinder in our shop."])


def test_the_labelled_drafts_are_told_apart():
    score = measure(labelled_drafts())

    assert score.drafts >= 150
    assert score.recall >= 0.97, score.missed
    assert score.good_blocked_share <= 0.02, score.good_blocked
