"""The far side of a chaos run: an SMTP server and a SendGrid that misbehave by recipient, and remember what they took.

What goes wrong hangs on the number in the address (`reader17@...`), out of each hundred: it is the same in every run,
whoever hands the message over and however often. Their record of what was accepted is the judge of the run.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from pulsequill.benchmarks.processes import free_port
from tests.fakes.sendgrid_server import problems_of

#: Seconds that each message takes: a relay somewhere else.
DELAY_S = 0.25
API_KEY = "SG.chaos"

#: Remainder of the recipient's number by 100 -> what the server does. `once`: only the first time.
SMTP_FAULTS: dict[int, str] = {
    7: "takes it and hangs up without a reply",
    17: "451 after the message, once",
    27: "550 no such user",
    37: "452 mailbox full, once",
    47: "421 closing, once",
}
SENDGRID_FAULTS: dict[int, str] = {
    7: "takes it and hangs up without a reply",
    17: "429, once",
    27: "400",
    37: "500, and did not take it",
}


class Record:
    """What a server has accepted: address and Message-ID of each message, in order."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str]] = []
        self.dropped: set[str] = set()
        self.faults: Counter[str] = Counter()
        self._tried: set[str] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.accepted)

    def fault_of(self, address: str, faults: dict[int, str], *, take: bool = True) -> str:
        """Return what shall go wrong with this try at this recipient; empty: nothing."""
        found = re.search(r"(\d+)@", address)
        fault = faults.get(int(found[1]) % 100, "") if found else ""
        if not fault or not take:
            return fault
        with self._lock:
            if fault.endswith("once") and address in self._tried:
                return ""
            self._tried.add(address)
            self.faults[fault] += 1
        return fault

    def take(self, address: str, message_key: str, *, is_reply_lost: bool) -> int:
        """Accept a message; return its number."""
        with self._lock:
            self.accepted.append((address, message_key))
            if is_reply_lost:
                self.dropped.add(address)
            return len(self.accepted)


class _Smtp:
    """The handler of aiosmtpd; offers PIPELINING (RFC 2920)."""

    def __init__(self, record: Record) -> None:
        self.record = record

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        fault = self.record.fault_of(address, SMTP_FAULTS, take=False)
        is_refusal = fault[:1] in ("4", "5") and "after the message" not in fault
        if is_refusal and (happens := self.record.fault_of(address, SMTP_FAULTS)):
            return f"{happens[:3]} {happens[4:]}"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(DELAY_S)
        address = envelope.rcpt_tos[0]
        fault = self.record.fault_of(address, SMTP_FAULTS)
        if fault.startswith("451"):
            return "451 4.3.0 try later"
        key = str(message_from_bytes(envelope.content)["Message-ID"])
        number = self.record.take(address, key, is_reply_lost=bool(fault))
        if fault:
            server.transport.abort()
        return f"250 2.0.0 Ok: queued as {number:06X}"


class _SendGrid(BaseHTTPRequestHandler):
    record: Record
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(DELAY_S)
        if problems := problems_of(body):
            return self._answer(400, problems)
        address = body["personalizations"][0]["to"][0]["email"]
        fault = self.record.fault_of(address, SENDGRID_FAULTS)
        if fault[:1] in ("4", "5"):
            return self._answer(int(fault[:3]), [fault])
        key = body.get("headers", {}).get("Message-ID") or json.dumps(
            body["personalizations"][0].get("custom_args", {})
        )
        number = self.record.take(address, key, is_reply_lost=bool(fault))
        if fault:
            self.close_connection = True
            return self.connection.close()
        return self._answer(202, [], **{"X-Message-Id": f"sg-{number}"})

    def _answer(self, status: int, problems: list[str], **headers: str) -> None:
        body = json.dumps({"errors": [{"message": text} for text in problems]}).encode() if problems else b""
        self.send_response(status)
        limits = {"X-RateLimit-Remaining": "599", "X-RateLimit-Reset": str(int(time.time()) + 1)}
        for name, value in {**limits, **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients vanish in mid-exchange here: that is the point of the run."""


@contextmanager
def mail_servers() -> Iterator[tuple[dict[str, Record], dict[str, str]]]:
    """Run both; yields their records by provider, and the environment that points at them."""
    records = {"smtp": Record(), "sendgrid": Record()}
    port = free_port()
    with ExitStack() as stack:
        smtp = Controller(_Smtp(records["smtp"]), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
        smtp.start()
        stack.callback(smtp.stop)
        handler = type("Handler", (_SendGrid,), {"record": records["sendgrid"]})
        http = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(http.server_close)
        stack.callback(http.shutdown)
        yield (
            records,
            {
                "SMTP_URL": f"smtp://127.0.0.1:{port}",
                "SENDGRID_API_KEY": API_KEY,
                "SENDGRID_BASE_URL": f"http://127.0.0.1:{http.server_address[1]}",
            },
        )
