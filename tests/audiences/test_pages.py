"""The audience's pages, as a browser without scripts sees them."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audiences import services
from audiences.importing import run
from audiences.models import Contact, ContactImport, ContactList, Segment, Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def audience(make_contact, newsletter, workspace):
    services.create_field(workspace=workspace, key="spent", label="Spent", type="number")
    for number in range(8):
        make_contact(
            f"person{number}@example.com",
            first_name=f"Person{number}",
            last_name="Ek",
            attributes={"spent": number},
            lists=[newsletter],
            consent_source="Form",
        )
    services.suppress_email(workspace=workspace, email="person1@example.com", reason="hard_bounce", source="t")
    segment = {"field": "spent", "op": "at_least", "value": 4}
    services.create_segment(workspace=workspace, name="Spenders", rules={"all": [segment]})
    return workspace


PAGES = (
    "contact_list", "contact_new", "list_list", "list_new", "field_new", "suppression_list", "segment_list",
    "segment_new", "import_list", "import_new",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_every_page_renders_empty_and_full_without_a_missing_icon(page, name, request):
    address = reverse(f"audiences:{name}")
    for fill in (False, True):
        if fill:
            request.getfixturevalue("audience")
        answer = page.get(address)
        assert answer.status_code == 200
        html = answer.content.decode()
        assert "data-missing-icon" not in html
        assert ' style="' not in html


@pytest.mark.parametrize("name", PAGES)
def test_pages_ask_visitors_to_sign_in(client, name):
    answer = client.get(reverse(f"audiences:{name}"))
    assert answer.status_code == 302
    assert "/sign-in" in answer["Location"]


def test_the_table_and_the_drawer_cost_the_same_for_few_and_many(page, audience, make_contact, newsletter):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    contact = Contact.objects.first()
    address = f"{reverse('audiences:contact_list')}?open={contact.pk}"

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert page.get(address).status_code == 200
        return len(captured)

    few = queries()
    for number in range(30):
        make_contact(f"more{number}@example.com", lists=[newsletter])
    assert queries() == few
    assert few <= 24


@pytest.mark.parametrize("name", ["list_list", "segment_list", "suppression_list", "import_list"])
def test_lists_of_things_cost_the_same_for_few_and_many(page, audience, name, workspace):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(reverse(f"audiences:{name}")).status_code == 200
        return len(captured)

    def add(number: int) -> None:
        services.create_list(workspace=workspace, name=f"List {number}")
        rules = {"field": "email", "op": "is_set"}
        services.create_segment(workspace=workspace, name=f"Segment {number}", rules=rules)
        services.suppress_email(workspace=workspace, email=f"s{number}@example.com", reason="manual", source="t")
        services.upload_import(workspace=workspace, file=SimpleUploadedFile("a.csv", b"email\na@example.com\n"))

    add(0)
    few = queries()
    for number in range(1, 8):
        add(number)
    assert queries() == few


def test_the_table_filters_searches_and_pages(page, audience, newsletter, make_contact):
    address = reverse("audiences:contact_list")
    assert b"person3@example.com" in page.get(f"{address}?q=person3").content
    assert b"person3@example.com" not in page.get(f"{address}?q=person4").content
    stopped = page.get(f"{address}?status=stopped").content
    assert b"person1@example.com" in stopped
    assert b"person2@example.com" not in stopped
    segment = Segment.objects.get()
    assert b"person2@example.com" not in page.get(f"{address}?segment={segment.pk}").content
    for number in range(60):
        make_contact(f"n{number:02}@example.com", lists=[newsletter])
    for query in ("", f"?list={newsletter.pk}"):
        seen: list[str] = []
        next_address = f"{address}{query}"
        while next_address:
            rows = page.get(next_address).context["page"]
            seen += [row.email for row in rows.items]
            next_address = rows.next_url
        assert len(seen) == len(set(seen)) == 68


def test_pages_neither_repeat_nor_skip_when_contacts_arrive_meanwhile(page, make_contact):
    for number in range(60):
        make_contact(f"n{number:02}@example.com")
    first = page.get(reverse("audiences:contact_list")).context["page"]
    make_contact("new@example.com")
    second = page.get(first.next_url).context["page"]
    assert [row.email for row in second.items] == [f"n{number:02}@example.com" for number in range(9, -1, -1)]


def test_a_contact_is_added_edited_and_deleted_by_forms(page, newsletter, workspace):
    services.create_field(workspace=workspace, key="born", label="Born", type="date")
    answer = page.post(
        reverse("audiences:contact_new"),
        {"email": "ana@example.com", "first_name": "Ana", "attribute_born": "1990-04-01", "lists": [newsletter.pk]},
    )
    contact = Contact.objects.get()
    assert answer["Location"] == reverse("audiences:contact_detail", args=[contact.pk])
    assert contact.attributes == {"born": "1990-04-01"}
    refused = page.post(reverse("audiences:contact_new"), {"email": "ana@example.com"})
    assert refused.status_code == 422
    assert b"already a contact" in refused.content
    page.post(reverse("audiences:contact_edit", args=[contact.pk]), {"email": "ana@example.com", "last_name": "N"})
    contact.refresh_from_db()
    assert (contact.last_name, contact.attributes, contact.subscriptions.count()) == ("N", {}, 0)
    page.post(reverse("audiences:contact_delete", args=[contact.pk]))
    assert not Contact.objects.exists()


def test_many_contacts_are_put_on_a_list_or_suppressed_at_once(page, audience, workspace):
    club = services.create_list(workspace=workspace, name="Brew club")
    ids = [str(pk) for pk in Contact.objects.values_list("pk", flat=True)[:3]]
    page.post(reverse("audiences:contact_bulk"), {"ids": ids, "action": "add_to_list", "list": club.pk})
    assert club.subscriptions.count() == 3
    page.post(reverse("audiences:contact_bulk"), {"ids": ids, "action": "suppress"})
    assert Suppression.objects.filter(email_normalized__startswith="person").count() >= 3
    answer = page.post(
        reverse("audiences:contact_bulk"), {"ids": ids, "action": "suppress", "back": "https://evil.example/"}
    )
    assert answer["Location"] == reverse("audiences:contact_list")


def test_the_export_is_a_csv_without_formulas(page, make_contact):
    make_contact("a@example.com", first_name="=cmd|' /C calc'!A0", last_name="+1")
    lines = b"".join(page.get(reverse("audiences:contact_export")).streaming_content).decode().splitlines()
    assert lines[0].startswith("email,first_name,last_name,status")
    assert "'=cmd" in lines[1]
    assert "'+1" in lines[1]


def test_an_import_goes_from_upload_to_report(page, workspace):
    file = SimpleUploadedFile("people.csv", b"E-Mail;Plan\nana@example.com;pro\nbroken;pro\n")
    answer = page.post(reverse("audiences:import_new"), {"file": file})
    job = ContactImport.objects.get()
    assert answer["Location"] == reverse("audiences:import_detail", args=[job.pk])
    mapping = page.get(answer["Location"])
    assert b"New text field" in mapping.content
    options = {"column_0": "email", "column_1": "plan", "list": "new", "new_list": "Market", "update_existing": "on"}
    refused = page.post(answer["Location"], options)
    assert refused.status_code == 422
    assert b"without consent" in refused.content
    page.post(answer["Location"], {**options, "consent_source": "Sheet"})
    assert b"Waiting for a worker" in page.get(answer["Location"]).content
    assert b"people.csv" in page.get(reverse("audiences:contact_list")).content
    run(job.pk)
    report = page.get(answer["Location"]).content
    assert b"Download rejected rows" in report
    assert ContactList.objects.get(name="Market").subscriptions.count() == 1
    assert page.get(reverse("audiences:import_progress", args=[job.pk])).json()["created"] == 1
    page.post(reverse("audiences:import_undo", args=[job.pk]))
    assert ContactImport.objects.get().status == "undoing"


def test_an_upload_by_script_answers_in_json(page):
    good = SimpleUploadedFile("a.csv", b"email\na@example.com\n")
    answer = page.post(reverse("audiences:import_new"), {"file": good}, HTTP_ACCEPT="application/json, text/html;q=0.9")
    assert answer.status_code == 201
    assert answer.json()["url"].startswith("/imports/")
    bad = SimpleUploadedFile("a.zip", b"PK\x03\x04")
    answer = page.post(reverse("audiences:import_new"), {"file": bad}, HTTP_ACCEPT="application/json")
    assert (answer.status_code, "CSV" in answer.json()["detail"]) == (400, True)


def test_a_segment_is_built_previewed_explained_and_deleted(page, audience):
    rules = '{"any": [{"field": "spent", "op": "greater_than", "value": 5}]}'
    assert page.post(reverse("audiences:segment_new"), {"name": "Big", "rules": rules}).status_code == 302
    segment = Segment.objects.get(name="Big")
    assert b"Spent is more than 5" in page.get(reverse("audiences:segment_list")).content
    assert b"<b>2</b>" in page.get(reverse("audiences:segment_count", args=[segment.pk])).content
    preview = page.post(
        reverse("audiences:segment_preview"), f'{{"rules": {rules}}}', content_type="application/json"
    ).json()
    assert (preview["count"], preview["total"]) == (2, 8)
    why = page.post(
        reverse("audiences:segment_explain"),
        f'{{"rules": {rules}, "email": "person1@example.com"}}',
        content_type="application/json",
    ).json()
    assert why["passed"] is False
    for bad in ("{", '{"all": []}', '{"field": "nope", "op": "is"}', "[]", '"\\ud800"'):
        assert page.post(reverse("audiences:segment_new"), {"name": "Bad", "rules": bad}).status_code == 422, bad
    page.post(reverse("audiences:segment_delete", args=[segment.pk]))
    assert not Segment.objects.filter(name="Big").exists()


def test_a_suppression_is_added_and_lifted_unless_the_person_said_no(page, workspace):
    address = reverse("audiences:suppression_list")
    page.post(address, {"email": "A@example.com"})
    row = Suppression.objects.get()
    assert (row.email_normalized, row.reason) == ("a@example.com", "manual")
    page.post(reverse("audiences:suppression_lift", args=[row.pk]))
    assert not Suppression.objects.exists()
    services.suppress_email(workspace=workspace, email="b@example.com", reason="complaint", source="t")
    page.post(reverse("audiences:suppression_lift", args=[Suppression.objects.get().pk]))
    assert Suppression.objects.exists()


def test_an_analyst_sees_pages_but_no_change(page, owner, audience):
    owner.memberships.update(role="analyst")
    contact = Contact.objects.first()
    assert page.get(reverse("audiences:contact_list")).status_code == 200
    assert page.get(reverse("audiences:contact_detail", args=[contact.pk])).status_code == 200
    for name in ("contact_new", "list_new", "import_new"):
        assert page.get(reverse(f"audiences:{name}")).status_code == 403
    for name in ("contact_suppress", "contact_unsubscribe", "contact_delete", "contact_erase"):
        assert page.post(reverse(f"audiences:{name}", args=[contact.pk])).status_code == 403


def test_another_workspaces_things_are_not_found(page, other_workspace, make_contact):
    contact = make_contact("them@example.com", workspace=other_workspace)
    list_ = services.create_list(workspace=other_workspace, name="Theirs")
    for address in (
        reverse("audiences:contact_detail", args=[contact.pk]),
        reverse("audiences:contact_edit", args=[contact.pk]),
        reverse("audiences:list_detail", args=[list_.pk]),
    ):
        assert page.get(address).status_code == 404
    assert page.get(f"{reverse('audiences:contact_list')}?open={contact.pk}").context.get("contact") is None
