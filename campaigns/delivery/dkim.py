"""DKIM signatures (RFC 6376, RFC 8301): rsa-sha256, relaxed/relaxed, made quickly.

Only mail that we put together ourselves is signed (a provider whose `content` is "mime"); SendGrid signs its own.
dkimpy is the judge and not the signer: in the tests it verifies what is made here, but its RSA is pure Python and takes
7 ms a message. OpenSSL takes 0.25 ms, during which other threads run; finding out what to sign takes 0.06 ms.

    signer = signer_for(workspace_id, "northwind.example")     # once for a campaign
    mime = signer.sign(mime) + mime                            # for each message, when there is a signer
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from textwrap import wrap
from typing import cast
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from campaigns.selectors.domains import find_domain
from pulsequill.core import signing

#: Where our key is published: `pulsequill._domainkey.<domain>`; a new key takes the name that the old one leaves free.
SELECTORS = ("pulsequill", "pulsequill2")
KEY_BITS = 2048
#: Named once more than they occur, so that a second one cannot be slipped in on the way (RFC 6376 section 5.4.2).
_OVERSIGNED = ("from", "to", "subject", "date", "reply-to", "content-type")
#: The fields that RFC 6376 section 5.4.1 names, what RFC 8058 wants covered, and what Google's feedback loop asks for.
#: Not Message-ID: several relays put their own in its place, and the signature would die with the old one.
SIGNED = (
    *_OVERSIGNED,
    *_OVERSIGNED,
    "mime-version",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
)
_LINE = 72


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A domain's key: the private half as it is stored, the public half as it is published."""

    private_key_encrypted: bytes
    public_key: str


def make_key() -> KeyPair:
    """Return a new RSA key, its private half encrypted for the database."""
    key = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return KeyPair(signing.encrypt(pem), base64.b64encode(der).decode())


def record_of(public_key: str) -> str:
    """Return the TXT record that publishes a key (RFC 6376 section 3.6.1)."""
    return f"v=DKIM1; k=rsa; p={public_key}"


def _one_blank(text: bytes) -> bytes:
    """Return `text` with every run of blanks and tabs as one blank."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def relaxed_body(body: bytes) -> bytes:
    """Return a body in the relaxed form of RFC 6376 section 3.4.4. Its lines end with CRLF."""
    body = _one_blank(body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _relaxed_fields(head: bytes) -> dict[bytes, list[bytes]]:
    """Return the header fields in the relaxed form of RFC 6376 section 3.4.2, by name, in order."""
    fields: dict[bytes, list[bytes]] = {}
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.strip(b" \t").lower()
        fields.setdefault(name, []).append(name + b":" + _one_blank(value).strip(b" ") + b"\r\n")
    return fields


class Signer:
    """Signs for one domain with one key."""

    def __init__(self, *, domain: str, selector: str, private_key: str) -> None:
        """Load the key.

        Args:
            domain: the signing domain (`d=`), in ASCII.
            selector: where the public key is published (`s=`).
            private_key: PEM of an RSA key, as `make_key` made it.
        """
        self.domain = domain
        # Our own key, checked when it was made: checking it again would take longer than a hundred signatures.
        loaded = serialization.load_pem_private_key(
            private_key.encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        self._key = cast("RSAPrivateKey", loaded)
        self._names = [name.encode() for name in SIGNED]
        names = "\r\n ".join(wrap(":".join(SIGNED).replace(":", ": "), _LINE)).replace(": ", ":")
        self._opening = (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain};\r\n s={selector}; t=%d;\r\n"
            f" h={names};\r\n bh=%s;\r\n b="
        ).encode()

    def sign(self, mime: bytes) -> bytes:
        """Return the DKIM-Signature field of a message, to be put in front of it; it ends with CRLF.

        Args:
            mime: the complete message, with CRLF line ends, as it will leave.
        """
        head, _, body = mime.partition(b"\r\n\r\n")
        field = self._opening % (time.time(), base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()))
        fields = _relaxed_fields(head)
        chosen = [found.pop() for name in self._names if (found := fields.get(name))]
        chosen.append(_relaxed_fields(field)[b"dkim-signature"][0].removesuffix(b"\r\n"))
        signature = self._key.sign(b"".join(chosen), padding.PKCS1v15(), hashes.SHA256())
        return field + "\r\n ".join(wrap(base64.b64encode(signature).decode(), _LINE)).encode() + b"\r\n"


def signer_for(workspace_id: UUID, from_domain: str) -> Signer | None:
    """Return what signs mail from a domain, or None when no key of it has been seen in the DNS.

    A signature whose key nobody can look up fails at every mailbox, so an unpublished key does not sign.

    Args:
        workspace_id: whose domain it is.
        from_domain: the domain of the From address; a domain above it may sign for it (relaxed alignment, RFC 7489).

    Raises:
        BadSignature: SECRET_KEY changed since the key was made.
    """
    domain = find_domain(workspace_id, from_domain)
    if domain is None or domain.dkim_verified_at is None or domain.dkim_private_key_encrypted is None:
        return None
    return Signer(
        domain=domain.name,
        selector=domain.dkim_selector,
        private_key=signing.decrypt(bytes(domain.dkim_private_key_encrypted)),
    )
