"""`/v1` of the audience, over HTTP."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from audiences import services
from audiences.importing import run, undo
from audiences.models import Contact, ContactImport, Subscription, Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(owner) -> APIClient:
    client = APIClient()
    client.force_login(owner)
    return client


def post_csv(api: APIClient, content: str, **fields):
    file = SimpleUploadedFile("contacts.csv", content.encode(), content_type="text/csv")
    return api.post("/v1/imports", {"file": file, **fields}, format="multipart")


def test_a_contact_is_added_read_changed_and_deleted(api, newsletter, workspace):
    services.create_field(workspace=workspace, key="orders", type="number")
    made = api.post(
        "/v1/contacts",
        {"email": "Ana@Example.com", "first_name": "Ana", "attributes": {"orders": 3}, "lists": [str(newsletter.pk)]},
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert body["email"] == "Ana@Example.com"
    assert (body["status"], body["lists"], body["attributes"]) == ("active", [str(newsletter.pk)], {"orders": 3})
    address = f"/v1/contacts/{body['id']}"
    assert api.get(address).json() == body
    changed = api.patch(address, {"last_name": "Núñez", "attributes": {"orders": None}, "lists": []}).json()
    assert (changed["last_name"], changed["attributes"], changed["lists"]) == ("Núñez", {}, [])
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "email"),
        ({"email": "nonsense"}, 400, "email"),
        ({"email": "a@b.example", "attributes": {"nope": 1}}, 400, "attributes.nope"),
        ({"email": "a@b.example", "attributes": {"orders": "many"}}, 400, "attributes.orders"),
        ({"email": "a@b.example", "attributes": []}, 400, "attributes"),
        ({"email": "a@b.example", "time_zone": "Mars/Base"}, 400, "time_zone"),
        ({"email": "a@b.example", "lists": ["not-an-id"]}, 400, "lists"),
        ({"email": "a@b.example", "lists": ["01900000-0000-7000-8000-000000000000"]}, 400, "lists"),
        ({"email": "taken@example.com"}, 409, "email"),
    ],
)
def test_a_bad_contact_is_refused_with_its_field(api, workspace, make_contact, body, status, field):
    services.create_field(workspace=workspace, key="orders", type="number")
    make_contact("taken@example.com")
    answer = api.post("/v1/contacts", body)
    assert answer.status_code == status, answer.content
    assert any(error["field"].startswith(field) for error in answer.json()["errors"])


def test_another_workspaces_rows_do_not_exist(api, other_workspace, make_contact):
    theirs = make_contact("them@example.com", workspace=other_workspace)
    their_list = services.create_list(workspace=other_workspace, name="Theirs")
    for method, address in [
        ("get", f"/v1/contacts/{theirs.pk}"),
        ("patch", f"/v1/contacts/{theirs.pk}"),
        ("delete", f"/v1/contacts/{theirs.pk}"),
        ("post", f"/v1/contacts/{theirs.pk}/erase"),
        ("get", f"/v1/contacts/{theirs.pk}/export"),
        ("get", f"/v1/lists/{their_list.pk}"),
        ("delete", f"/v1/lists/{their_list.pk}"),
    ]:
        assert getattr(api, method)(address).status_code == 404, address
    assert api.post("/v1/contacts", {"email": "a@b.example", "lists": [str(their_list.pk)]}).status_code == 400
    assert api.get(f"/v1/contacts?list={their_list.pk}").json()["results"] == []
    rules = {"list": str(their_list.pk), "op": "is_on"}
    assert api.post("/v1/segments/preview", {"rules": rules}).status_code == 400


def test_contacts_are_filtered_searched_and_paged(api, make_contact, newsletter, workspace):
    for number in range(5):
        make_contact(f"p{number}@example.com", first_name=f"Pat{number}", lists=[newsletter] if number < 3 else [])
    services.suppress_email(workspace=workspace, email="p0@example.com", reason="hard_bounce", source="t")
    emails = lambda query: [row["email"] for row in api.get(f"/v1/contacts?{query}").json()["results"]]  # noqa: E731
    assert emails("limit=2") == ["p4@example.com", "p3@example.com"]
    assert emails("q=pat3") == ["p3@example.com"]
    assert emails("status=bounced") == ["p0@example.com"]
    assert emails(f"list={newsletter.pk}") == ["p2@example.com", "p1@example.com", "p0@example.com"]
    page = api.get("/v1/contacts?limit=2&include=count").json()
    assert page["count"] == 5
    assert [row["email"] for row in api.get(page["next"]).json()["results"]] == ["p2@example.com", "p1@example.com"]
    assert api.get("/v1/contacts?list=nonsense").status_code == 400
    assert api.get("/v1/contacts?status=nonsense").status_code == 400


def test_listing_contacts_costs_the_same_for_two_and_for_twenty(
    api, make_contact, newsletter, django_assert_max_num_queries
):
    for number in range(20):
        make_contact(f"p{number}@example.com", lists=[newsletter])
    with django_assert_max_num_queries(9):
        assert len(api.get("/v1/contacts").json()["results"]) == 20


def test_an_erased_person_leaves_nothing_but_a_hash(api, make_contact, workspace):
    contact = make_contact("gone@example.com", first_name="Gone")
    assert api.post(f"/v1/contacts/{contact.pk}/erase").status_code == 204
    assert not Contact.objects.exists()
    assert "gone" not in Suppression.objects.get().email_normalized
    again = api.post("/v1/contacts", {"email": "gone@example.com"})
    assert (again.status_code, again.json()["code"]) == (422, "erased")


def test_a_persons_data_can_be_exported(api, make_contact, newsletter):
    contact = make_contact("ana@example.com", lists=[newsletter], consent_source="Form")
    body = api.get(f"/v1/contacts/{contact.pk}/export").json()
    assert body["contact"]["email"] == "ana@example.com"
    assert body["subscriptions"][0]["list"] == "Newsletter"
    assert body["consents"][0]["source"] == "Form"


def test_the_api_cannot_resubscribe_who_left(api, make_contact, newsletter):
    contact = make_contact("left@example.com", lists=[newsletter])
    services.unsubscribe(contact_id=contact.pk, source="t")
    body = api.patch(f"/v1/contacts/{contact.pk}", {"lists": [str(newsletter.pk)]}).json()
    assert body["status"] == "unsubscribed"
    assert Subscription.objects.get().status == "unsubscribed"
    row = Suppression.objects.get()
    assert api.delete(f"/v1/suppressions/{row.pk}").status_code == 422


def test_lists_carry_counts_and_refuse_a_taken_name(api, make_contact, newsletter):
    make_contact("a@example.com", lists=[newsletter])
    row = api.get("/v1/lists").json()["results"][0]
    assert row["contacts"] == {"active": 1, "pending": 0, "unsubscribed": 0}
    assert api.post("/v1/lists", {"name": "Newsletter"}).status_code == 409
    made = api.post("/v1/lists", {"name": "Brew club", "is_double_opt_in": True})
    assert made.status_code == 201
    assert api.patch(f"/v1/lists/{made.json()['id']}", {"name": "Club"}).json()["name"] == "Club"
    assert api.delete(f"/v1/lists/{made.json()['id']}").status_code == 204


def test_fields_have_fixed_keys_and_refuse_reserved_ones(api):
    made = api.post("/v1/contact-fields", {"key": "plan", "label": "Plan", "fallback": "free"})
    assert made.status_code == 201, made.content
    changed = api.patch(f"/v1/contact-fields/{made.json()['id']}", {"fallback": "basic", "key": "other"}).json()
    assert (changed["key"], changed["fallback"]) == ("plan", "basic")
    for key in ("email", "Plan", "1st", "a b", "unsubscribe_url", ""):
        assert api.post("/v1/contact-fields", {"key": key}).status_code == 400, key


def test_segments_are_saved_previewed_and_explained(api, make_contact, workspace):
    services.create_field(workspace=workspace, key="plan")
    make_contact("pro@example.com", attributes={"plan": "pro"})
    make_contact("free@example.com", attributes={"plan": "free"})
    rules = {"all": [{"field": "plan", "op": "is", "value": "pro"}]}
    assert api.post("/v1/segments", {"name": "Pros", "rules": rules}).status_code == 201
    preview = api.post("/v1/segments/preview", {"rules": rules}).json()
    assert (preview["count"], preview["estimated"]) == (1, False)
    assert preview["sample"][0]["email"] == "pro@example.com"
    trace = api.post("/v1/segments/explain", {"rules": rules, "email": "free@example.com"}).json()
    assert (trace["passed"], trace["children"][0]["text"]) == (False, "Plan is “pro”")
    assert api.post("/v1/segments/explain", {"rules": rules, "email": "x@example.com"}).status_code == 400


def test_an_import_over_http_is_accepted_run_and_reported(api, newsletter):
    answer = post_csv(
        api,
        "E-mail,Plan\nana@example.com,pro\nbroken,pro\n=cmd@example.com,=1+1\n",
        list=str(newsletter.pk),
        mapping='{"E-mail": "email", "Plan": "plan"}',
        consent_source="Shop",
    )
    assert answer.status_code == 202, answer.content
    job = answer.json()
    assert (job["status"], job["update_existing"]) == ("queued", True)
    run(ContactImport.objects.get().pk)
    done = api.get(f"/v1/imports/{job['id']}").json()
    assert (done["status"], done["created"], done["rejected"], done["progress"]) == ("done", 2, 1, 1.0)
    rejects = api.get(f"/v1/imports/{job['id']}/rejects.csv", HTTP_ACCEPT="text/csv")
    lines = b"".join(rejects.streaming_content).decode().splitlines()
    assert lines[0] == "row,reason,E-mail,Plan"
    assert lines[1].startswith("3,")
    assert lines[1].endswith("broken,pro")
    assert api.post(f"/v1/imports/{job['id']}/cancel").status_code == 409
    assert api.post(f"/v1/imports/{job['id']}/undo").status_code == 202
    undo(ContactImport.objects.get().pk)
    assert not Contact.objects.exists()


def test_the_same_import_with_the_same_key_happens_once(api):
    headers = {"HTTP_IDEMPOTENCY_KEY": "once"}
    answers = [
        api.post(
            "/v1/imports",
            {"file": SimpleUploadedFile("a.csv", b"email\na@example.com\n")},
            format="multipart",
            **headers,
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert ContactImport.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        ("", {}, 400),
        ("PK\x03\x04zip", {}, 400),
        ("name\nAna\n", {}, 400),
        ("email\na@example.com\n", {"mapping": '{"nope": "email"}'}, 400),
        ("email\na@example.com\n", {"mapping": '{"email": "Not A Key!"}'}, 400),
        ("email\na@example.com\n", {"mapping": "[1]"}, 400),
        ("email\na@example.com\n", {"mapping": "{broken"}, 400),
        ("email\na@example.com\n", {"list": "01900000-0000-7000-8000-000000000000"}, 400),
    ],
)
def test_an_upload_that_cannot_be_imported_is_refused_at_once(api, content, fields, code):
    answer = post_csv(api, content, **fields)
    assert answer.status_code == code, answer.content
    assert not ContactImport.objects.exists()


def test_readers_of_the_workspace_may_look_but_not_change(api, owner, workspace, make_contact):
    owner.memberships.update(role="analyst")
    contact = make_contact("a@example.com")
    assert api.get("/v1/contacts").status_code == 200
    assert api.post("/v1/contacts", {"email": "b@example.com"}).status_code == 403
    assert api.post(f"/v1/contacts/{contact.pk}/erase").status_code == 403
    assert post_csv(api, "email\na@example.com\n").status_code == 403
