"""The main job, step by step: from a new account to figures that agree."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pulsequill.walkthrough.client import Client, Failed, Watcher, fetch

#: A reader's mailbox, and a company's scanner: figures must keep them apart.
PERSON = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"}
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"}
SHOP = "https://harbour.example/rye"
#: What the figures of both doors and our own count are compared by.
FIGURES = ("recipients", "sent", "delivered", "unique_opens", "machine_opens", "unique_clicks", "machine_clicks",
           "unsubscribed", "bounced", "failed", "in_doubt")  # fmt: skip

_PIXEL = re.compile(r'src="(http[^"]+/t/o/[^"]+)"')
_LINK = re.compile(r'href="(http[^"]+/t/c/[^"]+)"')
_UNSUBSCRIBE = re.compile(r"<(http[^>]+/u/[^>]+)>")


@dataclass
class Job:
    """One walk. `steps()` does it and tells what it is doing; the results stand in the attributes afterwards."""

    client: Client
    readers: int
    expected: dict[str, int] = field(default_factory=dict)
    stats: dict[str, Any] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    live: dict[str, Any] = field(default_factory=dict)
    campaign: dict[str, Any] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)
    origin: str = ""
    facts: list[str] = field(default_factory=list)

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield every step: what it is called, and the function that does it and says how it went.

        Each raises `Failed` when the walk cannot go on.
        """
        yield "Sign up with a new workspace", self._sign_up
        yield "Import contacts from a CSV file", self._import
        yield "Have three drafts written from one sentence", self._draft
        yield "Adopt one and choose whom it goes to", self._compose
        yield "Preview it as a real contact, and run the preflight", self._review
        yield "Send it and watch it leave", self._send
        yield "Let readers open, click and unsubscribe", self._read
        yield "Wait until page, socket and API agree", self._settle

    def _sign_up(self) -> str:
        account = self.client.sign_up(workspace_name="Harbour Bakery")
        self.client.patch("/v1/workspace", {"postal_address": "3 Quay Street, Bristol BS1 4DJ, United Kingdom"})
        return f"{account['user']['email']} owns {account['workspace']['slug']}"

    def _import(self) -> str:
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(["E-mail", "First name", "Last name"])
        rows.writerows([f"reader{number}@example.org", f"Ada{number}", "Marsh"] for number in range(self.readers))
        rows.writerow(["not an address", "Broken", "Row"])
        rows.writerow(["reader0@example.org", "Twice", "Marsh"])
        self._list = self.client.post("/v1/lists", {"name": "Regulars"})
        started = self.client.upload(
            "/v1/imports",
            file_name="regulars.csv",
            content=text.getvalue().encode(),
            fields={
                "list": self._list["id"],
                "mapping": '{"E-mail": "email", "First name": "first_name", "Last name": "last_name"}',
                "update_existing": "true",
                "consent_source": "Asked at the till",
            },
        )
        done = self.client.wait_for(
            f"/v1/imports/{started['id']}",
            lambda state: state["status"] in {"done", "failed", "cancelled"},
            what="The import",
        )
        if (done["status"], done["created"], done["rejected"]) != ("done", self.readers, 2):
            raise Failed(f"The import took {done['created']} and refused {done['rejected']}: {done['status']}.")
        return f"{done['created']} created, {done['rejected']} refused with a reason"

    def _draft(self) -> str:
        started = self.client.post(
            "/v1/ai/drafts",
            {
                "goal": "Tell our regulars that the rye loaf is back, and that orders before Friday get free delivery",
                "facts": ["The rye loaf is back", "Free delivery for orders before Friday"],
                "cta_url": SHOP,
                "angles": 3,
            },
        )
        done = self.client.wait_for(
            f"/v1/ai/drafts/{started['id']}",
            lambda state: state["status"] in {"succeeded", "failed", "cancelled", "blocked"},
            what="The drafting",
            timeout_s=180,
        )
        if done["status"] != "succeeded":
            raise Failed(f"The drafting ended as {done['status']}.")
        self.subjects = [draft["subject"] for draft in done["drafts"]]
        self.origin = done["origin"]
        passed = [draft for draft in done["drafts"] if draft["guardrails"].get("ok")]
        if not passed:
            raise Failed("The guardrails let none of the drafts pass.")
        self._chosen: dict[str, Any] = passed[0]
        return f"{len(self.subjects)} drafts, origin: {self.origin.replace('_', ' ')}"

    def _compose(self) -> str:
        sender = self.client.post("/v1/senders", {"from_name": "Harbour Bakery", "from_email": "hello@harbour.example"})
        made = self.client.post(
            "/v1/campaigns", {"name": "The rye is back", "sender": sender["id"], "lists": [self._list["id"]]}
        )
        self.campaign = self.client.post(f"/v1/campaigns/{made['id']}/adopt", {"draft": self._chosen["id"]})
        return f"“{self.campaign['variants'][0]['subject']}”"

    @property
    def _path(self) -> str:
        return f"/v1/campaigns/{self.campaign['id']}"

    def _review(self) -> str:
        contact = self.client.get("/v1/contacts", q="reader1@example.org")["results"][0]
        preview = self.client.post(f"{self._path}/preview", {"variant": "A", "contact": contact["id"]})
        if "{{" in preview["html"] + preview["text"]:
            raise Failed("The preview still holds merge tags.")
        findings = self.client.post(f"{self._path}/preflight")
        blocking = [finding["message"] for finding in findings["findings"] if finding["severity"] == "block"]
        if blocking or not findings["ok"]:
            raise Failed(f"Preflight stops it: {' '.join(blocking)}")
        included = self.client.get(f"{self._path}/audience")["included"]
        return f"{preview['size_bytes'] / 1024:.0f} kB, {included} recipients, nothing stops it"

    def _send(self) -> str:
        self._watcher: Watcher = self.client.watch(f"/ws/campaigns/{self.campaign['id']}").__enter__()
        began = time.monotonic()
        self.client.post(f"{self._path}/send")
        self.client.wait_for(self._path, lambda state: state["status"] == "sent", what="The sending")
        self._watcher.wait_for(lambda totals: totals["sent"] == self.readers, what="all messages sent")
        return f"{self.readers} messages left in {time.monotonic() - began:.1f} s"

    def _read(self) -> str:
        mails = self._mails()
        openers, clickers, leaver = mails[: self.readers // 3], mails[: self.readers // 8], mails[-1]
        scanned = mails[self.readers // 3 : self.readers // 3 + 4]
        for mail in [*openers, *openers]:  # everybody looks twice: that is still one reader
            self._visit(_PIXEL, mail, PERSON, 200)
        for mail in clickers:
            location = self._visit(_LINK, mail, PERSON, 302)
            if urlsplit(location)._replace(query="", fragment="").geturl() != SHOP:
                raise Failed(f"A tracked link led to {location}.")
        for mail in scanned:
            self._visit(_PIXEL, mail, SCANNER, 200)
            self._visit(_LINK, mail, SCANNER, 302)
        self._leave(leaver)
        self.expected = dict.fromkeys(FIGURES, 0) | {
            "recipients": self.readers,
            "sent": self.readers,
            "delivered": self.readers,
            "unique_opens": len(openers),
            "unique_clicks": len(clickers),
            "machine_opens": len(scanned),
            "machine_clicks": len(scanned),
            "unsubscribed": 1,
        }
        return f"{len(openers)} opened, {len(clickers)} clicked, {len(scanned)} were scanned by a machine, 1 left"

    def _mails(self) -> list[dict[str, Any]]:
        mails: list[dict[str, Any]] = []
        page = self.client.get("/outbox.json", campaign=self.campaign["id"], limit=200)
        mails += page["results"]
        while page["next"]:
            split = urlsplit(page["next"])
            page = self.client.get(f"{split.path}?{split.query}")
            mails += page["results"]
        if len({mail["to"] for mail in mails}) != self.readers or len(mails) != self.readers:
            raise Failed(f"The outbox holds {len(mails)} mails for {self.readers} readers. (EMAIL_PROVIDER=capture?)")
        return sorted(mails, key=lambda mail: str(mail["to"]))

    def _visit(self, pattern: re.Pattern[str], mail: dict[str, Any], who: dict[str, str], wanted: int) -> str:
        found = pattern.search(mail["html"])
        if not found:
            raise Failed(f"The mail to {mail['to']} has no {pattern.pattern}.")
        status, headers, _body = fetch(found[1].replace("&amp;", "&"), headers=who)
        if status != wanted:
            raise Failed(f"{found[1]} answered {status}.")
        return str(headers.get("location", ""))

    def _leave(self, mail: dict[str, Any]) -> None:
        headers = {name.lower(): text for name, text in dict(mail["headers"]).items()}
        found = _UNSUBSCRIBE.search(headers["list-unsubscribe"])
        if not found:
            raise Failed("The mail has no one-click unsubscribe address.")
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        for _twice in range(2):
            status, _headers, _body = fetch(
                found[1], method="POST", body=b"List-Unsubscribe=One-Click", headers={**PERSON, **kind}
            )
            if status != 200:
                raise Failed(f"One-click unsubscribing answered {status}.")

    def _settle(self) -> str:
        began = time.monotonic()

        def agrees(figures: dict[str, Any]) -> bool:
            return all(figures.get(name) == count for name, count in self.expected.items())

        with suppress(Failed):  # the table of figures says which of them disagree
            self.client.wait_for(f"{self._path}/stats", agrees, what="The right figures", timeout_s=30)
            self._watcher.wait_for(agrees, what="the right figures", timeout_s=30)
        self.stats = self.client.get(f"{self._path}/stats")
        self.live = self._watcher.totals
        self.frames = list(self._watcher.frames)
        self._watcher.__exit__(None, None, None)
        return f"after {time.monotonic() - began:.1f} s and {len(self.frames)} frames"

    def disagreements(self) -> list[str]:
        """Return the names of the figures on which our count, the API and the socket differ."""
        return [
            name for name, count in self.expected.items() if not count == self.stats.get(name) == self.live.get(name)
        ]
