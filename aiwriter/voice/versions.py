"""Reading a voice through its versions: which one is in force, what waits for a person, what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiwriter.models import BrandVoice
from aiwriter.voice.profile import profile_rows

if TYPE_CHECKING:
    from accounts.models import Workspace

PART_NAMES = {
    "traits": "Traits",
    "formality": "Formality",
    "do_words": "Words we use",
    "dont_words": "Words we avoid",
    "style_rules": "Style rules",
    "banned_phrases": "Banned phrases",
}


@dataclass(frozen=True)
class VoiceCard:
    """One voice by its name: the version in force, and the newest proposal after it."""

    name: str
    current: BrandVoice | None
    proposal: BrandVoice | None
    versions: int

    @property
    def shown(self) -> BrandVoice:
        """The version that stands for it."""
        shown = self.current or self.proposal
        assert shown is not None
        return shown


@dataclass(frozen=True)
class PartDifference:
    """One part of two profiles: what went, what came, what stayed."""

    name: str
    removed: list[str]
    added: list[str]
    kept: list[str]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.removed and not self.added


def versions_of(voice: BrandVoice) -> list[BrandVoice]:
    """Return all versions of a voice, the newest first."""
    rows = BrandVoice.objects.for_workspace(voice.workspace_id).filter(name=voice.name)
    return list(rows.select_related("saved_by", "generation").order_by("-version"))


def in_force(voice: BrandVoice) -> BrandVoice | None:
    """Return the newest version of a voice that a person stands behind."""
    rows = BrandVoice.objects.for_workspace(voice.workspace_id).filter(name=voice.name)
    return rows.exclude(status=BrandVoice.Status.PROPOSED).order_by("-version").first()


def list_voice_cards(workspace: Workspace) -> list[VoiceCard]:
    """Return every voice of a workspace by name, in one query."""
    by_name: dict[str, list[BrandVoice]] = {}
    for row in BrandVoice.objects.for_workspace(workspace).order_by("name", "-version"):
        by_name.setdefault(row.name, []).append(row)
    return [_card(name, rows) for name, rows in by_name.items()]


def _card(name: str, rows: list[BrandVoice]) -> VoiceCard:
    current = next((row for row in rows if row.is_in_force), None)
    proposal = rows[0] if not rows[0].is_in_force else None
    return VoiceCard(name, current, proposal, len(rows))


def compare(older: BrandVoice, newer: BrandVoice) -> list[PartDifference]:
    """Return what differs between two versions, part by part."""
    was, now = profile_rows(older.profile), profile_rows(newer.profile)
    return [
        PartDifference(
            PART_NAMES[part],
            [line for line in was[part] if line not in now[part]],
            [line for line in now[part] if line not in was[part]],
            [line for line in now[part] if line in was[part]],
        )
        for part in PART_NAMES
    ]
