"""Receipts: what each statement of a draft rests on, or that it rests on nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypedDict

from aiwriter.guardrails.amounts import AROUND_WEEKEND, LAST_DAYS, WEEKEND, date_range_keys, day_range_keys
from aiwriter.guardrails.clock import times_named
from aiwriter.guardrails.findings import Kind, Piece
from aiwriter.guardrails.languages import OFFERS, language
from aiwriter.guardrails.links import canonical
from aiwriter.guardrails.statements import Statement, read_statements

#: Promise -> what besides itself allows it.
ALLOWED_BY: Mapping[str, tuple[str, ...]] = {
    "discount": ("sale", "percent"),
    "sale": ("discount", "percent"),
    "cashback": ("discount",),
}
_CLAUSE = re.compile(r"[.,;:!?()\n–—、。،]+")
_SENTENCE = re.compile(r"[.!?。！？\n]+")
_WORDS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+|[^\W\d_\u3040-\u30ff\u4e00-\u9fff]+")
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_HIRAGANA = re.compile(r"[\u3040-\u309f]+")
_SPOKEN = re.compile(r"[^\W\d_]+")
#: How far from "free" its noun may stand, in words.
NEAR = 4
#: Words for the same thing, cut to four letters.
_SAME = {"deli": "ship", "entr": "admi"}


class Support(TypedDict):
    """The fact behind a statement: whose it is, and its words."""

    source: Literal["brief", "brand", "link", "person"]
    text: str


class Receipt(TypedDict):
    """One statement of a draft: its words, what it is, where it stands, and what supports it (null: nothing)."""

    text: str
    kind: Kind
    where: str
    support: Support | None


@dataclass(frozen=True)
class Source:
    """A text that statements may rest on."""

    source: Literal["brief", "brand", "person"]
    text: str


@dataclass(frozen=True)
class Checked:
    """A statement and its support; `is_soft` for boasts that are worth a look but no block."""

    statement: Statement
    where: str
    support: Support | None

    @property
    def is_soft(self) -> bool:
        """Whether nobody could hold the sender to it."""
        return any(key.startswith("soft:") for key in self.statement.keys)

    def receipt(self) -> Receipt:
        """Return it as it is stored and shown."""
        kind = self.statement.kind
        return Receipt(text=self.statement.text[:300], kind=kind, where=self.where, support=self.support)


@dataclass
class Evidence:
    """All that a draft may rest on, read once."""

    sources: Sequence[Source]
    language: str = "en"
    links: Iterable[str] = ()
    accepted: frozenset[str] = frozenset()
    _by_key: dict[str, Source] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for source in self.sources:
            for code in dict.fromkeys((self.language, "en")):
                stated = read_statements(source.text, code)
                keys = {key for statement in stated for key in _evidence_keys(statement)}
                keys |= _between(source.text, stated, code)
                months = {key.partition(":")[2] for key in keys if key.startswith("month:")}
                values = {key.partition(":")[2] for key in keys if key.startswith("value:")}
                keys |= {f"day:{value}.{month}" for value in values for month in months}
                keys |= _before_next_month(source.text, code, keys, months)
                for key in keys:
                    self._by_key.setdefault(key, source)
            for key in times_named(source.text, *dict.fromkeys((self.language, "en"))):
                self._by_key.setdefault(key, source)
            for code in re.findall(r"[A-Z][A-Z0-9-]{3,}", source.text):
                self._by_key.setdefault(f"code:{code}", source)

    @cached_property
    def text(self) -> str:
        """The texts of all sources, one a line."""
        return "\n".join(source.text for source in self.sources)

    @cached_property
    def _free_clauses(self) -> list[tuple[frozenset[str], Source]]:
        """The clauses of the sources that call something free, as their words."""
        found = []
        for source in self.sources:
            for clause in _CLAUSE.split(source.text):
                for code in dict.fromkeys((self.language, "en")):
                    if spot := _free_spot(clause, code):
                        words = _stems(clause, code)
                        has_subject = bool(_stems(clause[: spot.start()], code)) or not _begins_common(
                            clause[spot.end() :], code
                        )
                        # "Free for people over 65" says of its subject, the goal of the brief, that it is free.
                        found.append((words if has_subject else words | self._goal_words, source))
        return found

    @cached_property
    def _goal_words(self) -> frozenset[str]:
        return _stems(self.sources[0].text, self.language) if self.sources else frozenset()

    def support(self, statement: Statement, context: str) -> Support | None:
        """Return what supports a statement; None when nothing does.

        Args:
            context: the text that the statement stands in, up to it and from it on.
        """
        if claim_key(statement.text) in self.accepted:
            return Support(source="person", text=statement.text)
        if statement.kind == "offer" and not statement.keys.isdisjoint(("offer:free", "offer:gift")):
            return self._support_free(statement, context)
        for key in sorted(_wanted_keys(statement)):
            if source := self._by_key.get(key):
                return Support(source=source.source, text=source.text)
        return None

    def _support_free(self, statement: Statement, context: str) -> Support | None:
        if "offer:gift" in statement.keys:
            gift = self._by_key.get("offer:gift")
            return Support(source=gift.source, text=gift.text) if gift else None
        spoken = language(self.language)
        # Japanese names the thing at the head of its sentence; a comma does not cut it off, and pairs are not words.
        is_cjk = spoken is not None and spoken.script == "CJK"
        before, after = _around(context, statement, _SENTENCE if is_cjk else _CLAUSE)
        reach = 40 if is_cjk else NEAR
        near = (*_words(before)[-reach:], *_words(after)[:reach])
        nouns = _stems(" ".join(near), self.language)
        is_open = not nouns or re.match(r"\s+to\s\w", after) is not None
        for words, source in self._free_clauses:
            if is_open or nouns & words or _is_other_script(nouns, words):
                return Support(source=source.source, text=source.text)
        return None

    def is_figure_of_speech(self, statement: Statement, context: str) -> bool:
        """Whether a small number in words counts something of which nothing here speaks: "after five breaths".

        "Four bedrooms" is none where the brief counts bedrooms: then it contradicts.
        """
        if statement.kind != "number" or not _SPOKEN.fullmatch(statement.text):
            return False
        if not any(f"number:{number}" in statement.keys for number in range(13)):
            return False
        if any(key.startswith("lasts:") for key in statement.keys):
            return False
        after = _stems(" ".join(_words(_CLAUSE.split(context[statement.end :])[0])[:2]), self.language)
        return bool(after) and not after & self._all_words

    @cached_property
    def _all_words(self) -> frozenset[str]:
        return frozenset(
            stem for source in self.sources for code in (self.language, "en") for stem in _stems(source.text, code)
        )


def claim_key(text: str) -> str:
    """Return a claim as it is kept when a person accepts it: one line, lower case."""
    return " ".join(text.lower().split())[:300]


def _evidence_keys(statement: Statement) -> Iterator[str]:
    for key in statement.keys:
        kind, _, rest = key.partition(":")
        if kind == "time" and statement.kind == "number":
            continue  # a bare number that might be an hour; `times_named` tells which are
        yield key
        if kind in ("price", "percent", "number"):
            yield f"value:{rest.rpartition(':')[2]}"
        elif kind == "time":
            yield from (f"value:{int(part)}" for part in rest.split(":"))
        elif kind == "day":
            day, month = rest.split(".")
            yield from (f"value:{day}", f"value:{month}", f"month:{month}")
        if kind == "percent":
            yield "offer:percent"


def _between(text: str, stated: Sequence[Statement], code: str) -> set[str]:
    """Return what lies between the ends of the ranges that a text names, and what "weekdays" stands for."""
    days = [
        (statement.start, statement.end, int(key.partition(":")[2]))
        for statement in stated
        for key in statement.keys
        if key.startswith("weekday:")
    ]
    keys = set(day_range_keys(text, days)) | set(date_range_keys(text))
    spoken = language(code)
    if spoken and (pattern := spoken.pattern("working_days")) and pattern.search(text):
        keys |= {f"weekday:{day}" for day in range(1, 6)}
    named = {key for statement in stated for key in statement.keys} | keys
    return keys | ({WEEKEND} if named & AROUND_WEEKEND else set())


def _before_next_month(text: str, code: str, keys: set[str], months: set[str]) -> set[str]:
    """Return the months before whose first day it ends: "by November 30" is "before December"."""
    spoken = language(code)
    pattern = spoken.pattern("end_of") if spoken else None
    is_end = pattern is not None and pattern.search(text) is not None
    ended = {month for month in months if is_end or f"day:{LAST_DAYS[int(month)]}.{month}" in keys}
    return {f"before:{int(month) % 12 + 1}" for month in ended}


def _wanted_keys(statement: Statement) -> set[str]:
    keys = set(statement.keys)
    for key in statement.keys:
        kind, _, rest = key.partition(":")
        if kind == "number":
            keys.add(f"value:{rest}")
        elif kind == "offer" and rest in OFFERS:
            keys |= {f"offer:{other}" for other in ALLOWED_BY.get(rest, ())}
    return keys


def _around(context: str, statement: Statement, ends: re.Pattern[str]) -> tuple[str, str]:
    """Return the rest of the clause before and after a statement."""
    before = ends.split(context[: statement.start])[-1]
    return before, ends.split(context[statement.end :])[0]


def _free_spot(clause: str, code: str) -> re.Match[str] | None:
    """Return where a fact says that something costs nothing, or that the brand bears its cost ("we replace it")."""
    spoken = language(code)
    pattern = spoken.pattern("free", "borne") if spoken else None
    return pattern.search(clause) if pattern else None


def _begins_common(text: str, code: str) -> bool:
    spoken, first = language(code), _WORDS.search(text)
    return first is not None and spoken is not None and first[0].lower() in spoken.stop_words


def _words(text: str) -> list[str]:
    """Return the words of a text; of Japanese, which has no spaces, every pair of signs that is not all grammar."""
    found: list[str] = []
    for run in _WORDS.findall(text):
        if not _CJK.match(run) or len(run) == 1:
            found.append(run)
            continue
        pairs = (run[at : at + 2] for at in range(len(run) - 1))
        found += [pair for pair in pairs if not _HIRAGANA.fullmatch(pair)]
    return found


def _stems(text: str, code: str) -> frozenset[str]:
    """Return the words that carry meaning, cut to four letters so that their endings do not matter."""
    spoken = language(code)
    common = spoken.stop_words if spoken else frozenset()
    words = [word.lower() for word in _words(text)]
    calendar = spoken.pattern("weekdays", "months", "soon", "free", "gift") if spoken else None
    kept = [word for word in words if word not in common and not (calendar and calendar.fullmatch(word))]
    cut = (word[:4] for word in kept if len(word) >= 4 or not word.isascii())
    return frozenset(_SAME.get(stem, stem) for stem in cut)


def _is_other_script(nouns: frozenset[str], words: frozenset[str]) -> bool:
    """Whether a draft and its brief share no script, so that words cannot be compared."""
    return bool(nouns and words) and all(not w.isascii() for w in nouns) and all(w.isascii() for w in words)


def check_pieces(
    pieces: Iterable[Piece], urls: Iterable[tuple[str, str]], evidence: Evidence
) -> tuple[list[Checked], list[Receipt]]:
    """Return every statement of a draft with its support, and the receipts with those of its links."""
    checked = []
    for piece in pieces:
        for statement in read_statements(piece.text, evidence.language):
            support = evidence.support(statement, piece.text)
            if support is None and evidence.is_figure_of_speech(statement, piece.text):
                statement = replace(statement, keys=statement.keys | {"soft:figure"})
            checked.append(Checked(statement, piece.where, support))
    receipts = [each.receipt() for each in checked]
    links = {canonical(url): url for url in evidence.links}
    for url, where in urls:
        if url and not url.startswith("{{"):
            known = links.get(canonical(url))
            support = Support(source="link", text=known) if known else None
            if support is None and claim_key(url) in evidence.accepted:
                support = Support(source="person", text=url)
            receipts.append(Receipt(text=url[:300], kind="link", where=where, support=support))
    return checked, receipts
