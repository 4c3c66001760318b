"""The only door to addresses that somebody else chose: webhook endpoints, images to import, links to check.

A name is resolved once; if any of its addresses is not public the request is refused; and the connection goes to the
address that was checked, with the original Host and SNI. Validating first and letting a client resolve again is the
usual hole (DNS rebinding). Redirects are not followed, and what is read is capped.

`ipaddress` alone is wrong about what is public: NAT64 (64:ff9b::/96), 6to4 (2002::/16), Teredo (2001::/32) and
multicast addresses count as global there although they lead to private hosts or to nobody.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

import httpx
from django.conf import settings

from pulsequill.core.errors import FieldError, Invalid

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = frozenset({80, 443, 8443})
#: Where mail servers take mail from programs; 588, 2465, 2525 and 2587 are what big services offer besides.
MAIL_PORTS = frozenset({25, 465, 587, 588, 2465, 2525, 2587})
CONNECT_S = 5.0
TOTAL_S = 15.0
MAX_BODY_BYTES = 64 * 1024
_DEFAULT_PORT = {"http": 80, "https": 443}
#: Global by `ipaddress`, yet translated to addresses that may be private.
_TRANSLATED = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
USER_AGENT = "PulseQuill/1.0"


class RefusedAddress(Invalid):
    """The address is one that we do not call."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="refused_address", errors=[FieldError("url", "refused_address", detail)])


class Unreachable(Exception):
    """Nobody answered: no such name, refused, timed out, or TLS failed. The message is fit for the customer."""


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is at most the cap that was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int
    is_cut: bool = False


@dataclass(frozen=True)
class Target:
    """An address that passed the rules, and the one IP that will be connected to."""

    parts: SplitResult
    host: str
    port: int
    ip: IPAddress

    @property
    def connect_url(self) -> str:
        """The same address with the checked IP in place of the name."""
        literal = f"[{self.ip}]" if self.ip.version == 6 else str(self.ip)
        return self.parts._replace(netloc=f"{literal}:{self.port}", fragment="").geturl()

    @property
    def host_header(self) -> str:
        """What the server must see: the name, and the port unless it is the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT_PORT[self.parts.scheme] else f"{name}:{self.port}"


@cache
def _listed(networks: tuple[str, ...]) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in networks)


def _is_listed(ip: IPAddress) -> bool:
    """Whether the operator opened this network for outgoing calls (OUTBOUND_PRIVATE_NETWORKS)."""
    return any(ip in network for network in _listed(tuple(settings.OUTBOUND_PRIVATE_NETWORKS)))


def is_public(ip: IPAddress) -> bool:
    """Return whether an address leads to the public internet and nowhere else."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip.is_site_local or any(ip in network for network in _TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast


