"""Endpoints of `accounts`, by noun."""
