"""The words of a variant, whatever its format."""

from __future__ import annotations

import re

from aiwriter.services.edits import Wording
from campaigns.models import Variant

_UNSEEN = re.compile(r"<(style|mj-style|mj-head|head|script)\b.*?</\1>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


def wording_of(variant: Variant) -> Wording:
    """Return what a reader reads of a variant; of a format that is source text, without its markup."""
    is_source = variant.format != Variant.Format.BLOCKS
    blocks = [{"html": _UNSEEN.sub(" ", str(variant.body))}] if is_source else variant.body
    return Wording.of_blocks(variant.subject, variant.preview_text, blocks)
