"""What the template writer writes, word for word: some ninety briefs, three angles each, read by an editor.

`offline_copy.md` holds the briefs and the texts. After a wanted change of the writer, write the file anew with
`REWRITE_COPY=1 python -m pytest tests/aiwriter/test_offline_copy.py` and read the difference.
"""

from __future__ import annotations

import html
import json
import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from accounts.models import Workspace
from aiwriter.agents.contract import BriefData, DraftContent, VoiceData, check_content
from aiwriter.agents.inputs import brief_data
from aiwriter.agents.offline.engine import write_drafts
from aiwriter.models import Brief, Generation

HERE = Path(__file__).parent
BRIEFS = json.loads((HERE / "offline_briefs.json").read_text())
EXPECTED = HERE / "offline_copy.md"
_NAME = re.compile(r"\{\{#first_name\}\}(.*?)\{\{/first_name\}\}\{\{\^first_name\}\}.*?\{\{/first_name\}\}")
_DANGLING = re.compile(
    r"\b(?:and|or|but|of|to|for|with|from|by|at|into|about|the|a|an|our|your|that|which|because|than|under|until)[.!?…]?$",
    re.IGNORECASE,
)
_SALUTATION_OR_LABEL = re.compile(r"(?:Hi|Dear|Hello|Hallo|Bonjour) |.*[,:]$|\{\{workspace\.name\}\}$|Bonjour")


def data_of(fields: dict) -> BriefData:
    workspace = Workspace(name="Northwind Coffee", brand={})
    brief = Brief(**{"cta_url": "https://northwind.example/x", **fields})
    return brief_data(Generation(workspace=workspace, brief=brief))


def lines_of(draft: DraftContent) -> list[str]:
    """The body as a reader sees it, one line a paragraph."""
    lines: list[str] = []
    for block in draft.blocks:
        if block["type"] == "heading":
            lines.append(f"{'#' * block['level']} {block['text']}")
        elif block["type"] == "button":
            lines.append(f"[{block['label']}]")
        elif block["type"] == "text":
            text = _NAME.sub(r"\1", block["html"].replace("<li>", "\n- ").replace("<br>", "\n"))
            text = re.sub(r"</(?:p|ul)>", "\n", text)
            lines += [line for line in html.unescape(re.sub(r"<[^>]*>", "", text)).split("\n") if line]
    return lines


def page_of(fields: dict) -> str:
    """One brief and its three drafts, as they stand in the file."""
    others = {name: value for name, value in fields.items() if name != "goal"}
    parts = [f"## {fields['goal']}", *([f"`{json.dumps(others, ensure_ascii=False)}`"] if others else [])]
    for draft in write_drafts(data_of(fields)):
        head = f"**{draft.angle}** | {draft.subject} | {draft.preview_text}"
        parts.append("\n".join([head, *(f"> {line}" for line in lines_of(draft))]))
    return "\n\n".join(parts)


def _id(fields: dict) -> str:
    return re.sub(r"\W+", "-", fields["goal"])[:50]


every_brief = pytest.mark.parametrize("fields", BRIEFS, ids=_id)


def test_the_copy_reads_as_the_editor_left_it():
    pages = [page_of(fields) for fields in BRIEFS]
    if os.environ.get("REWRITE_COPY"):
        EXPECTED.write_text("\n\n\n".join(pages) + "\n")
    expected = EXPECTED.read_text().rstrip("\n").split("\n\n\n")

    assert len(pages) == len(expected)
    for page, wanted in zip(pages, expected, strict=True):
        assert page == wanted


@every_brief
def test_no_sentence_is_mangled(fields):
    for draft in write_drafts(data_of(fields)):
        for text in (draft.subject, draft.preview_text, *lines_of(draft)):
            bare = text.lstrip("#- ")
            words = re.findall(r"[\w’'-]+|[.!?:;,]", bare.lower())
            assert not any(left == right for left, right in pairwise(words)), f"doubled word: {bare}"
            assert not bare[:1].islower(), f"small first letter: {bare}"
            assert not bare.lower().startswith(("that ", "that,", "and ", "but ")), f"half a sentence: {bare}"
            assert not _DANGLING.search(bare), f"hangs in the air: {bare}"
            assert not re.search(r"\s[,.;!?](?:\s|$)|[,;:][,.;:]|[!?.]{2}|  ", bare), f"punctuation: {bare}"
            for left, right in (("(", ")"), ("“", "”"), ("[", "]")):
                assert bare.count(left) == bare.count(right), f"unbalanced: {bare}"


@every_brief
def test_paragraphs_are_sentences(fields):
    for draft in write_drafts(data_of(fields)):
        for line in lines_of(draft):
            is_prose = not line.startswith(("#", "- ", "[")) and not _SALUTATION_OR_LABEL.match(line)
            assert not is_prose or line in _closings() or line[-1] in ".!?…", line
        assert draft.preview_text[-1] in ".!?"


def _closings() -> set[str]:
    return {"Best wishes,", "Cheers,", "Kind regards,", "Warmly,"}


@every_brief
def test_subjects_fit_inboxes_and_are_three_different_ones(fields):
    drafts = write_drafts(data_of(fields))

    assert all(12 <= len(draft.subject) <= 60 for draft in drafts)
    assert not any("…" in draft.subject for draft in drafts), "cut inside a phrase"
    assert len({draft.subject.lower() for draft in drafts}) == 3
    assert len({draft.angle for draft in drafts}) == 3
    assert len({"\n".join(lines_of(draft)) for draft in drafts}) == 3
    assert all(len(draft.preview_text) <= 110 for draft in drafts)
    assert all(draft.preview_text.rstrip(".").lower() != draft.subject.lower() for draft in drafts)


@every_brief
def test_nothing_is_invented_and_nothing_sounds_like_spam(fields):
    brief = data_of(fields)
    for draft in write_drafts(brief):
        report = check_content(draft, brief, VoiceData())
        expected = {"link_missing", "language_not_offered"}
        assert report["ok"]
        assert {finding["code"] for finding in report["findings"]} <= expected


@every_brief
def test_buttons_say_what_happens(fields):
    for draft in write_drafts(data_of(fields)):
        label = next(block["label"] for block in draft.blocks if block["type"] == "button")
        assert label == fields.get("cta_label", label)
        assert 2 <= len(label.split()) <= 4
        assert len(label) <= 26


@every_brief
def test_the_same_brief_always_reads_the_same(fields):
    assert page_of(fields) == page_of(fields)
