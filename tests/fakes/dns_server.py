"""A name server over real UDP and TCP sockets, with the records that a test gives it.

A record set of `SERVFAIL` is refused; one of `SILENCE` is never answered.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

SERVFAIL = "servfail"
SILENCE = "silence"
_STRING = 255


class Zone(dict[tuple[str, str], list[str] | str]):
    """Records by name and type: `zone["northwind.io", "TXT"] = ["v=spf1 -all"]`. MX and CNAME as in a zone file."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    def answer(self, wire: bytes, *, is_udp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        target = self.get((name, "CNAME"))
        if kind != "CNAME" and isinstance(target, list):
            reply.answer.append(_records(name, "CNAME", target))
            name = target[0].rstrip(".").lower()
        found = self.get((name, kind), [])
        if found == SILENCE:
            return None
        if found == SERVFAIL:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            reply.answer.append(_records(name, kind, list(found)))
        elif not reply.answer and not any(known == name for known, _kind in self):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        wire = reply.to_wire()
        if is_udp and len(wire) > 512:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()
        return wire


def _records(name: str, kind: str, texts: list[str]) -> dns.rrset.RRset:
    if kind == "TXT":
        texts = [" ".join(f'"{text[at : at + _STRING]}"' for at in range(0, len(text) or 1, _STRING)) for text in texts]
    if kind in {"MX", "CNAME"}:
        texts = [f"{text.rstrip('.')}." for text in texts]
    return dns.rrset.from_text_list(dns.name.from_text(name), 60, "IN", kind, texts)


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        if reply := self.server.zone.answer(wire, is_udp=True):  # type: ignore[attr-defined]
            sock.sendto(reply, self.client_address)


class _Tcp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        (length,) = struct.unpack("!H", self.request.recv(2))
        if reply := self.server.zone.answer(self.request.recv(length), is_udp=False):  # type: ignore[attr-defined]
            self.request.sendall(struct.pack("!H", len(reply)) + reply)


@contextmanager
def dns_server() -> Iterator[tuple[str, Zone]]:
    """Run a name server; give its `address:port` and its zone."""
    zone = Zone()
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tcp) as tcp,
        socketserver.ThreadingUDPServer(tcp.server_address, _Udp) as udp,
    ):
        for server in (udp, tcp):
            server.daemon_threads = True
            server.zone = zone  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"127.0.0.1:{udp.server_address[1]}", zone
        finally:
            udp.shutdown()
            tcp.shutdown()
