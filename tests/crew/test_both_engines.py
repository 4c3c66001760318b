"""LangGraph and CrewAI on the same script of the providers: nobody can tell from the outcome who drove the team."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aiwriter import team
from tests.aiwriter.engine_runs import VOICE, Run, provider_fake, run_engine
from tests.aiwriter.making import make_workspace
from tests.fakes.llm_server import LLMServer, Reply, Request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with provider_fake() as running:
        running.otherwise = lambda request: team.answer(request, bad_position=1)
        yield running


def bodies(requests: list[Request]) -> list[str]:
    return sorted(json.dumps(request.body, sort_keys=True) for request in requests)


def told(run: Run) -> list[tuple[Any, ...]]:
    """Every stage as the page is told it; side by side, so their order is nobody's promise."""
    return sorted(
        (
            s["task"],
            s["state"],
            s["label"],
            s["model"],
            s["tokens"],
            s["cost_micro_usd"],
            s["summary"],
            str(s["changes"]),
        )
        for s in run.stages
    )


def audited(run: Run) -> list[tuple[Any, ...]]:
    return sorted(
        (s.role, s.task, s.provider, s.model_served, s.prompt_sha256, s.request_sha256, s.cost_micro_usd)
        for s in run.steps
    )


def test_the_same_script_gives_the_same_package_requests_stages_and_audit_rows(server):
    by_graph = run_engine("langgraph", voice=VOICE)
    asked = list(server.requests)
    server.requests.clear()

    by_crew = run_engine("crewai", voice=VOICE)

    assert by_crew.package == by_graph.package
    assert bodies(server.requests) == bodies(asked)
    assert told(by_crew) == told(by_graph)
    assert audited(by_crew) == audited(by_graph)
    assert len(asked) == len(by_graph.steps) == len(by_crew.steps) == 9


@pytest.mark.parametrize(("begins", "ends"), [("langgraph", "crewai"), ("crewai", "langgraph")])
def test_one_engine_finishes_what_the_other_began_and_pays_nothing_twice(server, begins, ends):
    play = server.otherwise
    server.otherwise = lambda request: Reply(status=401) if team.role_of(request) == "critic" else play(request)
    workspace = make_workspace()
    first = run_engine(begins, workspace=workspace)
    assert first.error is not None
    server.requests.clear()
    server.otherwise = play

    second = run_engine(ends, generation=first.generation)

    assert second.error is None or second.error.code == "provider_paused", second.error
    assert not {"strategist", "writer"} & {team.role_of(request) for request in server.requests}


def test_what_crewai_needs_of_the_network_is_the_gateways_alone(server, monkeypatch):
    reached: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo
    monkeypatch.setattr(
        socket.socket, "connect", lambda own, address: (reached.append(address[0]), connect(own, address))[1]
    )
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: (reached.append(host), look_up(host, *a, **k))[1])

    run = run_engine("crewai", voice=VOICE)

    assert run.error is None
    hosts = {address for address in reached if not str(address).startswith("/")}
    assert hosts == {"127.0.0.1"}
