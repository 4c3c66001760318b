"""The only door to addresses that somebody else chose: what is refused, and that the checked address is called."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest

from pulsequill.core import outbound_http
from pulsequill.core.outbound_http import RefusedAddress, Unreachable, fetch, find_target, is_public

NOT_PUBLIC = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_private_reserved_and_translated_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://①②⑦.0.0.1/",
        "http://[::1]/", "http://localhost/", "http://1.1.1.1:22/", "http://1.1.1.1:6379/", "ftp://1.1.1.1/",
        "file:///etc/passwd", "http://user:pass@1.1.1.1/", "http:///x", "http://1.1.1.1:99999/", "//1.1.1.1/", "",
        "http://1.1.1.1/\r\nX: y", "gopher://1.1.1.1/", "http://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
def test_addresses_that_lead_inside_or_are_none_are_refused(url: str) -> None:
    with pytest.raises((RefusedAddress, Unreachable)):
        find_target(url)


def test_one_private_address_among_public_ones_is_enough(monkeypatch) -> None:
    monkeypatch.setattr(outbound_http, "resolve", lambda *_: [ip_address("1.1.1.1"), ip_address("10.0.0.1")])
    with pytest.raises(RefusedAddress):
        find_target("http://mixed.example/")


def test_production_wants_https(settings) -> None:
    settings.IS_HTTPS = True
    with pytest.raises(RefusedAddress):
        find_target("http://1.1.1.1/")
    assert find_target("https://1.1.1.1/").port == 443


@pytest.fixture
def canary() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.hosts.append(self.headers["Host"])
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "/")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 200_000)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hosts = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_name_that_changes_its_address_is_called_where_it_was_checked(canary, settings, monkeypatch) -> None:
    """The rebinding case: the second resolution would lead to the canary; there must be no second resolution."""
    answers = [[ip_address("127.0.0.1")], [ip_address("10.9.9.9")]]
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    monkeypatch.setattr(outbound_http, "resolve", lambda *_: answers.pop(0))
    answer = fetch("GET", f"http://rebinding.example:{canary.server_port}/")
    assert answer.status == 200
    assert canary.hosts == [f"rebinding.example:{canary.server_port}"]
    assert len(answers) == 1


def test_a_name_that_turns_private_is_not_connected_to(canary, monkeypatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("127.0.0.1", 80))])
    with pytest.raises(RefusedAddress):
        fetch("GET", "http://turned.example/")
    assert canary.hosts == []


def test_bodies_are_cut_and_redirects_not_followed(canary, settings) -> None:
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    answer = fetch("GET", f"http://127.0.0.1:{canary.server_port}/")
    assert (len(answer.body), answer.is_cut) == (64 * 1024, True)
    assert fetch("GET", f"http://127.0.0.1:{canary.server_port}/away").status == 302
    assert len(canary.hosts) == 2


def test_nobody_at_the_other_end_is_unreachable(settings) -> None:
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable):
        fetch("GET", f"http://127.0.0.1:{port}/")


def test_the_own_client_reaches_this_installation_only(canary, settings) -> None:
    settings.PUBLIC_URL, settings.PORT = "https://mail.brand.example", canary.server_port
    with outbound_http.own_instance_client() as client:
        assert client.get("https://mail.brand.example/t/o/x").status_code == 200
        assert canary.hosts == ["mail.brand.example"]
        for url in ("https://other.example/", "http://169.254.169.254/", "https://mail.brand.example:8443/"):
            with pytest.raises(RefusedAddress):
                client.get(url)


# --- mail servers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "2130706433", "::1", "127.1"]
)
def test_mail_servers_inside_are_refused_when_saved_and_when_connected_to(host: str, settings) -> None:
    settings.IS_LOCAL_RUN = False
    with pytest.raises(RefusedAddress):
        outbound_http.check_mail_server(host, 587)
    with pytest.raises(PermissionError):
        outbound_http.connect_to_mail_server(host, 587, 1.0)


def test_mail_goes_to_ports_for_mail_only(settings) -> None:
    settings.IS_LOCAL_RUN = False
    with pytest.raises(RefusedAddress, match="Port 6379"):
        outbound_http.check_mail_server("1.1.1.1", 6379)
    outbound_http.check_mail_server("1.1.1.1", 2525)


def test_a_mail_server_that_moves_inside_after_it_was_checked_is_not_connected_to(monkeypatch, settings) -> None:
    settings.IS_LOCAL_RUN = False
    with socket.create_server(("127.0.0.1", 0)) as canary:
        port = canary.getsockname()[1]
        monkeypatch.setattr(outbound_http, "MAIL_PORTS", frozenset({port}))
        answers = iter([[ip_address("1.1.1.1")], [ip_address("127.0.0.1")]])
        monkeypatch.setattr(outbound_http, "resolve", lambda *_: next(answers))
        outbound_http.check_mail_server("mail.example.com", port)
        with pytest.raises(PermissionError, match="public internet"):
            outbound_http.connect_to_mail_server("mail.example.com", port, 1.0)
        canary.settimeout(0)
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_private_mail_servers_are_reached_where_the_operator_or_a_local_run_allows_it(settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings.IS_LOCAL_RUN, settings.OUTBOUND_PRIVATE_NETWORKS = False, ["127.0.0.0/8"]
        outbound_http.connect_to_mail_server("127.0.0.1", port, 1.0).close()
        settings.IS_LOCAL_RUN, settings.OUTBOUND_PRIVATE_NETWORKS = True, []
        outbound_http.connect_to_mail_server("127.0.0.1", port, 1.0).close()


def test_a_mail_server_without_a_name_is_no_such_host(settings) -> None:
    settings.IS_LOCAL_RUN = False
    outbound_http.check_mail_server("nowhere.invalid", 587)  # may be in the DNS tomorrow
    with pytest.raises(socket.gaierror):
        outbound_http.connect_to_mail_server("nowhere.invalid", 587, 1.0)
