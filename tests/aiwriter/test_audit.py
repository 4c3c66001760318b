"""The audit trail: every call is found again, shown in full to those who may, and given out as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from aiwriter.calls import CallFilter, calls_csv, find_calls
from aiwriter.models import Generation, GenerationStep, ModelPrice
from aiwriter.usage import parse_month
from tests.aiwriter.making import make_member, make_workspace
from tests.pages import LOOKS, assert_accessible, assert_fits, save_picture

SECRET = "The words that only some may read"
CRITIC = {
    "provider": "anthropic", "model_requested": "claude-sonnet-5-5", "role": "critic", "task": "critic",
    "prompt_id": "critic@v1",
}  # fmt: skip


@pytest.fixture
def workspace(db):
    return make_workspace()


@pytest.fixture
def owner(workspace, client: Client) -> Client:
    client.force_login(make_member(workspace))
    return client


def call_of(workspace, *, person=None, at=None, **fields) -> GenerationStep:
    generation = fields.pop("generation", None) or Generation.objects.create(
        workspace=workspace, created_by=person, status=Generation.Status.SUCCEEDED
    )
    step = GenerationStep.objects.create(
        workspace=workspace, generation=generation,
        **{
            "role": "writer", "task": "writer:A", "provider": "openai", "model_requested": "gpt-4.1",
            "model_served": "gpt-4.1-2026", "prompt_id": "writer@v1", "prompt_sha256": "ab" * 32,
            "input_tokens": 1200, "output_tokens": 340, "cost_micro_usd": 5120, "latency_ms": 900,
            "finish_reason": "stop", "output_text": SECRET, **fields,
        },
    )  # fmt: skip
    if at is not None:
        GenerationStep.objects.filter(pk=step.pk).update(created_at=at)
    return step


def found(workspace, **wanted: str) -> set:
    return set(find_calls(workspace, CallFilter(**wanted)).values_list("pk", flat=True))


def test_every_filter_finds_what_it_names_and_nothing_else(workspace):
    maya, sam = make_member(workspace), make_member(workspace)
    last_month = parse_month("") - timedelta(days=1)
    good = call_of(workspace, person=maya, provider_request_id="req_abc123")
    slow = call_of(workspace, person=sam, error_class="provider_timeout", role="critic", task="critic",
                   prompt_id="critic@v1", provider="anthropic", model_requested="claude-sonnet-5-5",
                   model_served="")  # fmt: skip
    running = call_of(workspace, error_class="under_way", model_requested="gpt-4.1-mini", model_served="",
                      role="editor", task="editor:A", prompt_id="editor@v1")  # fmt: skip
    cached = call_of(workspace, is_cache_hit=True, at=last_month, prompt_sha256="cd" * 32)
    call_of(make_workspace("Rival Tea"), person=maya)

    expected = {
        (): {good, slow, running, cached},
        (("end", "under_way"),): {running},
        (("provider", "anthropic"),): {slow},
        (("model", "gpt-4.1-2026"),): {good, cached},
        (("model", "claude-sonnet-5-5"),): {slow},
        (("role", "critic"),): {slow},
        (("end", "ok"),): {good, cached},
        (("end", "failed"),): {slow},
        (("end", "provider_timeout"),): {slow},
        (("end", "provider_auth"),): set(),
        (("cached", "yes"),): {cached},
        (("cached", "no"),): {good, slow, running},
        (("person", str(sam.pk)),): {slow},
        (("person", "nobody"),): set(),
        (("generation", str(good.generation_id)),): {good},
        (("generation", "x"),): set(),
        (("month", f"{last_month:%Y-%m}"),): {cached},
        (("month", "once"),): set(),
        (("q", "REQ_abc"),): {good},
        (("q", "critic@"),): {slow},
        (("q", "timeout"),): {slow},
        (("q", "cdcdcd"),): {cached},
        (("q", str(slow.generation_id)),): {slow},
        (("q", "nothing like it"),): set(),
        (("role", "writer"), ("cached", "yes")): {cached},
    }
    for wanted, calls in expected.items():
        assert found(workspace, **dict(wanted)) == {call.pk for call in calls}, wanted


def test_a_page_of_calls_is_followed_by_the_next_without_a_gap(owner, workspace):
    generation = Generation.objects.create(workspace=workspace)
    for number in range(60):
        call_of(workspace, generation=generation, task=f"writer:{number:02d}")

    first = owner.get(reverse("aiwriter:call_list"))
    second = owner.get(first.context["page"].next_url)

    tasks = [call.task for page in (first, second) for call in page.context["page"].items]
    assert tasks == [f"writer:{number:02d}" for number in reversed(range(60))]


def test_the_list_takes_the_same_queries_whatever_it_holds(owner, workspace):
    call_of(workspace, person=make_member(workspace))
    owner.get(reverse("aiwriter:call_list"))
    with CaptureQueriesContext(connection) as few:
        owner.get(reverse("aiwriter:call_list"))
    for _ in range(30):
        call_of(workspace, person=make_member(workspace))

    with CaptureQueriesContext(connection) as many:
        owner.get(reverse("aiwriter:call_list"))

    assert len(many) == len(few)


def test_the_list_never_reads_the_texts(workspace):
    call_of(workspace)

    with CaptureQueriesContext(connection) as queries:
        assert SECRET not in str([row.__dict__ for row in find_calls(workspace, CallFilter())])

    assert "output_text" not in queries[-1]["sql"]


def test_the_page_keeps_its_filter_and_says_when_nothing_matches(owner, workspace):
    call_of(workspace)
    call_of(workspace, error_class="provider_auth")

    page = owner.get(reverse("aiwriter:call_list"), {"end": "provider_auth"}).content.decode()
    nothing = owner.get(reverse("aiwriter:call_list"), {"q": "xyz"}).content.decode()

    assert page.count('class="title"') == 1
    assert "calls.csv?end=provider_auth" in page
    assert "No call matches" in nothing


def test_an_empty_trail_says_what_will_stand_there(owner):
    assert "No calls yet" in owner.get(reverse("aiwriter:call_list")).content.decode()


def test_one_call_shows_the_price_row_that_it_was_paid_by(owner, workspace):
    price = ModelPrice.objects.get(model="gpt-4.1")
    call = call_of(workspace, price=price, fallback_from="gpt-4.1-mini", first_token_ms=321, cached_tokens=100,
                   params={"max_output_tokens": 800, "temperature": 0.7}, provider_request_id="req_1")  # fmt: skip

    page = owner.get(reverse("aiwriter:call_detail", args=[call.pk])).content.decode()

    for words in ("$0.0051", f"{price} (no. {price.pk})", "$2.00 / $8.00", "1,200", "340", "321 ms", "900 ms", "req_1",
                  "gpt-4.1-mini", "writer@v1", "ab" * 32, "Max output tokens", "800", SECRET):  # fmt: skip
        assert words in page, words


def test_what_a_model_answered_is_read_by_those_who_may_read_the_log(owner, workspace):
    call = call_of(workspace)
    address = reverse("aiwriter:call_detail", args=[call.pk])
    assert SECRET in owner.get(address).content.decode()

    for role in ("editor", "approver", "analyst"):
        owner.force_login(make_member(workspace, role))
        page = owner.get(address).content.decode()
        assert SECRET not in page
        assert "Owners and admins may read it." in page


def test_another_workspaces_call_is_not_there(owner):
    foreign = call_of(make_workspace("Rival Tea"))

    assert owner.get(reverse("aiwriter:call_detail", args=[foreign.pk])).status_code == 404


def test_the_file_has_what_the_page_shows_newest_first_and_no_texts(owner, workspace):
    maya = make_member(workspace)
    call_of(workspace, task="first", provider_request_id="=HYPERLINK()")
    call_of(workspace, task="second", person=maya, is_cache_hit=True, price=ModelPrice.objects.get(model="gpt-4.1"))
    call_of(workspace, role="critic", task="third")

    answer = owner.get(reverse("aiwriter:call_export"), {"role": "writer"})
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))

    assert answer.streaming
    assert [row["task"] for row in rows] == ["second", "first"]
    assert (rows[0]["person"], rows[0]["cache_hit"], rows[0]["cost_micro_usd"]) == (str(maya), "yes", "5120")
    assert rows[0]["price"].startswith("gpt-4.1 from ")
    assert rows[1]["provider_request_id"] == "'=HYPERLINK()"
    assert SECRET not in text


def test_a_long_file_is_read_in_pieces_and_misses_nothing(workspace, monkeypatch):
    monkeypatch.setattr("aiwriter.calls.ROWS_PER_READ", 4)
    generation = Generation.objects.create(workspace=workspace)
    made = [call_of(workspace, generation=generation, task=f"t{number}") for number in range(11)]
    GenerationStep.objects.filter(pk__in=[call.pk for call in made[2:7]]).update(created_at=made[4].created_at)

    lines = list(calls_csv(find_calls(workspace, CallFilter())))

    assert {line.split(",")[5] for line in lines[1:]} == {f"t{number}" for number in range(11)}
    assert len(lines) == 12


def test_the_api_lists_calls_with_the_same_filters_and_without_texts(workspace):
    call_of(workspace, error_class="provider_auth")
    call_of(workspace)
    api = APIClient()
    api.force_login(make_member(workspace, "analyst"))

    body = api.get("/v1/ai/calls", {"end": "failed"}).json()

    assert [row["error_class"] for row in body["results"]] == ["provider_auth"]
    assert SECRET not in str(body)
    assert len(api.get("/v1/ai/calls").json()["results"]) == 2


def test_the_studio_leads_to_usage_and_to_every_call(owner):
    page = owner.get(reverse("aiwriter:studio")).content.decode()

    assert f'href="{reverse("aiwriter:usage")}"' in page
    assert f'href="{reverse("aiwriter:call_list")}"' in page


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_and_fit(live_server, page_for, theme, width):
    workspace = make_workspace()
    maya = make_member(workspace)
    start = parse_month("")
    for number in range(24):
        call_of(
            workspace, person=maya if number % 3 else None, at=start + timedelta(hours=20 * number),
            cost_micro_usd=4000 + 1900 * (number * 7 % 11), model_served="", **(CRITIC if number % 4 == 0 else {}),
            error_class="provider_rate_limited" if number % 9 == 5 else "", is_cache_hit=number % 10 == 7,
            fallback_from="gpt-4.1" if number == 8 else "",
        )  # fmt: skip
    full = call_of(
        workspace, person=maya, price=ModelPrice.objects.get(model="gpt-4.1"), first_token_ms=412,
        params={"max_output_tokens": 1500, "temperature": 0.7, "route_reason": "main model for drafts"},
        provider_request_id="req_7f6e", output_text=f"{SECRET} " * 40,
    )  # fmt: skip
    empty = make_workspace("Rival Tea")
    page = page_for(theme=theme, width=width)
    sign_in(page, live_server, maya)
    for name, path in (
        ("usage", reverse("aiwriter:usage")),
        ("calls", reverse("aiwriter:call_list")),
        ("call", reverse("aiwriter:call_detail", args=[full.pk])),
        ("studio", reverse("aiwriter:studio")),
    ):
        page.goto(live_server.url + path)
        save_picture(page, f"ai-{name}-{width}-{theme}")
        assert_accessible(page)
        assert_fits(page)

    sign_in(page, live_server, make_member(empty))
    for name, path in (("usage", reverse("aiwriter:usage")), ("calls", reverse("aiwriter:call_list"))):
        page.goto(live_server.url + path)
        save_picture(page, f"ai-{name}-empty-{width}-{theme}")
        assert_accessible(page)
        assert_fits(page)


def sign_in(page, live_server, member) -> None:
    client = Client()
    client.force_login(member)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
