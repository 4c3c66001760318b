"""From a CSV file to contacts: sniff -> checked rows -> COPY into a staging table -> one upsert a chunk."""

from audiences.importing.mapping import Plan, plan_of
from audiences.importing.run import run
from audiences.importing.sniff import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Sniffed, UnreadableFile, sniff
from audiences.importing.undo import undo

__all__ = [
    "MAX_BYTES",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "Plan",
    "Sniffed",
    "UnreadableFile",
    "plan_of",
    "run",
    "sniff",
    "undo",
]
