"""The template tags of the design system say the right thing and escape what people typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone

from pulsequill.templatetags import ui

SPITE = "<script>alert('x')</script>"


def render(source: str, **values: object) -> str:
    return Template(source).render(Context(values))


def test_an_icon_is_inline_and_hidden_from_screen_readers() -> None:
    drawn = render('{% icon "check" "s" %}')
    assert drawn.startswith('<svg class="i s" viewBox="0 0 20 20" aria-hidden="true"><path d=')


def test_a_misspelt_icon_says_so_without_breaking_the_page() -> None:
    assert 'data-missing-icon="chek"' in render('{% icon "chek" %}')


def test_a_chip_escapes_its_text() -> None:
    assert "<script>" not in render('{% chip "ok" text icon="check" %}', text=SPITE)


def test_a_status_has_icon_and_word() -> None:
    assert render("{% status_chip 'in_doubt' %}").endswith("In doubt</span>")
    assert '<span class="dot live"></span>Sending' in render("{% status_chip 'sending' %}")


def test_an_unknown_status_is_shown_plainly() -> None:
    assert render("{% status_chip s %}", s="brand_new") == '<span class="chip ">Brand new</span>'


@pytest.mark.parametrize(
    ("value", "text"), [(12345, "12,345"), (0, "0"), (None, "–"), (1.5, "1.5"), (Decimal("1234.50"), "1,234.5")]
)
def test_numbers_are_grouped(value: object, text: str) -> None:
    assert ui.compact(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0433, "4.33 %"),
        (0.977, "97.7 %"),
        (0.0002, "0.02 %"),
        (1, "100 %"),
        (0, "0 %"),
        (None, "–"),
        (0.1, "10 %"),
        (0.075, "7.50 %"),
        (0.001, "0.1 %"),
        (0.00001, "0 %"),
    ],
)
def test_shares_become_percentages(share: object, text: str) -> None:
    assert ui.percent(share) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0"), (268_904, "268,904"), (999_999, "999,999"), (1_000_000, "1M"), (1_050_000, "1.05M"),
     (1_125_000, "1.13M"), (12_345_678, "12.3M"), (1_234_567_890, "1230M")],
)  # fmt: skip
def test_a_narrow_place_shows_millions_in_three_figures(count: int | None, text: str) -> None:
    assert ui.short(count) == text


@pytest.mark.parametrize(("share", "text"), [(0.002, "<1 %"), (0, "0 %"), (0.006, "1 %"), (0.554, "55 %")])
def test_a_share_in_whole_percent_does_not_hide_the_little_there_is(share: float, text: str) -> None:
    assert ui.percent(share, 0) == text


def test_a_percentage_of_thousands_is_grouped() -> None:
    assert ui.percent(268.944) == "26,894 %"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(minutes=-5, seconds=-1), "in 5 min"),
    ],
)
def test_near_moments_are_words(ago: timedelta, text: str) -> None:
    assert f">{text}</time>" in ui.when(timezone.now() - ago)


def test_far_moments_are_dates_and_dates_have_no_clock() -> None:
    assert ">4 Mar 2019</time>" in ui.when(datetime(2019, 3, 4, 10, 0, tzinfo=UTC))
    assert ui.when(date(2019, 3, 4)) == '<time datetime="2019-03-04">4 Mar 2019</time>'
    assert "–" in ui.when(None)


class SenderForm(forms.Form):
    name = forms.CharField(max_length=40, help_text="What readers see first")
    email = forms.EmailField(label="From address")
    note = forms.CharField(required=False, widget=forms.Textarea)
    track = forms.BooleanField(required=False, label="Track clicks")
    pace = forms.ChoiceField(choices=[("now", "Now"), ("later", "Later")], widget=forms.RadioSelect)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_is_labelled_and_its_hint_is_tied_to_it() -> None:
    html = render("{% form_field form.name %}", form=SenderForm())
    assert '<label for="id_name">Name</label>' in html
    assert 'class="input"' in html
    assert 'aria-describedby="id_name_hint"' in html
    assert 'id="id_name_hint"><span>What readers see first' in html


def test_an_error_is_tied_to_its_control_before_the_hint() -> None:
    html = render("{% form_field form.name %}", form=SenderForm({"name": ""}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_error id_name_hint"' in html
    assert "This field is required." in html


def test_a_hint_given_in_the_template_wins() -> None:
    html = render("{% form_field form.name hint=hint %}", form=SenderForm(), hint=SPITE)
    assert "What readers see first" not in html
    assert "<script>" not in html


def test_typed_values_are_escaped() -> None:
    assert "<script>" not in render("{% form_field form.name %}", form=SenderForm({"name": SPITE}))


def test_a_tick_is_no_text_box_and_radios_are_a_group() -> None:
    tick = render("{% form_field form.track %}", form=SenderForm())
    assert 'class="input"' not in tick
    assert 'class="check" for="id_track"' in tick
    group = render("{% form_field form.pace %}", form=SenderForm())
    assert "<fieldset" in group
    assert group.count('type="radio"') == 2


def test_a_whole_form_uses_the_same_fields_and_names_what_is_wrong() -> None:
    html = str(SenderForm({"name": "A", "email": "nope", "pace": "now"}))
    assert "1 field needs you" in html
    assert '<a href="#id_email">From address</a>' in html
    assert html.count("<label") >= 5
    assert 'type="hidden"' in html


def test_only_fields_of_forms_can_be_drawn() -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% form_field 'name' %}")


def test_an_empty_state_has_one_sentence_and_its_actions() -> None:
    html = render(
        '{% empty_state "templates" "No templates yet" text %}<a class="btn" href="/">New</a>{% endempty_state %}',
        text=SPITE,
    )
    assert "<h2>No templates yet</h2>" in html
    assert '<a class="btn" href="/">New</a>' in html
    assert "<script>" not in html


def test_page_nav_is_absent_on_a_single_page() -> None:
    assert render("{% page_nav page %}", page={"next_url": "", "previous_url": ""}).strip() == ""
    assert 'rel="next"' in render("{% page_nav page %}", page={"next_url": "?after=1", "previous_url": ""})


@pytest.mark.parametrize(
    ("name", "letters"), [("Maya Okafor", "MO"), ("maya@x.example", "MA"), ("", ""), ("tom.reyes@x.example", "TR")]
)
def test_initials(name: str, letters: str) -> None:
    assert ui.initials(name) == letters


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("It is here", "It is here"),
        ("Hi {{first_name}}, {{ city }}", "Hi ‹first_name›, ‹city›"),
        ("Hi {{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}there{{/first_name}}!", "Hi ‹first_name›!"),
        ("{{#plan}}For {{plan}}: {{/plan}}beans{{! a note }}", "For ‹plan›: beans"),
        ("{{{workspace.name}}} < {{", "‹workspace.name› < {{"),
        (None, ""),
    ],
)
def test_a_subject_says_its_merge_tags_by_name(subject: str | None, said: str) -> None:
    assert ui.tags_in_words(subject) == said
