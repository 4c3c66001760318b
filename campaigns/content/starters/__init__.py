"""Starters: finished mails to begin with. One JSON file each; pictures are drawn in the workspace's colours.

To add one: write its file beside the others (a picture's `src` is `picture:<name>`, a name of `pictures.PICTURES`),
and name it in `_FILES`. Its test looks at all of them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from campaigns.content.blocks import Block, validate_blocks, walk
from campaigns.content.starters.pictures import PICTURES

#: In the order of the gallery: the key is the file's name.
_FILES = (
    "welcome", "newsletter", "product_launch", "sale", "event_invitation", "webinar_reminder", "abandoned_cart",
    "win_back", "order_update", "feedback_survey", "product_update", "holiday", "referral",
)  # fmt: skip
_SCHEME = "picture:"
_PICTURE_FIELDS = ("src", "image")


@dataclass(frozen=True, slots=True)
class Starter:
    """A mail to begin with. `tags` are values that the sender of a transactional message must give."""

    key: str
    name: str
    purpose: str
    summary: str
    subject: str
    preview_text: str
    body: tuple[dict[str, Any], ...]
    tags: tuple[str, ...] = ()

    @property
    def pictures(self) -> dict[str, str]:
        """The names of its pictures, with what they show."""
        shown: dict[str, str] = {}
        for block in walk(list(self.body)):
            for field in _PICTURE_FIELDS:
                if str(block.get(field, "")).startswith(_SCHEME):
                    shown[block[field].removeprefix(_SCHEME)] = block.get("alt") or block.get("title", "")
        return shown

    def blocks(self, address_of: Callable[[str], str]) -> list[Block]:
        """Return the validated body.

        Args:
            address_of: gives the address of each picture by its name.
        """
        body = copy.deepcopy(list(self.body))
        for block in walk(body):
            for field in _PICTURE_FIELDS:
                source = str(block.get(field, ""))
                if source.startswith(_SCHEME):
                    block[field] = address_of(source.removeprefix(_SCHEME))
        return validate_blocks(body)


@cache
def all_starters() -> dict[str, Starter]:
    """Return the starters by key, in the gallery's order."""
    folder = Path(__file__).parent
    starters = {}
    for key in _FILES:
        written = json.loads((folder / f"{key}.json").read_text("utf-8"))
        body, tags = tuple(written.pop("body")), tuple(written.pop("tags", ()))
        starters[key] = Starter(key=key, body=body, tags=tags, **written)
        if unknown := starters[key].pictures.keys() - PICTURES.keys():
            raise ValueError(f"{key}.json names pictures that nobody draws: {', '.join(sorted(unknown))}.")
    return starters
