"""What a provider's refusal means for a person, and what to do about it: data, in plain words.

`BY_WORDS` is asked first: servers say more than the code's class does (RFC 3463 enhanced codes, and the codes that
Gmail and Microsoft document for senders; RULES.md section 3). `BY_CODE` has a line for every code of `ANSWERS` that is
not success. `FAILED_AT` says at which step of a hand-over a code stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from campaigns.delivery.providers.answers import Outcome

Step = Literal["find", "connect", "secure", "sign_in", "sender", "recipient", "message"]

#: The steps of a hand-over in order. A code that stands at one of them says that those before it worked.
STEPS: tuple[Step, ...] = ("find", "connect", "secure", "sign_in", "sender", "recipient", "message")

FAILED_AT: dict[str, Step] = {
    "dns": "find",
    "connection_refused": "connect",
    "connection_timeout": "connect",
    "connection_dropped": "connect",
    "connection_garbled": "connect",
    "connection_failed": "connect",
    "smtp_connect_4xx": "connect",
    "smtp_connect_5xx": "connect",
    "tls": "secure",
    "tls_required": "secure",
    "smtp_auth_4xx": "sign_in",
    "smtp_auth_5xx": "sign_in",
    "http_401": "sign_in",
    "http_403": "sender",
    "http_404": "connect",
    "http_405": "connect",
    "smtp_mail_4xx": "sender",
    "smtp_mail_5xx": "sender",
    "smtp_rcpt_4xx": "recipient",
    "smtp_rcpt_5xx": "recipient",
    "smtputf8": "recipient",
    "dropped_before_data": "sender",
    "timeout_before_data": "sender",
    "garbled_before_data": "sender",
    "smtp_size": "message",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence on what happened, and one on what to do."""

    meaning: str
    remedy: str


BY_CODE: dict[str, Advice] = {
    "dns": Advice("There is no server of this name.", "Check the spelling of the host; your provider tells it."),
    "connection_refused": Advice(
        "The server is there, but nothing takes mail on this port.",
        "Try port 587 with STARTTLS, or port 465 with TLS.",
    ),
    "connection_timeout": Advice(
        "The server did not answer in time.",
        "Check host and port. Many networks block port 25: ask for 587. Port 465 answers only with TLS from the start. "
        "A firewall may have to let us through.",
    ),
    "connection_dropped": Advice(
        "The server hung up before it said a word.",
        "Try again in a minute. If it stays so, ask your provider whether this address of ours is blocked.",
    ),
    "connection_garbled": Advice(
        "What answers there does not speak SMTP.", "Check host and port: another kind of server may be listening."
    ),
    "connection_failed": Advice(
        "The server cannot be reached from here.", "Check host and port, and that this machine's network leads there."
    ),
    "tls": Advice(
        "No secure connection could be made.",
        "Use STARTTLS on port 587 and TLS on port 465. The server's certificate must be valid for the host's name.",
    ),
    "tls_required": Advice(
        "The server offers no encryption, and a password is never sent without it.",
        "Switch TLS on at the server, or use the port on which it offers STARTTLS or TLS.",
    ),
    "dropped_before_data": Advice(
        "The server hung up before it took the message.",
        "Try again in a minute. If it stays so, ask your provider whether this address of ours is blocked.",
    ),
    "timeout_before_data": Advice(
        "The server fell silent before it took the message.",
        "Try again in a minute. If it stays so, the server is overloaded or something on the way holds us up.",
    ),
    "garbled_before_data": Advice(
        "What answers there does not speak SMTP.", "Check host and port: another kind of server may be listening."
    ),
    "garbled_after_data": Advice(
        "The server answered the message in a way that SMTP does not know.",
        "The mail may have arrived: look before you try again.",
    ),
    "timeout": Advice("The server took too long to answer.", "The mail may have arrived: look before you try again."),
    "reset": Advice(
        "The connection broke after the message had left.", "The mail may have arrived: look before you try again."
    ),
    "dropped_after_data": Advice(
        "The server hung up without saying whether it took the message.",
        "The mail may have arrived: look before you try again.",
    ),
    "provider_error": Advice(
        "Handing over ended in an error of our own.", "Try again; if it stays so, tell whoever runs this installation."
    ),
    "not_sent": Advice("Nothing was sent: there was no time left.", "Try again in a minute."),
    "http_400": Advice(
        "SendGrid finds the mail malformed.", "Check the sender's name and address; SendGrid's own words are below."
    ),
    "http_401": Advice(
        "SendGrid does not know this API key.",
        "Make a new key in SendGrid (Settings, API Keys) and enter it here. Check the region too: EU accounts have "
        "keys of their own.",
    ),
    "http_403": Advice(
        "SendGrid forbids this key or this sender.",
        "Give the key the permission Mail Send, and verify the sender's domain under Settings, Sender Authentication.",
    ),
    "http_404": Advice("There is no such address at SendGrid.", "Choose the region that your account is in."),
    "http_405": Advice("There is no such address at SendGrid.", "Choose the region that your account is in."),
    "http_413": Advice("The mail is too large for SendGrid.", "Use smaller pictures, or link to them."),
    "http_429": Advice(
        "SendGrid asks us to slow down.", "Set a lower rate below, or wait: campaigns wait by themselves."
    ),
    "http_4xx": Advice("SendGrid refuses the mail.", "SendGrid's own words are below."),
    "http_5xx": Advice(
        "SendGrid has an error of its own.", "The mail may have arrived. Look at status.sendgrid.com, then try again."
    ),
    "smtp_connect_4xx": Advice("The server is busy.", "Try again in a few minutes."),
    "smtp_connect_5xx": Advice(
        "The server does not want connections from us.", "Ask your provider to allow the address of this installation."
    ),
    "smtp_auth_4xx": Advice("The server cannot check passwords right now.", "Try again in a few minutes."),
    "smtp_auth_5xx": Advice(
        "The server refuses the user name or the password.",
        "Enter both again. Services with two-step sign-in want an app password or an API key in its place.",
    ),
    "smtp_mail_4xx": Advice("The server does not take this sender right now.", "Try again in a few minutes."),
    "smtp_mail_5xx": Advice(
        "The server refuses the sender's address.",
        "Use a From address that belongs to the account you sign in with, or allow it at your provider.",
    ),
    "smtp_rcpt_4xx": Advice("The recipient's mailbox is not available right now.", "Try again in a few minutes."),
    "smtp_rcpt_5xx": Advice("The server refuses the recipient.", "Check the address; the server's own words say more."),
    "smtp_data_4xx": Advice("The server does not take the mail right now.", "Try again in a few minutes."),
    "smtp_data_5xx": Advice("The server refuses the mail itself.", "The server's own words say why."),
    "smtp_closing": Advice("The server is shutting down or wants a pause.", "Try again in a few minutes."),
    "smtp_size": Advice("The mail is larger than the server takes.", "Use smaller pictures, or link to them."),
    "smtputf8": Advice(
        "The server takes no addresses with letters beyond ASCII.", "Use another server for such addresses."
    ),
    "bad_message": Advice("The mail could not be composed.", "Check the sender's name and address."),
}

