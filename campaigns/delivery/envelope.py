"""What goes around a finished message: the address that its bounces return to, and the signature of its domain."""

from __future__ import annotations

from uuid import UUID

from campaigns.delivery.dkim import signer_for
from campaigns.delivery.return_path import return_path_for
from pulsequill.core.errors import Invalid
from pulsequill.core.signing import BadSignature


class Envelope:
    """Of all mail of one sender; looked up once for a slice."""

    def __init__(self, workspace_id: UUID, from_email: str) -> None:
        """Look up the sender's domain.

        Args:
            workspace_id: whose sender it is.
            from_email: the From address, its domain in ASCII.

        Raises:
            Invalid: the domain's key can no longer be read.
        """
        self._paths = return_path_for(workspace_id, from_email)
        try:
            self._signer = signer_for(workspace_id, from_email.rpartition("@")[2])
        except BadSignature as error:
            raise Invalid(
                "The DKIM key of the sending domain cannot be read, because SECRET_KEY has changed since it was made. "
                "Make a new key on the domain's page.",
                code="dkim_key_unreadable",
            ) from error

    def sender(self, message_id: int) -> str:
        """Return the address for MAIL FROM."""
        return self._paths.envelope_sender(message_id)

    def seal(self, mime: bytes) -> bytes:
        """Return a finished message, signed where its domain has a published key."""
        return self._signer.sign(mime) + mime if self._signer else mime
