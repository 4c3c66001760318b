"""Reads of `campaigns`, one file per noun."""
