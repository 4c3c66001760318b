"""Signing in on a running PulseQuill, as one of the demo's people."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.instance import Instance


def sign_in(page: Page, instance: Instance, role: str) -> None:
    """Leave the page at home, signed in."""
    email, password = instance.sign_ins[role]
    page.goto(f"{instance.url}/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Home")
