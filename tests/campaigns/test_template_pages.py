"""The gallery, a template's editor and history, and importing: what they say and who may do what."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from campaigns.models import Campaign, EmailTemplate, TemplateVersion
from campaigns.services import templates
from tests.campaigns.making import HELLO, make_member, make_workspace
from tests.campaigns.test_importing import BOMBS, PAGE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(brand={"color": "#204080"})


@pytest.fixture
def client(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_member(workspace))
    return client


@pytest.fixture
def template(workspace: Workspace) -> EmailTemplate:
    return templates.create_template(workspace=workspace, actor=None, name="Launch", subject="One", body=HELLO)


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns:{name}", args=args)


def text_of(response: Any) -> str:
    return str(response.content.decode())


# --- gallery -----------------------------------------------------------------------------------------------------
def test_a_workspace_without_templates_sees_the_starters_first(client: Client) -> None:
    page = text_of(client.get(url("template_list")))
    assert "Product launch" in page
    assert url("starter_frame", "sale") in page
    assert "No templates of your own yet" in text_of(client.get(url("template_list") + "?tab=yours"))


def test_templates_are_found_by_name_subject_and_purpose(client: Client, template: EmailTemplate) -> None:
    address = url("template_list")
    templates.update_template(template=template, actor=None, purpose="news")
    assert "Launch" in text_of(client.get(address))
    assert "Launch" in text_of(client.get(address + "?q=one&purpose=news"))
    assert "Nothing here matches" in text_of(client.get(address + "?tab=yours&purpose=order"))
    assert "Nothing here matches" in text_of(client.get(address + "?tab=yours&q=zebra"))
    starters = text_of(client.get(address + "?tab=starters&purpose=event"))
    assert "Webinar reminder" in starters
    assert "Newsletter" not in starters


@pytest.mark.parametrize("query", ["?tab=evil", "?purpose=evil", "?cursor=x", "?q=" + "x" * 5000])
def test_strange_queries_are_no_server_error(client: Client, template: EmailTemplate, query: str) -> None:
    assert client.get(url("template_list") + query).status_code < 500


def test_a_starter_is_seen_in_the_workspaces_colours_and_leaves_nothing_behind(client: Client) -> None:
    shown = {}
    for look in ("light", "dark", "text"):
        answer = client.get(url("starter_frame", "sale") + f"?look={look}")
        assert "sandbox" in answer["Content-Security-Policy"]
        shown[look] = text_of(answer)
    assert "data:image/png;base64," in shown["light"]
    assert "#204080" in shown["light"]
    assert "starter.invalid" not in shown["light"]
    assert "prefers-color-scheme:dark" not in shown["dark"]
    assert "See the whole sale &lt;https://example.com/sale&gt;" in shown["text"]
    assert client.get(url("starter_frame", "nothing")).status_code == 404
    assert not EmailTemplate.objects.exists()


def test_a_starter_becomes_a_campaign_or_a_template(client: Client, workspace: Workspace) -> None:
    answer = client.post(url("starter_use", "welcome"))
    campaign = Campaign.objects.get()
    assert answer["Location"] == url("composer", campaign.pk)
    assert campaign.variants.get().body[0]["src"].endswith(".png")
    answer = client.post(url("starter_save", "welcome"))
    made = EmailTemplate.objects.get()
    assert answer["Location"] == url("template", made.pk)
    assert (made.name, made.purpose) == ("Welcome", "welcome")


def test_copy_rename_and_delete(client: Client, template: EmailTemplate) -> None:
    client.post(url("template_duplicate", template.pk))
    client.post(url("template_duplicate", template.pk))
    assert set(EmailTemplate.objects.values_list("name", flat=True)) == {"Launch", "Launch (copy)", "Launch (copy) 2"}
    client.post(url("template_rename", template.pk), {"name": "Start", "purpose": "promotion"})
    template.refresh_from_db()
    assert (template.name, template.purpose) == ("Start", "promotion")
    taken = client.post(url("template_rename", template.pk), {"name": "Launch (copy)"}, follow=True)
    assert "is there already" in text_of(taken)
    answer = client.post(url("template_delete", template.pk), headers={"Accept": "application/json"})
    assert answer.status_code == 204
    assert EmailTemplate.objects.count() == 2


# --- editor, history ---------------------------------------------------------------------------------------------
def test_the_editor_carries_everything_that_its_script_needs(client: Client, template: EmailTemplate) -> None:
    page = text_of(client.get(url("template", template.pk)))
    data = json.loads(page.split('<script id="template-data" type="application/json">')[1].split("</script>")[0])
    assert data["content"]["subject"] == "One"
    assert [block["type"] for block in data["content"]["body"]] == ["heading", "text", "button"]
    assert 'style="' not in page.split("<body")[1]
    saved = client.patch(
        data["urls"]["api"], json.dumps({"subject": "Two"}), content_type="application/json",
        headers={"If-Match": f'"{data["revision"]}"'},
    )  # fmt: skip
    assert saved.status_code == 200
    assert saved.json()["revision"] != data["revision"]
    stale = client.patch(
        data["urls"]["api"], json.dumps({"subject": "Three"}), content_type="application/json",
        headers={"If-Match": f'"{data["revision"]}"'},
    )  # fmt: skip
    assert stale.status_code == 412
    assert EmailTemplate.objects.get().subject == "Two"


def test_what_is_being_written_is_previewed_unsaved(client: Client, template: EmailTemplate) -> None:
    content = {"subject": "Now", "preview_text": "", "format": "markdown", "body": "# Hi {{first_name}}"}
    answer = client.post(
        url("template_preview", template.pk), json.dumps({"content": content}), content_type="application/json"
    )
    assert answer.json()["subject"] == "Now"
    content["body"] = "line\n{{#open}}"
    answer = client.post(
        url("template_preview", template.pk), json.dumps({"content": content}), content_type="application/json"
    )
    assert (answer.status_code, answer.json()["line"], answer.json()["column"]) == (400, 2, 1)


def test_the_history_compares_side_by_side_and_goes_back(
    client: Client, template: EmailTemplate, workspace: Workspace
) -> None:
    changed = [{**template.body[0], "text": "It was here"}, *template.body[1:]]
    templates.update_template(template=template, actor=make_member(workspace), subject="Two", body=changed)
    page = text_of(client.get(url("template_versions", template.pk)))
    assert "<del>One</del>" in page
    assert "<ins>Two</ins>" in page
    assert "Restore version 1" in page
    answer = client.post(url("template_version_restore", template.pk, 1), follow=True)
    assert "Back at version 1" in text_of(answer)
    template.refresh_from_db()
    assert (template.subject, template.body[0]["text"]) == ("One", "It is here")
    assert TemplateVersion.objects.filter(template=template).count() == 3
    assert "says now what it said then" in text_of(client.get(url("template_versions", template.pk) + "?version=3"))
    assert client.post(url("template_version_restore", template.pk, 99)).status_code == 404


# --- importing ---------------------------------------------------------------------------------------------------
def test_pasted_html_becomes_a_template_with_a_report_that_is_shown_once(client: Client) -> None:
    answer = client.post(url("template_import"), {"html": PAGE})
    made = EmailTemplate.objects.get()
    assert answer["Location"] == url("template", made.pk)
    assert (made.format, made.name) == ("html", "News for {{first_name}}")
    page = text_of(client.get(url("template", made.pk)))
    assert "What the import did" in page
    assert "1 scripts" in page
    assert "logo.png" in page
    assert "What the import did" not in text_of(client.get(url("template", made.pk)))


def test_a_file_is_taken_as_well(client: Client) -> None:
    file = SimpleUploadedFile("mail.html", PAGE.encode(), content_type="text/html")
    client.post(url("template_import"), {"file": file, "name": "From a file"})
    assert EmailTemplate.objects.get().name == "From a file"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"html": ""}, "Paste the HTML"),
        ({"html": "<p>{{#a}}</p>"}, "Line 1, column 4"),
        ({"html": BOMBS["deep"]}, "Line 1, column 1001"),
        ({"html": BOMBS["too large"]}, "larger than 256 KB"),
        ({"file": SimpleUploadedFile("a.html", b"\xff\xfe\x00")}, "not UTF-8"),
        ({"file": SimpleUploadedFile("a.html", b"x" * 300_000)}, "larger than 256 KB"),
    ],
)
def test_what_cannot_be_taken_in_is_said_and_nothing_is_saved(client: Client, given: Any, words: str) -> None:
    answer = client.post(url("template_import"), given)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert not EmailTemplate.objects.exists()


# --- who may -----------------------------------------------------------------------------------------------------
ACTIONS = ["template_use", "template_duplicate", "template_rename", "template_delete"]


def test_analysts_look_but_do_not_touch(workspace: Workspace, template: EmailTemplate) -> None:
    analyst = Client()
    analyst.force_login(make_member(workspace, "analyst"))
    assert [analyst.post(url(name, template.pk)).status_code for name in ACTIONS] == [403] * 4
    for path in (url("template_new"), url("template_import"), url("starter_use", "sale"), url("starter_save", "sale")):
        assert analyst.post(path).status_code == 403
    assert analyst.post(url("template_version_restore", template.pk, 1)).status_code == 403
    for name in ("template", "template_versions", "template_frame"):
        assert analyst.get(url(name, template.pk)).status_code == 200
    assert "Use" not in text_of(analyst.get(url("template_list"))).split("data-templates")[1].split("<dialog")[0]


def test_strangers_get_the_404_of_what_does_not_exist(client: Client) -> None:
    other = templates.create_template(workspace=make_workspace("Other"), actor=None, name="Theirs", body=HELLO)
    for key in (other.pk, uuid4()):
        assert {client.post(url(name, key)).status_code for name in ACTIONS} <= {404}
        for name in ("template", "template_versions", "template_frame"):
            assert client.get(url(name, key)).status_code == 404
    assert EmailTemplate.objects.filter(pk=other.pk).exists()
