"""The memory: what worked is kept and found again, vectors of two embedders are never mixed, people can forget."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from aiwriter.gateway.errors import GatewayError
from aiwriter.models import Embedding, Exemplar, Passage
from aiwriter.models.embedding import DIMENSIONS
from aiwriter.retrieval import embedders, indexing, minilm, store
from aiwriter.retrieval.embedders import UnknownEmbedder, choose_embedder
from aiwriter.services.drafts import accept_draft
from aiwriter.services.exemplars import forget_exemplar, remember_winner
from aiwriter.services.samples import add_sample
from aiwriter.tasks import index_memory, remember_draft
from pulsequill.core.errors import Invalid
from pulsequill.core.ids import uuid7
from tests.aiwriter.making import ask, make_member, make_workspace, written
from tests.aiwriter.test_voices import LETTERS

ROAST = "The harvest roast is back\n\nWe roasted the harvest lot on Monday. It tastes of plum and burnt sugar."
HOURS = "New opening hours\n\nFrom next week the counter opens at seven and closes at six in the evening."


class OtherEmbedder:
    """Stands in for a paid provider: vectors that mean nothing beside the lexical ones."""

    id, label, kinship, is_paid = "openai:fake@384", "similarity of meaning", None, False

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.most = 10_000

    def embed(self, texts, *, workspace_id, generation_id):
        self.texts += texts
        if len(self.texts) > self.most:
            raise GatewayError("budget_exceeded")
        return [[float(len(text) % 7 + 1)] + [0.1] * (DIMENSIONS - 1) for text in texts]


@pytest.fixture
def workspace(db):
    return make_workspace()


@pytest.fixture
def other(monkeypatch) -> OtherEmbedder:
    embedder = OtherEmbedder()
    monkeypatch.setattr(embedders, "providers_for", lambda _workspace: {"openai": SimpleNamespace(is_own_server=False)})
    monkeypatch.setattr(embedders, "OpenAIEmbedder", lambda _config: embedder)
    return embedder


def won(workspace, text: str = ROAST, **figures) -> Exemplar:
    values = {"metric": "click_rate", "value": 0.041, "sample_size": 1200, "campaign_id": uuid7(), **figures}
    return remember_winner(workspace=workspace, title=text.split("\n")[0], text=text, **values)


def indexed(workspace) -> None:
    index_memory(workspace_id=str(workspace.pk))


def near(workspace, text: str) -> list[str]:
    return [one.exemplar.title for one in store.find_similar(text, workspace_id=workspace.pk, generation_id=None)]


def test_the_winner_of_a_test_is_found_for_a_brief_like_it_with_the_reason(workspace):
    won(workspace)
    won(workspace, HOURS)
    indexed(workspace)

    [first, *_] = store.find_similar("tell them about the harvest roast", workspace_id=workspace.pk, generation_id=None)

    assert first.exemplar.title == "The harvest roast is back"
    assert first.as_json()["why"] == "won a test by click rate, 4.1% of 1,200 people"
    assert first.label == "keyword similarity"


def test_another_workspace_finds_nothing(workspace):
    won(workspace)
    indexed(workspace)

    assert near(make_workspace("Rival Tea"), "the harvest roast") == []


def test_a_campaign_has_one_winner_and_its_vector_follows_its_text(workspace):
    campaign_id = uuid7()
    first = won(workspace, campaign_id=campaign_id)
    indexed(workspace)
    before = Embedding.objects.get(exemplar=first).content_sha256

    again = won(workspace, HOURS, campaign_id=campaign_id, value=0.05)
    indexed(workspace)

    assert again == first
    assert Exemplar.objects.get().metric_value == 0.05
    assert Embedding.objects.get(exemplar=first).content_sha256 != before


@pytest.mark.parametrize(
    "figures", [{"metric": "luck"}, {"value": 1.2}, {"value": -0.1}, {"sample_size": 0}, {"text": "  "}]
)
def test_results_that_cannot_be_are_refused(workspace, figures):
    with pytest.raises(Invalid):
        won(workspace, **{"text": ROAST, **figures})


def test_an_accepted_draft_is_remembered_whole_and_in_paragraphs(workspace):
    draft = written(ask(workspace)).ordered_drafts[0]
    accept_draft(draft=draft, actor=make_member(workspace), override=True)

    remember_draft(draft_id=str(draft.pk))
    remember_draft(draft_id=str(draft.pk))

    [exemplar] = Exemplar.objects.filter(workspace=workspace)
    assert exemplar.why == "accepted by a person"
    assert Embedding.objects.filter(exemplar=exemplar).count() == 1
    assert Passage.objects.filter(exemplar=exemplar).count() >= 1


def test_samples_are_never_examples_for_the_writer(workspace):
    add_sample(workspace=workspace, actor=None, text=LETTERS[0])
    indexed(workspace)

    assert Passage.objects.filter(sample__isnull=False).exists()
    assert near(workspace, LETTERS[0]) == []


def test_the_best_embedder_that_is_there_is_chosen(workspace, settings, monkeypatch, other):
    assert choose_embedder(workspace.pk) is other
    monkeypatch.setattr(embedders, "providers_for", lambda _workspace: {})
    monkeypatch.setattr(minilm, "is_installed", lambda: True)
    assert choose_embedder(workspace.pk).id.startswith("minilm:")
    monkeypatch.setattr(minilm, "is_installed", lambda: False)
    assert choose_embedder(workspace.pk).id == "lexical:v1"
    for name, says in (("openai", "needs a key"), ("minilm", "needs its extra"), ("word2vec", "use openai, minilm")):
        settings.EMBEDDER = name
        with pytest.raises(UnknownEmbedder, match=says):
            choose_embedder(workspace.pk)


def test_a_changed_embedder_searches_old_vectors_until_the_new_ones_are_complete(workspace, other, monkeypatch):
    monkeypatch.setattr(other, "most", 0)
    for text in (ROAST, HOURS):
        exemplar = won(workspace, text)
        store.index_exemplar(exemplar, embedders.LexicalEmbedder(), generation_id=None)
    add_sample(workspace=workspace, actor=None, text=LETTERS[0])

    indexed(workspace)  # the budget is used up at once
    assert set(Embedding.objects.values_list("embedder", flat=True)) == {"lexical:v1"}
    assert near(workspace, "the harvest roast is back")[0] == "The harvest roast is back"
    other.texts.clear()
    monkeypatch.setattr(other, "most", 4)
    indexed(workspace)  # enough for one text
    assert Embedding.objects.filter(embedder=other.id).count() == 1
    assert store.embedder_to_search(workspace.pk).id == "lexical:v1"
    assert near(workspace, "the harvest roast is back")[0] == "The harvest roast is back"

    monkeypatch.setattr(other, "most", 10_000)
    other.texts.clear()
    indexed(workspace)

    assert set(Embedding.objects.values_list("embedder", flat=True)) == {other.id}
    assert set(Passage.objects.values_list("embedder", flat=True)) == {other.id}
    assert ROAST not in other.texts  # what was done stayed done
    assert store.embedder_to_search(workspace.pk) is other
    other.texts.clear()
    indexed(workspace)
    assert other.texts == []


def test_reembed_goes_through_workspaces_and_says_how_far_it_is(workspace, other, monkeypatch):
    rival = make_workspace("Rival Tea")
    for place in (workspace, rival):
        for number in range(26):
            won(place, f"{ROAST} {number}")

    out = StringIO()
    call_command("reembed", workspace=workspace.slug, stdout=out)
    assert out.getvalue().splitlines() == [
        f"{workspace.slug}: 25 of 26", f"{workspace.slug}: 26 of 26 texts by {other.id}"
    ]  # fmt: skip
    assert not Embedding.objects.filter(workspace=rival).exists()

    other.texts.clear()
    monkeypatch.setattr(other, "most", 30)
    errors = StringIO()
    with pytest.raises(CommandError, match="1 not finished"):
        call_command("reembed", stdout=out, stderr=errors)
    assert "budget" in errors.getvalue()
    done = Embedding.objects.filter(workspace=rival).count()
    assert 0 < done < 26
    monkeypatch.setattr(other, "most", 10_000)
    call_command("reembed", stdout=out)
    assert Embedding.objects.filter(workspace=rival).count() == 26
    with pytest.raises(CommandError, match="no workspace"):
        call_command("reembed", workspace="nowhere")


def test_the_state_of_the_index_is_told(workspace, other):
    won(workspace)
    add_sample(workspace=workspace, actor=None, text=LETTERS[0])

    before = indexing.index_state(workspace.pk)
    indexed(workspace)

    assert (before.done, before.total, before.is_complete) == (0, 2, False)
    assert indexing.index_state(workspace.pk).is_complete


def test_likeness_to_an_exemplar_uses_stored_vectors_alone(workspace, other):
    first = won(workspace)
    won(workspace, ROAST.replace("Monday", "Tuesday"))
    indexed(workspace)
    other.texts.clear()

    [found] = store.similar_to(first)

    assert found.label == "similarity of meaning"
    assert other.texts == []


@pytest.fixture
def owner(workspace, client: Client) -> Client:
    client.force_login(make_member(workspace))
    return client


def test_the_memory_page_shows_why_and_lets_people_forget(owner, workspace):
    exemplar = won(workspace)
    indexed(workspace)

    page = owner.get(reverse("aiwriter:memory")).content.decode()
    assert "Won a test by click rate, 4.1% of 1,200 people" in page
    like = owner.get(reverse("aiwriter:memory"), {"text": "harvest roast with plum"}).content.decode()
    assert "keyword similarity" in like
    for asked in ({"like": str(uuid7())}, {"like": "no-id"}):
        assert owner.get(reverse("aiwriter:memory"), asked).status_code == 404
    owner.post(reverse("aiwriter:memory_forget", args=[exemplar.pk]))

    assert not Exemplar.objects.exists()
    assert not Embedding.objects.exists()
    assert "Nothing yet" in owner.get(reverse("aiwriter:memory")).content.decode()


def test_the_memory_page_says_when_the_embedder_cannot_be_used(owner, settings):
    settings.EMBEDDER = "openai"

    assert "needs a key of OpenAI" in owner.get(reverse("aiwriter:memory")).content.decode()


def test_forgetting_is_recorded(workspace):
    from accounts.models import Activity

    member = make_member(workspace)
    forget_exemplar(exemplar=won(workspace), actor=member)

    assert Activity.objects.filter(workspace=workspace, kind="exemplar.deleted", actor=member).exists()
