"""Own SMTP: persistent connections, pipelined as RFC 2920 allows, all of them served by one thread.

| File | Job |
|---|---|
| `server.py` | where a server is and how much it may be asked |
| `session.py` | connecting, TLS and signing in, with `smtplib` |
| `replies.py`, `exchange.py` | the talk on one connection, without I/O |
| `batch.py` | the books of one batch |
| `relays.py` | what is known about the servers: connections, limits, who is away, whose turn it is |
| `connector.py`, `loop.py` | the I/O |
| `provider.py` | the door |
"""

from campaigns.delivery.providers.smtp.provider import SmtpProvider
from campaigns.delivery.providers.smtp.server import Server

__all__ = ["Server", "SmtpProvider"]
