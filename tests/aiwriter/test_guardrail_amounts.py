"""Amounts in other words, ranges, notes that were left, and words that nobody sees."""

from __future__ import annotations

import pytest

from aiwriter.guardrails import Evidence, Source, check_draft
from aiwriter.guardrails.hidden import without_hidden
from aiwriter.guardrails.statements import read_statements


def blocking(text: str, *evidence: str, language: str = "en", **given) -> set[str]:
    report = check_draft(
        subject="", preview_text="", blocks=[{"type": "text", "html": f"<p>{text}</p>"}], evidence=evidence,
        language=language, **given,
    )  # fmt: skip
    return {each["code"] for each in report["findings"] if each["severity"] == "block"} - {
        "subject_missing", "body_empty",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fact", "language"),
    [
        ("It takes a quarter of an hour.", "The check takes 15 minutes", "en"),
        ("It takes fifteen minutes.", "It takes about a quarter of an hour", "en"),
        ("Three weeks of yoga.", "The 21-day yoga challenge", "en"),
        ("Ready within two days.", "Ready in 48 hours", "en"),
        ("We are open from two to five.", "Open from 2pm to 5pm", "en"),
        ("See you at half past six in the evening.", "Live at 18:30", "en"),
        ("Come on Tuesday.", "Open Monday to Friday", "en"),
        ("Open Monday to Friday.", "Nurse clinics on weekday afternoons", "en"),
        ("Book before December.", "Book by November 30", "en"),
        ("This weekend only.", "Ends on Sunday", "en"),
        ("Three days of music.", "July 17–19 in Asheville", "en"),
        ("Two days before everybody else.", "Members shop from Wednesday, everybody else from Friday", "en"),
        ("Three nights for the price of two.", "Stay three nights and pay for two", "en"),
        ("Your gift counts double.", "The foundation doubles every gift", "en"),
        ("A fifth less for three months.", "20% off the first three months", "en"),
        ("Nobody works on a Sunday.", "The deadline is January 31", "en"),
        ("Breathe in, and after five breaths let go.", "Classes are online", "en"),
        ("Um halb acht geht es los.", "Beginn um 19.30 Uhr", "de"),
        ("Les places partent de 12 €.", "Places de 12 à 38 €", "fr"),
        ("Quarante-neuf euros.", "Révision à 49 €", "fr"),
        ("Van negen tot vijf.", "Van 9.00 tot 17.00 uur", "nl"),
        ("貸切風呂を45分、無料でお使いいただけます。", "貸切風呂が45分無料", "ja"),
    ],
)
def test_the_same_in_other_words_is_supported(text, fact, language):
    assert blocking(text, fact, language=language) == set()


@pytest.mark.parametrize(
    ("text", "fact", "code", "language"),
    [
        ("It takes half an hour.", "The check takes 15 minutes", "number_unsupported", "en"),
        ("Two weeks of yoga.", "The 21-day yoga challenge", "number_unsupported", "en"),
        ("Come on Saturday.", "Open Monday to Friday", "date_unsupported", "en"),
        ("Book before January.", "Book by November 30", "date_unsupported", "en"),
        ("Every gift is tripled.", "The foundation doubles every gift", "number_unsupported", "en"),
        ("Four nights for the price of two.", "Stay three nights and pay for two", "offer_unsupported", "en"),
        ("A quarter off.", "20% off the first three months", "number_unsupported", "en"),
        ("A home with four bedrooms.", "Three bedrooms, two baths", "number_unsupported", "en"),
        ("Britain's favourite bank.", "4.10% AER", "claim_unsupported", "en"),
        ("Your donation is tax-deductible.", "$30 feeds a family", "claim_unsupported", "en"),
        ("Deutschlands günstigster Strom.", "28,9 Cent", "claim_unsupported", "de"),
        ("Beginn um 18 Uhr.", "Anträge bis 6. März", "date_unsupported", "de"),
        ("Es gibt Freibier.", "Danach Suppe", "offer_unsupported", "de"),
        ("Les places partent de 10 €.", "Places de 12 à 38 €", "number_unsupported", "fr"),
    ],
)
def test_something_else_is_not(text, fact, code, language):
    assert code in blocking(text, fact, language=language)


