"""Samples of a brand's writing, and learning a voice from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import activity
from aiwriter.models import BrandSample, BrandVoice, Generation
from aiwriter.services.briefs import one_line
from aiwriter.services.generations import enqueue
from aiwriter.tasks import index_memory
from aiwriter.voice.cleaning import clean_sample
from aiwriter.voice.files import read_file
from aiwriter.voice.manner import WORD
from aiwriter.voice.versions import in_force
from pulsequill.core.errors import FieldError, Invalid, NotFound, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

MOST_SAMPLES = 200
MOST_AT_ONCE = 20
FEWEST_WORDS = 20
#: Of all samples together: fewer say nothing about a voice.
FEWEST_WORDS_TO_LEARN = 60
LONGEST_PASTE = 300_000
Source = BrandSample.Source


@transaction.atomic
def add_sample(
    *,
    workspace: Workspace,
    actor: User | None,
    text: str,
    title: str = "",
    source: str = Source.PASTED,
    is_html: bool | None = None,
    campaign_id: UUID | None = None,
) -> BrandSample:
    """Store a text that the brand wrote, as readers see it; the same text is stored once.

    Args:
        title: what people call it; empty takes its first words.
        is_html: None looks for markup.
        campaign_id: the campaign that it was.

    Raises:
        Invalid: too short, too long, no mail, or too many samples.
    """
    if len(text) > LONGEST_PASTE:
        raise _wrong("text", "too_large", f"A sample has at most {LONGEST_PASTE:,} characters.")
    clean = clean_sample(text, is_html=is_html)
    if len(WORD.findall(clean.text)) < FEWEST_WORDS:
        lost = " What was left out counts not." if clean.flags else ""
        raise _wrong("text", "too_short", f"A sample needs at least {FEWEST_WORDS} words that readers see.{lost}")
    sha256 = hashlib.sha256(clean.text.encode()).hexdigest()
    rows = BrandSample.objects.for_workspace(workspace)
    known = rows.filter(content_sha256=sha256).first()
    if known is not None:
        return known
    if rows.count() >= MOST_SAMPLES:
        raise _wrong("text", "too_many", f"There are {MOST_SAMPLES} samples already. Remove one first.")
    sample = BrandSample.objects.create(
        workspace=workspace,
        title=one_line(title)[:200] or " ".join(clean.text.split()[:8])[:200],
        source=source,
        text=clean.text,
        content_sha256=sha256,
        flags=[flag.as_json() for flag in clean.flags],
        campaign_id=campaign_id,
        created_by=actor,
    )
    index_memory.delay_on_commit(workspace_id=str(workspace.pk))
    return sample


def add_file(*, workspace: Workspace, actor: User | None, name: str, content: bytes) -> BrandSample:
    """Store the words of an uploaded file as a sample.

    Raises:
        Invalid: a file that cannot be read, or as `add_sample`.
    """
    read = read_file(name, content)
    return add_sample(
        workspace=workspace, actor=actor, text=read.text, title=read.title, source=Source.FILE, is_html=read.is_html
    )


def remove_sample(*, sample: BrandSample, actor: User | None) -> None:
    """Forget a sample with its paragraphs. Voices that were learned from it stay, with their quotes."""
    with transaction.atomic():
        activity.record(
            workspace=sample.workspace, kind="brand_sample.deleted", summary=f"Removed the sample “{sample.title}”.",
            actor=actor, subject=sample,
        )  # fmt: skip
        sample.delete()


@transaction.atomic
def learn_voice(
    *, workspace: Workspace, actor: User | None, name: str, samples: Sequence[BrandSample | UUID | str]
) -> Generation:
    """Ask for a voice from samples; the proposal is the next version of the voice of that name.

    Without an AI model what can be counted is measured, and said to be.

    Raises:
        Invalid: no name, no or too many samples, or too few words in them.
        NotFound: a sample is not there.
        WrongState: the voice of that name is locked.
        Blocked, Unavailable: as `services.generations.enqueue`.
    """
    name = one_line(name)
    if not 1 <= len(name) <= 120:
        raise _wrong("name", "required", "Give the voice a name of at most 120 characters.")
    chosen = _chosen(workspace, samples)
    if not chosen:
        raise _wrong("samples", "required", "Choose or paste at least one sample.")
    if len(chosen) > MOST_AT_ONCE:
        raise _wrong("samples", "too_many", f"At most {MOST_AT_ONCE} samples at once.")
    words = sum(len(WORD.findall(sample.text)) for sample in chosen)
    if words < FEWEST_WORDS_TO_LEARN:
        text = f"The samples have {words} words together; a voice needs {FEWEST_WORDS_TO_LEARN}."
        raise _wrong("samples", "too_short", text)
    known = BrandVoice.objects.for_workspace(workspace).filter(name=name).first()
    if known is not None and (current := in_force(known)) is not None and current.status == BrandVoice.Status.LOCKED:
        raise WrongState("This voice is locked. Unlock it first, or learn one of another name.")
    generation = enqueue(
        workspace=workspace,
        actor=actor,
        kind=Generation.Kind.VOICE,
        request={"name": name, "samples": [str(sample.pk) for sample in chosen]},
    )
    activity.record(
        workspace=workspace, kind="brand_voice.learning", summary=f"Asked to learn the voice “{name}”.", actor=actor,
        subject=generation, samples=len(chosen),
    )  # fmt: skip
    return generation


def _chosen(workspace: Workspace, samples: Iterable[BrandSample | UUID | str]) -> list[BrandSample]:
    ids = list(dict.fromkeys(str(one.pk) if isinstance(one, BrandSample) else str(one) for one in samples))
    rows = BrandSample.objects.for_workspace(workspace).in_bulk([UUID(one) for one in ids])
    if len(rows) < len(ids):
        raise NotFound
    return [rows[UUID(one)] for one in ids]


def _wrong(field: str, code: str, text: str) -> Invalid:
    return Invalid(text, errors=[FieldError(field, code, text)])
