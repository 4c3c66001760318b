"""Who runs a mailbox, told from the domain of its address."""

from __future__ import annotations

#: Domain -> who runs its mailboxes. Everything else is "Other".
PROVIDERS: dict[str, str] = {
    "gmail.com": "Gmail", "googlemail.com": "Gmail",
    "outlook.com": "Outlook", "hotmail.com": "Outlook", "live.com": "Outlook", "msn.com": "Outlook",
    "hotmail.co.uk": "Outlook", "outlook.de": "Outlook", "hotmail.fr": "Outlook", "live.co.uk": "Outlook",
    "yahoo.com": "Yahoo", "yahoo.co.uk": "Yahoo", "ymail.com": "Yahoo", "aol.com": "Yahoo", "yahoo.de": "Yahoo",
    "icloud.com": "iCloud", "me.com": "iCloud", "mac.com": "iCloud",
    "gmx.de": "GMX and web.de", "gmx.net": "GMX and web.de", "web.de": "GMX and web.de",
    "proton.me": "Proton", "protonmail.com": "Proton",
}  # fmt: skip
OTHER = "Other"


def provider_of(domain: str) -> str:
    """Return who runs the mailboxes of a domain (lower case); `OTHER` for those that no large provider runs."""
    return PROVIDERS.get(domain, OTHER)
