"""What a check blocks needs a named person's override: at every door, and never an API key's."""

from __future__ import annotations

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts.models import Activity
from accounts.services import api_keys
from aiwriter.agents import running
from aiwriter.agents.offline import engine
from aiwriter.models import AcceptedClaim, Draft
from aiwriter.services.drafts import accept_draft
from campaigns.models import Campaign
from campaigns.services.adopting import adopt_draft, write_angles
from pulsequill.core.errors import Blocked
from tests.campaigns.making import make_campaign, make_contact, make_list, make_member, make_workspace

pytestmark = pytest.mark.django_db

BLOCKING = {"code": "number_unsupported", "severity": "block", "message": "Nobody says 75%.", "where": "blocks.0"}
LIE = [{"id": "a1", "type": "text", "html": "<p>Everything is 75% off for everybody in the whole town today.</p>"}]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(engine.time, "sleep", lambda _seconds: None)


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def campaign(workspace) -> Campaign:
    return make_campaign(workspace, lists=[make_list(workspace, make_contact(workspace))])


@pytest.fixture
def draft(campaign) -> Draft:
    """A draft for the campaign that a check blocks."""
    generation = write_angles(campaign=campaign, actor=None, brief_fields={"goal": "Tell readers that we are open"})
    running.run(generation.pk)
    blocked = generation.drafts.order_by("position").first()
    assert blocked is not None
    blocked.blocks, blocked.guardrails = LIE, {"ok": False, "findings": [BLOCKING], "receipts": []}
    blocked.save()
    return blocked


@pytest.fixture
def key(workspace) -> APIClient:
    """A client with an API key that may do all that keys may."""
    secret = api_keys.create_api_key(workspace=workspace, actor=make_member(workspace), name="Shop")[1]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def person(workspace) -> APIClient:
    client = APIClient()
    client.force_login(make_member(workspace))
    return client


def decided(draft: Draft) -> tuple[str, object]:
    draft.refresh_from_db()
    return draft.status, draft.decided_by


def test_a_key_cannot_accept_what_is_blocked_even_when_it_says_so(key, draft):
    answer = key.post(
        f"/v1/ai/drafts/{draft.generation_id}/accept", {"draft": str(draft.pk), "override": True}, format="json"
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "guardrails")
    assert decided(draft) == ("proposed", None)


def test_a_key_cannot_adopt_what_is_blocked_and_the_campaign_stays_as_it_was(key, campaign, draft):
    before = campaign.variants.get().body

    answer = key.post(f"/v1/campaigns/{campaign.pk}/adopt", {"draft": str(draft.pk), "override": True}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (422, "guardrails")
    assert campaign.variants.get().body == before
    assert decided(draft) == ("proposed", None)


def test_a_key_cannot_answer_for_a_claim(key, campaign, draft):
    answer = key.post(f"/v1/campaigns/{campaign.pk}/claims", {"claim": "75%"}, format="json")

    assert answer.status_code == 403
    assert not AcceptedClaim.objects.exists()


def test_a_key_that_writes_the_words_itself_cannot_send_them(key, campaign, draft):
    written = {"variants": [{"label": "A", "subject": "Open", "body": LIE}]}
    assert key.patch(f"/v1/campaigns/{campaign.pk}", written, format="json").status_code == 200

    answer = key.post(f"/v1/campaigns/{campaign.pk}/send")

    assert answer.status_code == 422
    assert "claims_unsupported" in {each["code"] for each in answer.json()["findings"]}
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


def test_a_person_needs_to_say_so_and_is_named_in_the_log(person, campaign, draft):
    address = f"/v1/campaigns/{campaign.pk}/adopt"
    assert person.post(address, {"draft": str(draft.pk)}, format="json").status_code == 422

    answer = person.post(address, {"draft": str(draft.pk), "override": True}, format="json")

    assert answer.status_code == 200, answer.json()
    status, who = decided(draft)
    assert status == "accepted"
    row = Activity.objects.get(kind="draft.accepted")
    assert row.actor == who
    assert row.data["overridden"] == ["number_unsupported"]


def test_a_person_who_overrode_a_draft_has_not_yet_answered_for_its_claims(person, campaign, draft):
    person.post(f"/v1/campaigns/{campaign.pk}/adopt", {"draft": str(draft.pk), "override": True}, format="json")

    assert person.post(f"/v1/campaigns/{campaign.pk}/send").status_code == 422


@pytest.mark.parametrize("override", [False, True])
def test_nobody_in_particular_cannot_override_in_the_services_either(campaign, draft, override):
    with pytest.raises(Blocked):
        accept_draft(draft=draft, actor=None, override=override)
    with pytest.raises(Blocked):
        adopt_draft(campaign=campaign, draft=draft, actor=None, override=override)
    assert decided(draft) == ("proposed", None)


def test_a_role_that_may_not_edit_cannot_override(workspace, draft):
    client = APIClient()
    client.force_login(make_member(workspace, "approver"))

    answer = client.post(
        f"/v1/ai/drafts/{draft.generation_id}/accept", {"draft": str(draft.pk), "override": True}, format="json"
    )

    assert answer.status_code == 403


def test_the_calendar_accepts_and_adopts_nothing():
    """Its engine knows neither door; `test_drafting` shows that its drafts stay proposed."""
    names = set((settings.BASE_DIR / "campaigns" / "drafting.py").read_text("utf-8").split())

    assert not [name for name in names if "accept_draft" in name or "adopt_draft" in name]
