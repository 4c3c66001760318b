"""Brand voices: measured without a model, proposed, accepted by a person, versioned, locked."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Activity
from aiwriter.models import BrandSample, BrandVoice, Generation
from aiwriter.selectors import list_usable_voices
from aiwriter.services.briefs import create_brief
from aiwriter.services.samples import add_sample, learn_voice
from aiwriter.services.voices import (
    accept_brand_voice,
    clean_profile,
    delete_brand_voice,
    discard_brand_voice,
    lock_brand_voice,
    restore_brand_voice,
    save_brand_voice,
)
from aiwriter.voice.profile import trait_line, trait_of, typed_trait
from aiwriter.voice.versions import compare, in_force, list_voice_cards, versions_of
from pulsequill.core.errors import Invalid, NotFound, Unavailable, WrongState
from tests.aiwriter.making import make_member, make_workspace, written

LETTERS = (
    """Hello there,

We roasted the harvest lot on Monday, and it tastes of plum. You get it in a plain bag, because you don't drink bags.

It's a small lot. We'll pour it at the counter until it's gone.

See you soon,
Maya""",
    """Hello again,

The kettle is on. We've kept a harvest bag for you, and you can pick it up when you like. It won't run away.

You asked how we roast it. Slowly, and we don't hurry it.

See you soon,
Tom""",
    """Hello friends,

We're closed on Sunday. You'll find the harvest roast in the shop next door, and they're kind people.

We don't say much in these letters. You read them with your first cup, so we keep them short.

