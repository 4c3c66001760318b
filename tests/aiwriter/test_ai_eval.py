"""The golden briefs go through the engine that is configured; here that is the templates."""

from __future__ import annotations

import json
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from aiwriter.evals import golden_briefs, replay
from aiwriter.evals.golden_briefs import GoldenBrief

pytestmark = pytest.mark.django_db


def test_there_are_forty_of_every_kind():
    briefs = golden_briefs.golden_briefs()

    assert len(briefs) == 40
    kinds = {brief.kind for brief in briefs}
    assert kinds >= {"no facts", "injection", "right to left", "long", "regulated", "hostile", "language"}
    assert len({brief.fields.get("language", "en") for brief in briefs}) >= 12


def test_every_golden_brief_holds_its_gates_on_templates():
    out = StringIO()

    call_command("ai_eval", "--json", stdout=out)

    report = json.loads(out.getvalue())
    assert report["passed"]
    assert len(report["verdicts"]) == 40
    assert all(verdict["drafts"] for verdict in report["verdicts"])
    assert all(verdict["cost_micro_usd"] == 0 for verdict in report["verdicts"])


def test_the_table_names_every_brief_and_its_verdict():
    out = StringIO()

    call_command("ai_eval", "regulated", stdout=out)

    assert "vaccination" in out.getvalue()
    assert "passed" in out.getvalue()


def test_a_gate_that_fails_ends_with_one(monkeypatch):
    spoilt = GoldenBrief("spoilt", "ordinary", {"goal": "Tell readers that the garden is open"}, "clean", ("garden",))
    monkeypatch.setattr("aiwriter.management.commands.ai_eval.golden_briefs", lambda: (spoilt,))

    with pytest.raises(CommandError) as refused:
        call_command("ai_eval", stdout=StringIO())

    assert refused.value.returncode == 1
    with pytest.raises(CommandError):
        call_command("ai_eval", "no-such-brief")


def test_there_is_a_script_for_every_golden_brief():
    assert set(replay.scripted()) == {brief.name for brief in golden_briefs.golden_briefs()}
    assert all(len(script["drafts"]) == 3 and script["fault"] for script in replay.scripted().values())
    assert sum(bool(script.get("wrong_shape")) for script in replay.scripted().values()) >= 2
    assert sum(bool(script.get("is_stubborn")) for script in replay.scripted().values()) >= 5


def test_live_insists_on_a_key():
    with pytest.raises(CommandError, match="No provider has a key"):
        call_command("ai_eval", "--live", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_scripted_faults_are_found_mended_or_held_back_on_the_whole_ai_path():
    out = StringIO()

    with suppress(CommandError):  # the report says more
        call_command("ai_eval", "--replay", "--json", stdout=out)

    report = json.loads(out.getvalue())
    assert [verdict for verdict in report["verdicts"] if not verdict["passed"]] == []
    assert report["mode"] == "replay"
    assert report["passed"]
    assert {verdict["drafts"] for verdict in report["verdicts"]} == {3}
    held_back = {verdict["name"] for verdict in report["verdicts"] if verdict["blocked"]}
    assert held_back == {name for name, script in replay.scripted().items() if script.get("is_stubborn")}


@pytest.mark.django_db(transaction=True)
def test_a_check_that_goes_blind_fails_the_replay(monkeypatch):
    monkeypatch.setattr("aiwriter.guardrails.facts.unsupported", lambda _checked: iter(()))

    with pytest.raises(CommandError):
        call_command("ai_eval", "--replay", "savings", "boots_sale", stdout=StringIO())
