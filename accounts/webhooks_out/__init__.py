"""Outgoing webhooks after Standard Webhooks 1.0.0 (https://www.standardwebhooks.com)."""
