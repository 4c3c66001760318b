"""Reading a brief without a model: which words are the instruction, which the news, which the offer.

Rules over English sentences. What no rule understands is kept as it was written: a plain quotation is better than an
invented sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aiwriter.agents.contract import BriefData
from aiwriter.agents.offline import words
from aiwriter.agents.offline.grammar import (
    INTRODUCTION,
    calm,
    is_clause,
    is_request,
    lower_first,
    sentence,
    subject_of,
    upper_first,
)  # fmt: skip
from aiwriter.agents.offline.instructions import Instruction, Occasion, split_instructions, strip_instruction

Kind = Literal["clause", "request", "thing", "offer", "wh", "question", "fragment", "nothing"]

_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"'])|\n+")
_PARTS = re.compile(
    r"(?:,|,?\s+and)\s+that\s+(?!of\b)|\s*[;:]\s+|\s+[–—-]\s+|,\s+(?:and\s+|plus\s+|with\s+|but\s+)?|"
    r"\s+(?=(?:and|plus|with|but|by offering)\s)",
    re.IGNORECASE,
)
_JOINER = re.compile(r"^(?:and|plus|with|by offering|but)\s+(?:that\s+)?(?:there(?: is|'s|’s)\s+)?", re.IGNORECASE)
_ENDS = re.compile(r"(?:,\s*|\s+and\s+)(?:it\s+)?ends\s+(?:on\s+)?(?=\w)", re.IGNORECASE)
_FEW_LEFT = re.compile(r"(?:only|just)\s+(?:\d+|a few)\b", re.IGNORECASE)
#: Sentences that speak to the writer, not to the reader.
_TO_WRITER = re.compile(
    r"(?:keep|use (?:a|an|the|our|short|simple|plain|no)\b|make (?:it|the|this|sure)|include|mention|avoid|don['’]t|"
    r"do not|write|tone|sound|be (?!our)|add a|no emojis?)\b",
    re.IGNORECASE,
)
_NO_TOPIC = re.compile(
    r"(?:an?|some|all|every|\d\S*|last|only|no|any|after|before|from|in|on|at|with|as|for|since|until)\b", re.IGNORECASE
)
_WHERE = re.compile(r"\s(?:in|at)\s(?=the\b|our\b|[A-Z])")
_WELCOME_BACK = "we would like to see you again"
#: Occasions whose message the reader is asked to do, when it is not a sentence or a thing.
_ASKING = ("invite", "remind", "ask")


@dataclass(frozen=True)
class News:
    """What a brief says.

    Attributes:
        occasion: why the mail is written.
        kind: what the news is: a sentence, a request to the reader, a thing, an offer, "why we ...", a question,
            words that are none of these, or nothing at all.
        statement: the news with a capital and without its full stop: "The harvest roast is back".
        plain: the same words for the middle of a sentence: "the harvest roast is back".
        topic: what it is about, fit for the middle of a sentence: "the harvest roast"; "" if that is unclear.
        offers: "free shipping until Sunday", fit for the middle of a sentence; the news itself if that is an offer.
        extras: further sentences of the brief.
        emoji: what stood before the first word.
    """

    occasion: Occasion
    kind: Kind
    statement: str
    plain: str
    topic: str
    offers: tuple[str, ...]
    extras: tuple[str, ...]
    emoji: str = ""

    @property
    def is_offer(self) -> bool:
        """Whether the news is nothing but the first offer."""
        return self.kind == "offer"


def _starts_piece(text: str, match: re.Match[str], before: str) -> bool:
    """Return whether a new part of the sentence begins at a possible joint."""
    joint = match[0].strip().lower()
    if joint.startswith(",") and (intro := INTRODUCTION.match(text)) and intro.end() == match.end():
        return False
    following = text[match.end() :]
    head = re.split(r",|;|\s+(?:and|plus|with)\s", _JOINER.sub("", following), maxsplit=1)[0]
    if joint.startswith(",") and _FEW_LEFT.match(head):
        return True
    if joint in (";", ":", "–", "—", "-") or joint.endswith("that"):
        return True
    is_comma = joint.startswith(",")
    if words.OFFER.search(before) and re.match(r"with (?:the )?(?:code|coupon)\b", following, re.IGNORECASE):
        return False
    if words.OFFER.search(head) and (not is_request(before) or (is_comma and not words.OFFER_IMPERATIVE.match(head))):
        return is_comma or is_clause(head) or not re.match(r"with\b", following, re.IGNORECASE) or not is_clause(head)
    if is_comma and words.DEADLINE.match(head) and words.OFFER.search(text[: match.start()]):
        return True
    stands_alone = is_clause(head) and len(head.split()) > 2
    if is_comma:
        return stands_alone and not re.match(r"(?:which|who|where|so|because)\b", head, re.IGNORECASE)
    return stands_alone and is_clause(before) and re.match(r"(?:and|but)\b", following, re.IGNORECASE) is not None


def _split_main(text: str) -> tuple[str, list[str], list[str]]:
    """Return the main part of a sentence, its offers, and other parts."""
    text = _ENDS.sub(", until ", text)
    orders = [words.OFFER_IMPERATIVE.match(part) or words.DEADLINE.match(part) for part in re.split(r",\s+", text)]
    if all(orders) and words.OFFER_IMPERATIVE.match(text) and words.OFFER.search(text) and len(text.split()) <= 14:
        return text, [], []
    pieces: list[str] = []
    position = 0
    for match in _PARTS.finditer(text):
        if _starts_piece(text, match, text[position : match.start()]):
            pieces.append(text[position : match.start()])
            position = match.end()
    pieces.append(text[position:])
    main, *rest = (_JOINER.sub("", piece).strip(" ,;.") for piece in pieces)
    offers: list[str] = []
    others: list[str] = []
    for piece in filter(None, rest):
        if words.OFFER.search(piece):
            offers.append(lower_first(piece))
        elif words.DEADLINE.match(piece) and not is_clause(piece) and (offers or words.OFFER.search(main)):
            offers[-1:] = [f"{offers[-1]} {piece}"] if offers else []
            main = main if offers else f"{main} {piece}"
        else:
            others.append(piece)
    return main, offers, others


def _kind(main: str, occasion: Occasion) -> Kind:
    if len(main) < 4:
        return "nothing"
    if is_request(main):
        is_deal = occasion == "announce" and words.OFFER_IMPERATIVE.match(main) and _is_bare_offer(main)
        return "offer" if is_deal else "request"
    if words.WH_CLAUSE.match(main):
        return "wh"
    if is_clause(main):
        return "clause"
    if _is_bare_offer(main) and occasion in ("announce", "share", "introduce", "win_back"):
        return "offer"
    if occasion in _ASKING and not words.DETERMINER.match(main) and main[:1].islower():
        return "request"
    return (
        "fragment" if occasion == "announce" and "," in main and not re.match(r"[^,]+, [A-Z][^,]*$", main) else "thing"
    )


def _is_bare_offer(main: str) -> bool:
    return (
        bool(words.OFFER.search(main))
        and len(main.split()) <= 14
        and not re.match(r"(?:our|your|the (?!code))\s?", main)
    )


def _topic(plain: str, kind: Kind) -> str:
    if kind not in ("clause", "thing"):
        return ""
    plain = INTRODUCTION.sub("", plain)
    topic = subject_of(plain) if kind == "clause" else plain
    for pattern in (words.WHEN, _WHERE):
        if (found := pattern.search(topic)) and len(topic[: found.start()].split()) > 1:
            topic = topic[: found.start()]
    topic = topic.split(",")[0].strip()
    is_fit = 0 < len(topic.split()) <= 8 and not _NO_TOPIC.match(topic) and not words.DANGLING.search(topic)
    return topic if is_fit and not re.search(r"\b(?:that|who|which|you|we|it)\b", topic) else ""


def _second_part(part: str) -> tuple[list[str], list[str]]:
    """Return offers and further sentences of a second instruction: "... and give them a free tote bag"."""
    told = strip_instruction(part)
    main, offers, others = _split_main(told.text)
    kind = _kind(main, told.occasion)
    if words.OFFER.search(main) and kind in ("offer", "thing", "fragment"):
        return [lower_first(main), *offers], list(map(sentence, others))
    shapes = {
        "thing": "we would also like to tell you about {}",
        "wh": "we would also like to tell you {}",
        "request": {"invite": "you are invited to {}", "ask": "would you {}?"}.get(told.occasion, "please {}"),
    }
    return offers, [sentence(shapes.get(kind, "{}").format(main)), *map(sentence, others)]


def _more(sentences: list[str]) -> tuple[list[str], list[str]]:
    """Return offers and further sentences of what follows the first sentence; words to the writer are left out."""
    offers: list[str] = []
    extras: list[str] = []
    for text in sentences:
        told = strip_instruction(text.rstrip(" .")) if not text.endswith("?") else Instruction(text, "announce", False)
        if _TO_WRITER.match(text):
            continue
        if _is_bare_offer(told.text) and not is_clause(told.text):
            offers.append(lower_first(told.text.rstrip("!")))
        else:
            extras.append(sentence(told.text if told.is_instruction and is_clause(told.text) else text))
    return offers, extras


def _first_question(text: str, told: Instruction) -> bool:
    return text.endswith("?") and not told.is_instruction


def read_brief(brief: BriefData) -> News:
    """Return what a brief says. The same brief always gives the same answer."""
    goal = calm(words.EMOJI.sub("", brief.goal).strip())
    lead_emoji = words.EMOJI.match(brief.goal.strip())
    first, *following = [part.strip() for part in _SENTENCES.split(goal) if part.strip()] or [""]
    instruction, *second = split_instructions(first.rstrip(" .!?"))
    told = strip_instruction(instruction)
    if _first_question(first, told):
        parts: tuple[str, list[str], list[str]] = (first, [], [])
        kind: Kind = "question"
    else:
        parts = _split_main(told.text)
        kind = _kind(parts[0], told.occasion)
    main, offers, others = parts
    occasion: Occasion = told.occasion
    plain = main if told.is_instruction else lower_first(main)
    if kind == "thing" and words.OWNED.search(plain) and not (words.DETERMINER.match(plain) or _NO_TOPIC.match(plain)):
        plain = f"our {lower_first(plain)}"
    if kind == "wh" and occasion == "ask":
        plain, kind = f"tell us {plain}", "request"
    if occasion == "win_back":
        offers = [plain, *offers] if kind == "offer" else offers
        plain, kind = (_WELCOME_BACK, "clause") if kind in ("offer", "nothing") else (plain, kind)
    extras = list(map(sentence, others))
    for part in second:
        more_offers, more_extras = _second_part(part)
        offers, extras = [*offers, *more_offers], [*extras, *more_extras]
    more_offers, more_extras = _more(following)
    offers = [*offers, *more_offers]
    if kind == "offer":
        offers.insert(0, plain)
    if brief.offer and brief.offer.lower().strip(" .") not in " ".join(offers).lower():
        offers.insert(1 if kind == "offer" else 0, lower_first(brief.offer.strip(" .")))
    return News(
        occasion=occasion,
        kind=kind,
        statement=upper_first(plain),
        plain=plain,
        topic=_topic(plain, kind),
        offers=tuple(dict.fromkeys(filter(None, offers))),
        extras=tuple(dict.fromkeys([*extras, *more_extras])),
        emoji=lead_emoji[0] if lead_emoji else "",
    )
