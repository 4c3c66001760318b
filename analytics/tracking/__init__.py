"""Open pixels and click redirects: plain ASGI, neither Django's request path nor its ORM."""
