"""Verbs of `campaigns`, one file per noun: the only writes that others may call."""
