"""The local model for real: its weights, its vectors, and a memory that finds by meaning. Run by `make test-minilm`."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from aiwriter.models import Embedding
from aiwriter.retrieval import minilm, store
from aiwriter.retrieval.embedders import LexicalEmbedder, choose_embedder
from aiwriter.services.voices import accept_brand_voice
from aiwriter.tasks import index_memory
from tests.aiwriter.making import ask, make_member, make_workspace, written
from tests.aiwriter.test_memory import HOURS, won
from tests.aiwriter.test_voices import learned

pytestmark = pytest.mark.skipif(
    not minilm.is_installed(), reason="the MiniLM model is not installed here; `make test-minilm` brings it"
)
#: The first numbers that sentence-transformers' documentation prints for this sentence.
SENTENCE = "This is an example sentence"
PUBLISHED = (0.0676569, 0.0634959, 0.0487131)
SALE = "Summer sale\n\nEverything in the shop costs a third less until the weekend."


def cosine(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def test_the_weights_are_the_published_ones():
    folder = Path(importlib.util.find_spec(minilm.PACKAGE).origin).parent / "model"

    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert digest == minilm.WEIGHTS_SHA256


def test_the_vectors_are_those_of_the_original():
    [vector] = minilm.embed([SENTENCE])

    assert vector[:3] == pytest.approx(PUBLISHED, abs=1e-6)
    assert len(vector) == 384
    assert math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-6)


def test_likeness_is_of_meaning():
    sale, discount, invoice = minilm.embed(
        ["Our summer sale starts today", "Big discount on everything", "Your invoice is attached"]
    )

    assert cosine(sale, discount) > 0.3 > cosine(sale, invoice)


def test_company_in_a_batch_changes_nothing():
    texts = ["short", SENTENCE, "", "a much longer sentence about coffee, " * 20]

    together = minilm.embed(texts)
    alone = [minilm.embed([text])[0] for text in texts]

    for first, second in zip(together, alone, strict=True):
        assert first == pytest.approx(second, abs=1e-5)


def test_long_texts_are_cut_at_256_tokens():
    words = ["coffee"] * 254

    assert minilm.embed([" ".join(words)])[0] == pytest.approx(minilm.embed([" ".join(words * 3)])[0], abs=1e-6)


@pytest.mark.django_db
def test_it_is_chosen_when_no_key_is_set_and_finds_by_meaning():
    workspace = make_workspace()
    won(workspace, SALE)
    won(workspace, HOURS)
    index_memory(workspace_id=str(workspace.pk))

    assert choose_embedder(workspace.pk).id == "minilm:all-MiniLM-L6-v2"
    [first, *_] = store.find_similar("a discount on all products", workspace_id=workspace.pk, generation_id=None)
    assert first.exemplar.title == "Summer sale"
    assert first.label == "similarity of meaning"


@pytest.mark.django_db
def test_reembed_takes_a_workspace_from_words_to_meaning(capsys):
    workspace = make_workspace()
    for text in (SALE, HOURS):
        store.index_exemplar(won(workspace, text), LexicalEmbedder(), generation_id=None)
    assert store.embedder_to_search(workspace.pk).id == "lexical:v1"

    call_command("reembed", workspace=workspace.slug)

    assert "2 of 2 texts by minilm" in capsys.readouterr().out
    assert set(Embedding.objects.values_list("embedder", flat=True)) == {"minilm:all-MiniLM-L6-v2"}


@pytest.mark.django_db
def test_drafts_are_held_beside_own_words_of_like_meaning():
    workspace = make_workspace()
    voice = accept_brand_voice(voice=learned(workspace), actor=make_member(workspace))
    index_memory(workspace_id=str(workspace.pk))

    draft = written(ask(workspace, brand_voice=voice)).ordered_drafts[0]

    compared = [row["nearest"] for row in draft.voice["paragraphs"] if row["nearest"]]
    assert {near["label"] for near in compared} == {"similarity of meaning"}


@pytest.mark.django_db
def test_what_another_hand_wrote_loses_points():
    workspace = make_workspace()
    voice = learned(workspace)
    index_memory(workspace_id=str(workspace.pk))
    invoice = (
        "Your invoice for October is attached; please transfer the amount within fourteen days to the account below."
    )

    own, other = store.nearest_passages(
        ["We've kept a bag of the harvest roast for you at the counter.", invoice], voice=voice, generation_id=None
    )

    assert own.kinship == 1.0
    assert other.kinship < 0.5


def test_it_computes_on_one_thread_without_torch_and_only_where_it_is_asked():
    program = """
import django; django.setup()
from django.urls import get_resolver; get_resolver().url_patterns
import os, sys
print("before:", [name for name in ("numpy", "tokenizers", "torch") if name in sys.modules])
from aiwriter.retrieval import minilm
minilm.embed(["words"])
print("after:", "torch" in sys.modules, os.environ["OPENBLAS_NUM_THREADS"])
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pulsequill.settings"}
    environment.pop("OPENBLAS_NUM_THREADS", None)

    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, env=environment, check=False
    )

    assert "before: []" in result.stdout, result.stderr[-2000:]
    assert "after: False 1" in result.stdout
