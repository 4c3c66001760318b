"""Kept versions: what is kept, how two are compared, and going back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign, EmailTemplate, TemplateVersion, Variant, VariantVersion
from campaigns.services import composing, templates, versions
from pulsequill.core.errors import WrongState
from pulsequill.core.rest.etags import Stale
from tests.campaigns.making import HELLO, make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def variant(workspace: Workspace) -> Variant:
    made = make_campaign(workspace).variants.get()
    VariantVersion.objects.all().delete()
    return made


def say(variant: Variant, subject: str) -> Variant:
    variant.subject = subject
    variant.save()
    return variant


def subjects(variant: Variant) -> list[str]:
    return [version.subject for version in versions.list_versions(variant)]


# --- keeping -----------------------------------------------------------------------------------------------------
def test_edits_of_one_sitting_are_one_version_that_holds_how_it_ended(variant: Variant) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for words in ("One", "Two", "Three"):
            versions.keep_variant_version(variant=say(variant, words), actor=None)
            clock.shift(timedelta(minutes=4))
        assert subjects(variant) == ["Three"]
        versions.keep_variant_version(variant=say(variant, "Four"), actor=None)
    assert subjects(variant) == ["Four", "Three"]


def test_what_has_a_reason_or_another_author_is_a_version_of_its_own(variant: Variant) -> None:
    versions.keep_variant_version(variant=say(variant, "Mine"), actor=None)
    versions.keep_variant_version(variant=say(variant, "Adopted"), actor=None, note="Adopted a draft")
    versions.keep_variant_version(variant=say(variant, "After it"), actor=None)
    versions.keep_variant_version(variant=say(variant, "Hers"), actor=make_member(variant.workspace))
    assert subjects(variant) == ["Hers", "After it", "Adopted", "Mine"]


def test_nothing_is_kept_when_nothing_changed(variant: Variant) -> None:
    assert versions.keep_variant_version(variant=variant, actor=None) is not None
    assert versions.keep_variant_version(variant=variant, actor=None) is None
    assert versions.keep_variant_version(variant=variant, actor=None, note="Launched") is None


def test_a_hundred_versions_are_kept_and_numbers_go_on(variant: Variant) -> None:
    for number in range(103):
        versions.keep_variant_version(variant=say(variant, f"{number}"), actor=None, note="Launched")
    kept = [version.number for version in versions.list_versions(variant)]
    assert kept == list(range(103, 3, -1))


def test_each_template_and_variant_counts_for_itself(workspace: Workspace, variant: Variant) -> None:
    template = templates.create_template(workspace=workspace, actor=None, name="Launch", body=HELLO)
    templates.update_template(template=template, actor=make_member(workspace), subject="Other words")
    versions.keep_variant_version(variant=variant, actor=None)
    assert [version.number for version in versions.list_versions(template)] == [2, 1]
    assert [version.number for version in versions.list_versions(variant)] == [1]


def test_renaming_a_template_is_no_new_version(workspace: Workspace) -> None:
    template = templates.create_template(workspace=workspace, actor=None, name="Launch", body=HELLO)
    templates.update_template(template=template, actor=None, name="Start")
    assert TemplateVersion.objects.filter(template=template).count() == 1


# --- going back --------------------------------------------------------------------------------------------------
def test_restoring_a_variant_brings_everything_back_and_can_be_undone(variant: Variant) -> None:
    first = versions.keep_variant_version(variant=variant, actor=None, note="Adopted a draft")
    assert first is not None
    composing.update_campaign(
        campaign=variant.campaign, actor=None,
        changes={"variants": [{"label": "A", "subject": "Late", "format": "markdown", "body": "# Late"}]},
    )  # fmt: skip
    campaign = versions.restore_variant_version(version=first, actor=None)
    now = Variant.objects.get(pk=variant.pk)
    assert (now.subject, now.format, now.body) == (variant.subject, "blocks", variant.body)
    assert campaign.revision == Campaign.objects.get().revision == 3
    kept = list(versions.list_versions(variant))
    assert [(version.subject, version.note) for version in kept] == [
        (variant.subject, "Restored version 1"),
        ("Late", ""),
        (variant.subject, "Adopted a draft"),
    ]
    versions.restore_variant_version(version=kept[1], actor=None)
    assert Variant.objects.get(pk=variant.pk).body == "# Late"


def test_what_was_launched_is_not_restored_over(variant: Variant) -> None:
    version = versions.keep_variant_version(variant=variant, actor=None)
    assert version is not None
    Campaign.objects.update(status="sending")
    with pytest.raises(WrongState):
        versions.restore_variant_version(version=version, actor=None)


def test_a_restore_on_an_old_revision_is_refused(variant: Variant) -> None:
    version = versions.keep_variant_version(variant=variant, actor=None)
    assert version is not None
    composing.update_campaign(campaign=variant.campaign, actor=None, changes={"name": "Theirs"})
    with pytest.raises(Stale):
        versions.restore_variant_version(version=version, actor=None, expected_revision=1)
    assert Campaign.objects.get().revision == 2


def test_restoring_a_template_is_itself_a_version(workspace: Workspace) -> None:
    template = templates.create_template(workspace=workspace, actor=None, name="Launch", subject="One", body=HELLO)
    templates.update_template(template=template, actor=make_member(workspace), subject="Two", body=[])
    first = TemplateVersion.objects.get(number=1)
    versions.restore_template_version(version=first, actor=None)
    now = EmailTemplate.objects.get()
    assert (now.subject, len(now.body)) == ("One", len(HELLO))
    assert [version.note for version in versions.list_versions(template)] == [
        "Restored version 1", "", "As it began",
    ]  # fmt: skip


# --- comparing ---------------------------------------------------------------------------------------------------
def state(body: Any, body_format: str = "blocks", **fields: Any) -> Variant:
    return Variant(subject=fields.get("subject", "S"), preview_text="P", format=body_format, body=body)


def heading(key: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"id": key, "type": "heading", "text": text, "level": 2, "align": "left", **fields}


def kinds(older: Variant, newer: Variant) -> list[tuple[str, str]]:
    return [(row.kind, row.after or row.before) for row in versions.diff(older, newer)[2:]]


def test_blocks_are_compared_one_by_one() -> None:
    older = state([heading("a", "One"), heading("b", "Two"), heading("c", "Three"), heading("d", "Four")])
    newer = state([heading("a", "One"), heading("c", "Third"), heading("d", "Four"), heading("b", "Two")])
    assert kinds(older, newer) == [("same", "One"), ("changed", "Third"), ("same", "Four"), ("moved", "Two")]


def test_added_and_removed_blocks_stand_alone() -> None:
    rule = {"id": "r", "type": "spacer", "height": 40}
    assert kinds(state([heading("a", "One")]), state([rule, heading("a", "One")]))[0] == ("added", "height: 40")
    assert kinds(state([rule, heading("a", "One")]), state([heading("a", "One")])) == [
        ("removed", "height: 40"),
        ("same", "One"),
    ]


def test_a_look_that_changed_is_a_change_too() -> None:
    older, newer = state([heading("a", "One")]), state([heading("a", "One", align="center")])
    (row,) = versions.diff(older, newer)[2:]
    assert (row.kind, row.place) == ("changed", "Heading")
    assert "align: center" in row.after


def test_blocks_inside_columns_are_compared_too() -> None:
    def columns(words: str) -> Variant:
        return state([{"id": "k", "type": "columns", "columns": [[heading("a", "Left")], [heading("b", words)]]}])

    assert [(row.kind, row.place) for row in versions.diff(columns("Right"), columns("Wrong"))[2:]] == [
        ("same", "Columns"), ("same", "Column 1: Heading"), ("changed", "Column 2: Heading"),
    ]  # fmt: skip


def test_source_is_compared_line_by_line_and_words_are_marked() -> None:
    older, newer = state("# Hello\n\nold words here", "markdown"), state("# Hello\n\nnew words here\nmore", "markdown")
    rows = versions.diff(older, newer)[2:]
    assert [(row.kind, row.place) for row in rows] == [
        ("same", "Line 1"), ("same", "Line 2"), ("changed", "Line 3"), ("added", "Line 4"),
    ]  # fmt: skip
    assert [(part.text, part.is_changed) for part in rows[2].before_parts] == [("old", True), (" words here", False)]


def test_subject_and_format_have_rows_of_their_own() -> None:
    rows = versions.diff(state([heading("a", "One")], subject="Old"), state("# One", "markdown", subject="New"))
    assert [(row.kind, row.place) for row in rows[:3]] == [
        ("changed", "Subject"), ("same", "Preheader"), ("changed", "Format"),
    ]  # fmt: skip


@pytest.mark.timeout(20)
def test_comparing_the_largest_sources_is_quick() -> None:
    versions.diff(state("a\n" * 100_000, "html"), state("a\nb\n" * 50_000, "html"))
    versions.diff(state("a " * 100_000, "html"), state("b " * 100_000, "html"))