_SPF = "Add this server to the SPF record of your sending domain (Settings, Senders)."
_DKIM = "Publish the DKIM key of your sending domain (Settings, Senders), then check it there."
_DMARC = "Publish a DMARC record for your sending domain, and let the From domain match SPF or DKIM."

#: What servers say -> what it means. The first that fits counts; case does not matter.
BY_WORDS: tuple[tuple[re.Pattern[str], Advice], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), Advice(meaning, remedy))
    for pattern, meaning, remedy in (
        # Gmail and Yahoo, for senders of bulk mail
        (r"\b[45]\.7\.27\b", "The recipient's mailbox provider finds no valid SPF record.", _SPF),
        (r"\b[45]\.7\.30\b", "The recipient's mailbox provider finds no valid DKIM signature.", _DKIM),
        (r"\b4\.7\.31\b|\b[45]\.7\.40\b", "The sending domain has no DMARC record.", _DMARC),
        (r"\b[45]\.7\.32\b", "The From domain matches neither SPF nor DKIM.", _DMARC),
        (r"\b5\.7\.26\b", "The mail is not authenticated: neither SPF nor DKIM passes.", f"{_SPF} {_DKIM}"),
        (r"\b5\.7\.515\b", "Microsoft wants SPF, DKIM and DMARC from senders of much mail.", f"{_SPF} {_DKIM}"),
        # signing in
        (
            r"5\.7\.9\b|application-specific password|app password",
            "The service wants an app password.",
            "Make an app password in the account's security settings and enter it in place of your own.",
        ),
        (
            r"5\.7\.139|basic authentication is disabled|SmtpClientAuthentication is disabled",
            "Microsoft has switched off passwords for this mailbox.",
            "Allow “Authenticated SMTP” for the mailbox in the Microsoft 365 admin centre, or use another provider.",
        ),
        (
            r"must issue a starttls|starttls (is )?required",
            "The server wants an encrypted connection.",
            "Choose STARTTLS for this server.",
        ),
        (
            r"authentication required|5\.5\.1 auth|\b530\b",
            "The server wants a user name and a password.",
            "Enter both for this server.",
        ),
        (
            r"relay(ing)?\b.*\b(den|not|prohib|refus)|\bunable to relay|not permitted to relay",
            "The server does not pass mail on for us.",
            "Sign in with a user name and a password, or let the server trust this installation's address.",
        ),
        # SendGrid
        (
            r"verified sender identity",
            "SendGrid does not know this sender as yours.",
            "In SendGrid, open Settings, Sender Authentication, and authenticate the domain of the From address.",
        ),
        (
            r"maximum credits exceeded",
            "The SendGrid account has used up its mails.",
            "Raise the plan in SendGrid, or wait for the next period.",
        ),
        (
            r"access forbidden",
            "The API key may not send mail.",
            "In SendGrid, open Settings, API Keys, and give the key full access to Mail Send.",
        ),
        (
            r"not whitelisted|ip address is not",
            "SendGrid lets only certain addresses use this account.",
            "In SendGrid, open Settings, IP Access Management, and add the address of this installation.",
        ),
        # our own rules for servers that a workspace names (pulsequill.core.outbound_http)
        (
            r"not on the public internet",
            "This server is not on the public internet.",
            "Use a public mail server, or ask whoever runs this installation to open its network.",
        ),
        # reputation and size
        (
            r"blocklist|blacklist|block list|spamhaus|\brbl\b",
            "The address that the mail comes from is on a block list.",
            "Ask your provider for another address, or have it taken off the list.",
        ),
        (r"\b5\.3\.4\b|message (size )?exceeds|too large", "The mail is too large.", "Use smaller pictures."),
    )
)


def advice_for(outcome: Outcome) -> Advice:
    """Return what an outcome other than success means, and what to do about it."""
    if outcome.detail:
        for pattern, advice in BY_WORDS:
            if pattern.search(outcome.detail):
                return advice
    return BY_CODE[outcome.code]
