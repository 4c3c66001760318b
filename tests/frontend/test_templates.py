"""What holds for every template and every file a template names, whoever wrote it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.urls import URLResolver, get_resolver

from pulsequill.core.icons import icon_drawings
from pulsequill.templatetags import ui

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
SHEETS = sorted((ROOT / "static" / "css").rglob("*.css"))
#: Mail is not a page: mail clients want inline styles, and no policy of ours reaches them.
PAGES = [path for path in TEMPLATES if "mail" not in path.stem and "mail" not in path.parent.name]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def url_names() -> set[str]:
    """Every name that `{% url %}` may use, namespaces included."""
    found: set[str] = set()

    def walk(resolver: URLResolver, prefix: str) -> None:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
            elif pattern.name:
                found.add(f"{prefix}{pattern.name}")

    walk(get_resolver(), "")
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_it_parses(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_it_has_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text), "style attributes are blocked by the content security policy"
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "event handler attributes are blocked"
    assert "javascript:" not in text
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "nonce=" in tag or 'type="application/json"' in tag, tag


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_its_urls_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = set(re.findall(r"{%\s*url\s+[\"']([^\"']+)[\"']", text))
    known = url_names()
    unknown = {one for one in used if one not in known and not one.startswith(("admin:", "rest_framework:"))}
    assert not unknown


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_its_icons_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = set(re.findall(r"{%\s*icon\s+[\"']([^\"']+)[\"']", text))
    used |= set(re.findall(r"{%\s*empty_state\s+[\"']([^\"']+)[\"']", text))
    used |= set(re.findall(r"{%\s*chip\s[^%]*icon=[\"']([^\"']+)[\"']", text)) - {"live", "dot"}
    assert used <= icon_drawings().keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_its_files_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = set(re.findall(r"{%\s*static\s+[\"']([^\"']+)[\"']", text))
    used |= {f"js/{one}" for one in re.findall(r"{%\s*module\s+[\"']([^\"']+)[\"']", text)}
    used |= set(re.findall(r"[\"']/static/([^\"']+)[\"']", text))
    assert not {one for one in used if finders.find(one) is None}


def test_every_icon_of_the_tables_is_drawn() -> None:
    drawn = icon_drawings().keys() | {"live", ""}
    assert {look.icon for look in ui.STATUS_LOOKS.values()} <= drawn
    assert {item.icon for item in (*ui.NAVIGATION, *ui.ACTIONS.values(), *ui.FOOT)} <= drawn


def test_every_page_of_the_navigation_exists() -> None:
    assert {item.url_name for item in (*ui.NAVIGATION, *ui.ACTIONS.values(), *ui.FOOT)} <= url_names()


def test_every_status_of_every_model_has_a_look() -> None:
    from django.apps import apps

    statuses: set[str] = set()
    for model in apps.get_models():
        if model.__module__.startswith(("accounts.", "aiwriter.", "audiences.", "campaigns.", "analytics.")):
            status = getattr(model, "Status", None)
            statuses |= set(getattr(status, "values", []))
    assert len(statuses) > 20
    assert statuses <= ui.STATUS_LOOKS.keys()


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_scripts_import_by_name_and_only_what_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {module for module, _ in ui._modules()} | {"django-prose-editor/editor"}
    for imported in re.findall(r"""^\s*(?:import|export)\b[^;'"]*from\s+['"]([^'"]+)['"]""", text, re.MULTILINE):
        assert imported in known
    assert not re.search(r"\beval\(|new Function\(|\.innerHTML\s*=\s*[^\"'`]", text)


def test_the_import_map_has_every_module() -> None:
    assert {path for _, path in ui._modules()} == {str(path.relative_to(ROOT / "static")) for path in SCRIPTS}


def test_every_sheet_is_loaded_by_a_template() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    assert not [name(sheet) for sheet in SHEETS if str(sheet.relative_to(ROOT / "static")) not in text]


@pytest.mark.parametrize("path", SHEETS, ids=name)
def test_sheets_name_only_tokens_and_files_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    declared = set(re.findall(r"(--[\w-]+)\s*:", "".join(sheet.read_text(encoding="utf-8") for sheet in SHEETS)))
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= declared
    for file in re.findall(r"url\([\"']([^\"')]+)[\"']\)", text):
        assert (path.parent / file).exists()