def test_a_small_number_in_words_is_still_marked_without_a_receipt():
    report = check_draft(
        subject="s", preview_text="", blocks=[{"type": "text", "text": "After five breaths you let go of it all."}]
    )

    assert [(each["text"], each["support"]) for each in report["receipts"]] == [("five", None)]
    assert [each["severity"] for each in report["findings"] if each["code"] == "claim_soft"] == ["warn"]


@pytest.mark.parametrize(
    "tag",
    ["[First Name]", "*|FNAME|*", "{first_name}", "%%first_name%%", "<first_name>", "&lt;first_name&gt;",
     "<<first name>>", "${first_name}", "[[firstname]]", "%FIRST_NAME%"],
)  # fmt: skip
def test_the_notations_of_other_programs_are_caught(tag):
    assert "tag_foreign" in blocking(f"Dear {tag}, our shop is open again.")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Join us. [Add speaker bio here] It will be good.", "en"),
        ("Kommen Sie. [Hier Foto einfügen] Es wird gut.", "de"),
        ("Sure! Here is a warm newsletter about beans: Soak them.", "en"),
        ("Gerne! Hier ist der Newsletter: Kommen Sie vorbei.", "de"),
        ("Bien sûr, voici votre lettre : venez.", "fr"),
    ],
)
def test_what_the_writer_said_to_its_client_is_caught(text, language):
    assert "leftover_text" in blocking(text, language=language)


def test_brackets_that_the_brief_has_and_links_in_markdown_are_left_alone():
    assert blocking("We play [Unplugged] tonight.", "Our album [Unplugged], tonight") == set()
    assert "leftover_text" not in blocking(
        "Read [our story](https://a.example/x).", allowed_links=["https://a.example/x"]
    )


HIDDEN = (
    '<span style="display:none">{}</span>',
    '<span style="font-size:0">{}</span>',
    '<span style="font-size: 0px; line-height: 0">{}</span>',
    '<span style="color:#ffffff;background-color:#fff">{}</span>',
    '<span style="color:white">{}</span>',
    '<font color="#fefefe">{}</font>',
    '<div style="background:rgb(10, 10, 10)"><b style="color:#0b0b0b">{}</b></div>',
    '<span style="visibility:hidden">{}</span>',
    '<div style="max-height:0;overflow:hidden">{}</div>',
    '<span style="opacity:0">{}</span>',
    "<p hidden>{}</p>",
    "<!-- {} -->",
)


@pytest.mark.parametrize("markup", HIDDEN)
def test_words_that_nobody_sees_are_found_and_not_read(markup):
    source = f"We are glad to have you here again.{markup.format('75% off casino loans')}"
    seen, hides_words = without_hidden(source)

    assert hides_words
    assert "casino" not in seen
    found = blocking(source)
    assert "hidden_text" in found
    assert "number_unsupported" not in found, "it is not read as if somebody saw it"


@pytest.mark.parametrize(
    "markup",
    [
        '<td style="background:#123456"><span style="color:#fff">Hello</span></td>',
        '<a style="color:#fff;background:#5538b8" href="x">Hello</a>',
        '<span style="font-size:10px;opacity:0.8">Hello</span>',
        '<img style="display:none" alt=""><p>Hello<br>you</p>',
        "<p>Hello <b>you</i> there</p>",
        "<!--[if mso]>Hello<![endif]-->Hello",
    ],
)
def test_words_that_people_see_are_kept(markup):
    seen, hides_words = without_hidden(markup)

    assert not hides_words
    assert "Hello" in seen


def test_a_day_range_says_nothing_about_prices():
    known = Evidence([Source("brief", "July 17–19 in Asheville")])
    (price,) = (each for each in read_statements("Tickets are $18.", "en") if each.kind == "price")

    assert known.support(price, "Tickets are $18.") is None