def resolve(host: str, port: int) -> list[IPAddress]:
    """Return every address of a name, as the operating system sees it (which also reads `127.1` and `0x7f000001`).

    Raises:
        Unreachable: there is no such name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("There is no such host.") from error
    return [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]


def _parse(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RefusedAddress("This is not an address.") from error
    if parts.scheme not in _DEFAULT_PORT or not host:
        raise RefusedAddress("The address must start with http:// or https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise RefusedAddress("The address may not carry a user name or a password.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise RefusedAddress("The address holds a character that may not stand in one.")
    return parts, host, port or _DEFAULT_PORT[parts.scheme]


def find_target(url: str) -> Target:
    """Hold an address against the rules and resolve it, once.

    Raises:
        RefusedAddress: scheme, port or one of its addresses is not allowed.
        Unreachable: the name does not resolve.
    """
    parts, host, port = _parse(url)
    addresses = resolve(host, port)
    if not addresses:
        raise Unreachable("There is no such host.")
    if all(_is_listed(ip) for ip in addresses):
        return Target(parts, host, port, addresses[0])
    if port not in PORTS:
        raise RefusedAddress(f"Port {port} is not allowed; use one of {', '.join(map(str, sorted(PORTS)))}.")
    if settings.IS_HTTPS and parts.scheme != "https":
        raise RefusedAddress("The address must start with https://.")
    if not all(is_public(ip) for ip in addresses):
        raise RefusedAddress("This address does not lead to the public internet.")
    return Target(parts, host, port, addresses[0])


def check_address(url: str) -> None:
    """Refuse an address when it is saved; it is checked again at every call.

    Raises:
        RefusedAddress: see `find_target`. A name that does not resolve right now is let through.
    """
    try:
        find_target(url)
    except Unreachable:
        return


def _find_mail_server(host: str, port: int) -> list[IPAddress]:
    """Return the addresses of a mail server that somebody else named; a local run may use any.

    Raises:
        RefusedAddress: the port is none for mail, or one of the addresses is not public.
        Unreachable: the name does not resolve.
    """
    addresses = resolve(host, port)
    if settings.IS_LOCAL_RUN or (addresses and all(_is_listed(ip) for ip in addresses)):
        return addresses
    if port not in MAIL_PORTS:
        raise RefusedAddress(f"Port {port} is not one for mail; use one of {', '.join(map(str, sorted(MAIL_PORTS)))}.")
    if not all(is_public(ip) for ip in addresses):
        raise RefusedAddress("This server is not on the public internet.")
    return addresses


def check_mail_server(host: str, port: int) -> None:
    """Refuse a mail server when it is saved; it is checked again at every connection.

    Raises:
        RefusedAddress: see above. A name that does not resolve right now is let through.
    """
    try:
        _find_mail_server(host, port)
    except Unreachable:
        return


def connect_to_mail_server(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connection to a mail server that somebody else named, at an address that was checked.

    Raises:
        OSError: no such name (`socket.gaierror`), a forbidden address (`PermissionError`), or nobody answers.
    """
    try:
        addresses = _find_mail_server(host, port)
    except Unreachable as error:
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    except RefusedAddress as error:
        raise PermissionError(error.detail) from error
    failure: OSError = ConnectionRefusedError("no address")
    for ip in addresses:
        try:
            return socket.create_connection((str(ip), port), timeout=timeout_s)
        except OSError as error:
            failure = error
    raise failure


def fetch(
    method: str,
    url: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    max_body: int = MAX_BODY_BYTES,
) -> Answer:
    """Make one request to an address that somebody else chose.

    Raises:
        RefusedAddress: the address breaks a rule.
        Unreachable: nobody answered in time.
    """
    target = find_target(url)
    started = time.monotonic()
    sent = {"User-Agent": USER_AGENT, **(headers or {}), "Host": target.host_header}
    try:
        with (
            _client() as client,
            client.stream(
                method,
                target.connect_url,
                content=content,
                headers=sent,
                extensions={"sni_hostname": target.host},
            ) as response,
        ):
            body, is_cut = _read(response.iter_raw(), max_body=max_body, deadline=started + TOTAL_S)
            return Answer(response.status_code, response.headers, body, _ms_since(started), is_cut)
    except httpx.TimeoutException as error:
        raise Unreachable(f"No answer within {TOTAL_S:.0f} seconds.") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error


def _read(chunks: Iterable[bytes], *, max_body: int, deadline: float) -> tuple[bytes, bool]:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > max_body:
            return body[:max_body], True
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("too slow")
    return body, False


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _client() -> httpx.Client:
    timeout = httpx.Timeout(TOTAL_S - CONNECT_S, connect=CONNECT_S)
    return httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)


class _OwnInstance(httpx.BaseTransport):
    """Sends requests for PUBLIC_URL to this machine's own web server, and refuses every other address."""

    def __init__(self) -> None:
        self._transport = httpx.HTTPTransport(limits=httpx.Limits(max_connections=32))
        self._public = httpx.URL(settings.PUBLIC_URL)
        self._own = httpx.URL(f"http://127.0.0.1:{settings.PORT}")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request on, over loopback, with the public name as its Host."""
        url = request.url
        if not any(_origin(url) == _origin(own) for own in (self._public, self._own)):
            raise RefusedAddress("Only addresses of this installation can be opened here.")
        request.url = url.copy_with(scheme="http", host=self._own.host, port=self._own.port)
        request.headers["Host"] = url.netloc.decode("ascii")
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _DEFAULT_PORT.get(url.scheme, 0)


def own_instance_client() -> httpx.Client:
    """Return a client that reaches this installation only: its PUBLIC_URL, through the loopback port.

    Requests to any other origin raise `RefusedAddress`. Redirects are not followed. Close it, or use it in `with`.
    """
    return httpx.Client(transport=_OwnInstance(), timeout=httpx.Timeout(10.0), follow_redirects=False, trust_env=False)