See you soon,
Maya""",
)


@pytest.fixture
def workspace(db):
    return make_workspace()


@pytest.fixture
def owner(workspace):
    return make_member(workspace)


@pytest.fixture
def browser_of(workspace, owner, client: Client) -> Client:
    client.force_login(owner)
    return client


def samples_of(workspace) -> list[BrandSample]:
    return [add_sample(workspace=workspace, actor=None, text=letter) for letter in LETTERS]


def learned(workspace, name: str = "House", actor=None) -> BrandVoice:
    generation = written(learn_voice(workspace=workspace, actor=actor, name=name, samples=samples_of(workspace)))
    assert generation.status == Generation.Status.SUCCEEDED, generation.error_detail
    return BrandVoice.objects.get(generation=generation)


def test_without_a_model_a_voice_is_measured_and_says_so(workspace, owner):
    voice = learned(workspace, actor=owner)

    assert voice.status == BrandVoice.Status.PROPOSED
    assert voice.evidence["method"] == "measured"
    assert voice.generation.origin == Generation.Origin.OFFLINE_TEMPLATE
    assert voice.profile["formality"] == "casual"
    assert {"is": "conversational", "is_not": "stiff"} in voice.profile["traits"]
    assert "No exclamation marks." in voice.profile["style_rules"]
    assert "Greet with “Hello”." in voice.profile["style_rules"]
    assert "Sign off with “See you soon”." in voice.profile["style_rules"]
    assert "harvest" in voice.profile["do_words"]
    assert voice.profile["dont_words"] == voice.profile["banned_phrases"] == []
    assert 6 <= voice.measured["words_per_sentence"] <= 12
    assert voice.samples.count() == 3
    assert voice.note == "Learned from 3 samples"


def test_each_quote_stands_in_a_sample_word_for_word(workspace):
    voice = learned(workspace)
    words = " ".join(" ".join(sample.text.split()) for sample in voice.samples.all())

    quotes = [quote["quote"] for quote in voice.evidence["quotes"] if quote["quote"]]

    assert len(quotes) >= 4
    assert all(quote in words for quote in quotes)


def test_measuring_twice_says_the_same(workspace):
    first, again = learned(workspace), learned(workspace)

    assert (again.version, again.profile, again.measured) == (2, first.profile, first.measured)


def test_a_formal_brand_measures_formal(workspace):
    letter = (
        "Dear members,\n\nWe are pleased to inform you that the annual statement has been prepared in accordance with "
        "the regulations of the association, and is enclosed herewith for your consideration. Should you require "
        "further information regarding this matter, please do not hesitate to contact the secretary. Furthermore, we "
        "would like to express our sincere gratitude for your continued and valued support.\n\nYours sincerely"
    )
    sample = add_sample(workspace=workspace, actor=None, text=letter)
    voice = BrandVoice.objects.get(
        generation=written(learn_voice(workspace=workspace, actor=None, name="Board", samples=[sample]))
    )

    assert voice.profile["formality"] == "formal"
    assert voice.measured["greeting"] == "Dear"


def test_a_proposal_is_nobodys_voice_until_a_person_accepts_it(workspace, owner):
    voice = learned(workspace)

    assert list(list_usable_voices(workspace)) == []
    with pytest.raises(Invalid) as refusal:
        create_brief(workspace=workspace, fields={"goal": "Say hello", "brand_voice": voice})
    assert refusal.value.errors[0].code == "not_accepted"

    accept_brand_voice(voice=voice, actor=owner)

    assert list(list_usable_voices(workspace)) == [voice]
    assert create_brief(workspace=workspace, fields={"goal": "Say hello", "brand_voice": voice.pk}).brand_voice == voice
    assert Activity.objects.filter(workspace=workspace, kind="brand_voice.accepted", actor=owner).exists()
    with pytest.raises(WrongState):
        accept_brand_voice(voice=voice, actor=owner)


def test_learning_again_proposes_the_next_version_and_leaves_the_one_in_force(workspace, owner):
    first = accept_brand_voice(voice=learned(workspace), actor=owner)
    second = learned(workspace)

    [card] = list_voice_cards(workspace)
    assert (card.current, card.proposal, card.versions) == (first, second, 2)
    discard_brand_voice(voice=second, actor=owner)
    assert [card.proposal for card in list_voice_cards(workspace)] == [None]
    assert in_force(first) == first


def test_a_locked_voice_stays_as_it_is(workspace, owner):
    voice = accept_brand_voice(voice=learned(workspace), actor=owner)
    proposal = learned(workspace)
    older = lock_brand_voice(voice=voice, actor=owner, is_locked=True)

    for attempt in (
        lambda: save_brand_voice(workspace=workspace, actor=owner, name="House", profile={}, voice=older),
        lambda: save_brand_voice(
            workspace=workspace, actor=owner, name="House", profile={}, voice=proposal, status="active"
        ),
        lambda: save_brand_voice(workspace=workspace, actor=owner, name="Renamed", profile={}, voice=proposal),
        lambda: accept_brand_voice(voice=proposal, actor=owner),
        lambda: restore_brand_voice(version=voice, actor=owner),
        lambda: delete_brand_voice(voice=proposal, actor=owner),
        lambda: learn_voice(workspace=workspace, actor=owner, name="House", samples=samples_of(workspace)),
    ):
        with pytest.raises(WrongState):
            attempt()
    assert BrandVoice.objects.filter(workspace=workspace).count() == 2

    lock_brand_voice(voice=voice, actor=owner, is_locked=False)
    assert accept_brand_voice(voice=proposal, actor=owner).status == BrandVoice.Status.ACTIVE


def test_versions_are_compared_and_restored(workspace, owner):
    first = save_brand_voice(
        workspace=workspace, actor=owner, name="House", profile={"traits": ["warm"], "do_words": ["cup", "pour"]}
    )
    second = save_brand_voice(
        workspace=workspace, actor=owner, name="House", profile={"traits": ["dry"], "do_words": ["cup"]}, voice=first
    )

    differing = {part.name: (part.removed, part.added) for part in compare(first, second) if not part.is_same}
    assert differing == {"Traits": (["warm"], ["dry"]), "Words we use": (["pour"], [])}
    third = restore_brand_voice(version=first, actor=owner)
    assert (third.version, third.profile, third.note) == (3, first.profile, "Restored version 1")
    assert [version.version for version in versions_of(first)] == [3, 2, 1]


def test_traits_are_texts_or_pairs():
    profile = clean_profile({"traits": ["warm", {"is": "dry", "is_not": "bitter"}, {"is": "plain"}, " "]})

    assert profile["traits"] == ["warm", {"is": "dry", "is_not": "bitter"}, "plain"]
    assert trait_of(profile["traits"][1]) == ("dry", "bitter")


@pytest.mark.parametrize("traits", ["warm", [{"is": 1}], [{"was": "x"}], [["warm"]], ["x" * 121], ["x"] * 21, [None]])
def test_other_traits_are_refused(traits):
    with pytest.raises(Invalid):
        clean_profile({"traits": traits})


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("warm", ("warm", "")),
        ("warm, never gushing", ("warm", "gushing")),
        ("plain, but not dull", ("plain", "dull")),
        ("confident - not loud", ("confident", "loud")),
        ("does not shout", ("does not shout", "")),
    ],
)
def test_people_type_traits_as_they_would_say_them(line, pair):
    assert typed_trait(line) == pair
    assert typed_trait(trait_line({"is": pair[0], "is_not": pair[1]})) == pair


def test_too_little_is_refused_with_what_is_missing(workspace):
    short = add_sample(workspace=workspace, actor=None, text="The kettle is on and we have kept a harvest bag for you, "
                       "and you can pick it up whenever you like to come.")  # fmt: skip
    foreign = add_sample(workspace=make_workspace("Rival Tea"), actor=None, text=LETTERS[0])

    with pytest.raises(Invalid, match="24 words together"):
        learn_voice(workspace=workspace, actor=None, name="House", samples=[short])
    with pytest.raises(Invalid, match="at least one"):
        learn_voice(workspace=workspace, actor=None, name="House", samples=[])
    with pytest.raises(Invalid, match="name"):
        learn_voice(workspace=workspace, actor=None, name=" ", samples=[short])
    with pytest.raises(NotFound):
        learn_voice(workspace=workspace, actor=None, name="House", samples=[foreign])


def test_where_templates_are_forbidden_nothing_is_measured_either(workspace, settings):
    settings.AI_OFFLINE = "deny"

    with pytest.raises(Unavailable):
        learn_voice(workspace=workspace, actor=None, name="House", samples=samples_of(workspace))


def test_the_pages_lead_from_a_pasted_mail_to_an_accepted_voice(browser_of, workspace):
    empty = browser_of.get(reverse("aiwriter:voices")).content.decode()
    assert "No voice yet" in empty
    answer = browser_of.post(
        reverse("aiwriter:voice_learn"), {"name": "House", "pasted": "\n---\n".join(LETTERS[:2])}, follow=False
    )
    generation = Generation.objects.get(workspace=workspace)
    assert answer.headers["Location"] == reverse("aiwriter:voice_learning", args=[generation.pk])
    waiting = browser_of.get(answer.headers["Location"]).content.decode()
    assert "Reading 2 samples" in waiting

    written(generation)
    voice = BrandVoice.objects.get(workspace=workspace)
    polled = browser_of.get(answer.headers["Location"], headers={"HX-Request": "true"})
    assert polled.headers["HX-Redirect"] == reverse("aiwriter:voice_detail", args=[voice.pk])
    page = browser_of.get(polled.headers["HX-Redirect"]).content.decode()
    assert "Measured, not AI" in page
    assert "This is a proposal" in page

    browser_of.post(reverse("aiwriter:voice_accept", args=[voice.pk]))
    voice.refresh_from_db()
    assert voice.status == BrandVoice.Status.ACTIVE
    assert "In force" in browser_of.get(reverse("aiwriter:voice_detail", args=[voice.pk])).content.decode()


def test_a_changed_proposal_is_accepted_with_the_changes(browser_of, workspace):
    proposal = learned(workspace)
    form = {"name": "House", "formality": "casual", "traits": "warm, never gushing", "dont_words": "hurry"}

    browser_of.post(reverse("aiwriter:voice_edit", args=[proposal.pk]), form)

    saved = in_force(proposal)
    assert saved.version == 2
    assert saved.profile["traits"] == [{"is": "warm", "is_not": "gushing"}]
    assert saved.measured == proposal.measured
    assert saved.samples.count() == 3
    page = browser_of.get(reverse("aiwriter:voice_compare", args=[saved.pk]) + "?with=1").content.decode()
    assert "Version 1 and version 2" in page
    assert "hurry" in page


def test_files_and_bad_input_are_answered_in_words(browser_of, workspace):
    from django.core.files.uploadedfile import SimpleUploadedFile

    files = [SimpleUploadedFile("a.txt", LETTERS[0].encode()), SimpleUploadedFile("b.pdf", b"%PDF")]
    page = browser_of.post(reverse("aiwriter:voice_learn"), {"name": "House", "files": files})

    assert page.status_code == 400
    assert "PDF files cannot be read here" in page.content.decode()
    sample = BrandSample.objects.get(workspace=workspace)
    assert f'value="{sample.pk}" checked' in page.content.decode()
    for chosen in ("no-id", str(workspace.pk)):
        assert browser_of.post(reverse("aiwriter:voice_learn"), {"name": "X", "sample": chosen}).status_code == 404
    browser_of.post(reverse("aiwriter:sample_delete", args=[sample.pk]))
    assert not BrandSample.objects.exists()


def test_those_who_only_look_cannot_decide(browser_of, workspace):
    voice = learned(workspace)
    browser_of.force_login(make_member(workspace, "analyst"))

    assert browser_of.get(reverse("aiwriter:voice_detail", args=[voice.pk])).status_code == 200
    for verb in ("accept", "discard", "lock", "unlock", "restore", "delete"):
        assert browser_of.post(reverse(f"aiwriter:voice_{verb}", args=[voice.pk])).status_code == 403
