"""The conventions of `/v1`: problems, parsing, cursors, filters, idempotency, rate limits, OpenAPI. No app imports."""
