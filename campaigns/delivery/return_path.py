"""The envelope sender of each message: `b+<token>@bounce.<domain>` (VERP), so that a bounce names its message.

The token is the ledger row's id with an HMAC, in lower-case base32: mail servers may change the case of a local part,
and a bounce that we did not sign changes nothing. It fits into the 64 characters that RFC 5321 allows.

    paths = return_path_for(workspace_id, "hello@northwind.example")     # once for a campaign
    paths.envelope_sender(message_id)                                   # for each message
    read("b+...@bounce.northwind.example")                              # message_id, when the bounce comes back
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from uuid import UUID

from campaigns.delivery.headers import ascii_address
from campaigns.selectors.domains import find_domain
from pulsequill.core import signing

#: The name below a sending domain that takes its bounces in.
LABEL = "bounce"
_LOCAL_PART = re.compile(r"b\+(?P<token>[a-z2-7]{16,40})")
_PURPOSE = "return path"


def host_of(domain_name: str) -> str:
    """Return the host of a sending domain's return paths."""
    return f"{LABEL}.{domain_name}"


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """Whom the mail of one sender is returned to."""

    from_email: str
    #: Empty: the sending domain has no bounce host in the DNS.
    host: str

    def envelope_sender(self, message_id: int | None) -> str:
        """Return the address for MAIL FROM: the message's own, or the From address where no bounce host is ready.

        Bounces at a host that nobody reads would be lost, and a host of another domain would not be aligned for DMARC.
        """
        return f"b+{token_of(message_id)}@{self.host}" if self.host and message_id else self.from_email


def return_path_for(workspace_id: UUID, from_email: str) -> ReturnPath:
    """Return the return path of a sender; its host is used once the DNS check has seen it."""
    address = ascii_address(from_email)
    domain = find_domain(workspace_id, address.rpartition("@")[2])
    is_ready = domain is not None and domain.return_path_verified_at is not None
    return ReturnPath(from_email=address, host=host_of(domain.name) if domain and is_ready else "")


def token_of(message_id: int) -> str:
    """Return the token of a ledger row."""
    sealed = signing.seal(_PURPOSE, message_id.to_bytes(8, "big").lstrip(b"\0"))
    return base64.b32encode(sealed).decode().rstrip("=").lower()


def read(address: str) -> int:
    """Return the ledger row that a return path names.

    Raises:
        BadSignature: it is no return path of ours, or was altered.
    """
    found = _LOCAL_PART.fullmatch(address.rpartition("@")[0].lower())
    if found is None:
        raise signing.BadSignature("malformed")
    token = found["token"].upper()
    try:
        sealed = base64.b32decode(token + "=" * (-len(token) % 8))
    except binascii.Error as error:
        raise signing.BadSignature("malformed") from error
    return int.from_bytes(signing.unseal(_PURPOSE, sealed), "big")
