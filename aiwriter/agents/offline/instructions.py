"""Which words of a brief are the instruction ("Tell our regulars that ..."), and what it asks the mail to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aiwriter.agents.offline.words import DETERMINER, READER_NOUNS, READERS, REQUEST_VERBS

Occasion = Literal[
    "announce", "introduce", "share", "celebrate", "remind", "invite", "thank", "welcome", "ask", "apologise",
    "win_back",
]  # fmt: skip

_MAIL = r"(?:e-?mail|mail|newsletter|campaign|message|announcement|note|mailing|invitation|reminder|letter|update)s?"
_POLITE = re.compile(
    r"^(?:(?:please|kindly|hi|hello)[, ]+)*(?:(?:can|could|would) you (?:please )?|should (?:i|we) |"
    r"(?:i|we)(?:'d| would)? (?:want|like|need)(?: you)? to |"
    r"help (?:me|us)(?: to)? |let['’]s (?=tell|invite|remind|thank|announce)|"
    r"we (?:should|must|have to) (?=tell|invite|remind|thank|announce|ask))?",
    re.IGNORECASE,
)
_WRITE = re.compile(
    rf"^(?:write|draft|create|make|send(?: out)?|prepare|compose|design|do)(?: me| us)?\s+"
    rf"(?:an?\s+|the\s+|our\s+|one\s+)?(?:(?!(?:to|for|that|about)\b)[\w'’-]+\s+){{0,3}}?{_MAIL}\b\s*",
    re.IGNORECASE,
)
_ACTS = r"(?:tell|let|invit|remind|thank|welcom|ask|inform|announc|promot|introduc|launch|celebrat|shar|say|offer)"
_FOR_READERS = re.compile(
    rf"^(?:to|for)\s+{READERS}\s*(?=,|:|that\b|about\b|to\b|and\b|offering\b|saying\b|{_ACTS}|$)[,:]?\s*", re.IGNORECASE
)
_HOLIDAY = re.compile(rf"^for\s+[\w'’ ]{{1,30}}?\s+(?=to\s+{_ACTS})", re.IGNORECASE)
_CONNECTOR = re.compile(rf"^(?:to|which|that|and)\s+(?={_ACTS}\w*\b)", re.IGNORECASE)
_TELL = (
    r"(?:tell(?:s|ing)?|inform(?:s|ing)?|notif(?:y|ies|ying)|e-?mail(?:s|ing)?|updat(?:es?|ing)|alert(?:s|ing)?|"
    r"show(?:s|ing)?|lets?|letting|teach)"
)
_WIN_BACK = (
    r"(?:win(?:ning)?\s+back|re-?engag(?:e|ing)|re-?activat(?:e|ing)|bring(?:ing)?\s+back|"
    r"win(?=\s+(?:\S+\s+){1,4}back\b))"
)
_ANNOUNCE = r"(?:announc(?:es?|ing)|promot(?:es?|ing)|advertis(?:es?|ing)|market|push|spread(?:ing)? the word)"
#: Aims of the marketer; what is left behind them is the thing, and figures are targets, not offers.
_SELL = (
    r"(?:sell(?:ing)?\s+(?:more\s+|some\s+)?|(?:increas|boost|driv|grow|rais)(?:e|ing)?\s+(?:more\s+|the\s+|our\s+)?"
    r"(?:sales|sign-?ups|bookings|orders|downloads|awareness|registrations)\s+(?:of|for|to|in)\s+)"
)
_TARGET = re.compile(r"\s+by\s+\d+\s?%.*$")
#: How an instruction begins -> the occasion. The first hit wins.
_INSTRUCTIONS: tuple[tuple[str, Occasion], ...] = (
    (rf"remind(?:s|ing)?\s+{READERS}\s*(?:that|about|of|to)?\s+", "remind"),
    (rf"invit(?:es?|ing)\s+{READERS}\s*(?:to|for)?\s+", "invite"),
    (rf"thank(?:s|ing)?\s+{READERS}\s*(?:for|that)?\s*", "thank"),
    (r"(?:say )?thank(?:s| you)(?: to [\w ]+?)? for\s+", "thank"),
    (rf"welcom(?:es?|ing)\s+{READERS}\s*(?:to|and)?\s*", "welcome"),
    (rf"apologi[sz](?:e|ing)(?:\s+to\s+{READERS})?\s*(?:for|that)?\s*", "apologise"),
    (rf"(?:ask|encourag|persuad|convinc|get|nudg|urg)(?:e?s?|ing|ting)\s+{READERS}\s*(?:to|for|about)?\s+", "ask"),
    (rf"{_WIN_BACK}\s+{READERS}(?:\s+back)?\s*(?:with|by (?:offering|giving)(?:\s+them)?)?\s*", "win_back"),
    (rf"(?:offer|give|send|surprise|reward|treat)(?:s|ing)?\s+{READERS}\s+(?:with\s+|to\s+)?", "announce"),
    (r"offer(?:s|ing)?\s+(?=an?\b|free|\d|[£$€]|half)", "announce"),
    (rf"(?:explain|describ)(?:e?s?|ing)\s+(?:to\s+{READERS}\s+)?", "announce"),
    (rf"follow(?:ing)? up with\s+{READERS}\s*(?:and\s+)?(?:offer(?:ing)?\s+them\s+)?", "announce"),
    (
        rf"mak(?:e|ing)\s+(?:sure\s+)?(?:that\s+)?{READERS}\s+(?:are\s+)?(?:aware|know)\s+(?:that|of|about)?\s*",
        "announce",
    ),
    (_SELL, "announce"),
    (
        r"(?:an?\s+|the\s+)?(?:promo|promotion|campaign|e-?mail|newsletter|announcement|mailing)\s+(?:for|about|on)\s+",
        "announce",
    ),
    (rf"{_TELL}\s+{READERS}(?:\s+know)?\s*(?:that|about|of|on|to say(?: that)?|:)?\s+", "announce"),
    (rf"{_TELL}\s+(?:(?!and\b)[\w'’-]+\s+){{1,6}}?(?:know\s+)?(?:that|about)\s+", "announce"),
    (r"(?:introduc(?:es?|ing)|launch(?:es|ing)?|unveil(?:s|ing)?|present(?:s|ing)?)\s+", "introduce"),
    (r"(?:shar(?:es?|ing)|highlight(?:s|ing)?)\s+", "share"),
    (r"celebrat(?:es?|ing)\s+", "celebrate"),
    (rf"{_ANNOUNCE}\s+(?:to\s+{READERS}\s+)?(?:that\s+|about\s+)?", "announce"),
    (
        r"(?:that|about|on|for|saying(?: that)?|to say(?: that)?|say(?: that)?|mention(?: that)?|regarding)\s+",
        "announce",
    ),
    (r"remind(?:s|ing)?\s+(?:that|about|of)?\s*", "remind"),
    (r"did you know(?:,)?\s+(?:that\s+)?", "announce"),
)
_VERBS = tuple((re.compile(f"^{pattern}", re.IGNORECASE), occasion) for pattern, occasion in _INSTRUCTIONS)
_SELLING = next(pattern for pattern, _ in _VERBS if pattern.pattern == f"^{_SELL}")
_NAMED_READERS = re.compile(rf"\b{READER_NOUNS}\b", re.IGNORECASE)
#: "Thank our customers ... and give them a tote bag": a second instruction in the same sentence.
_SECOND = re.compile(
    r"\s*,?\s+and\s+(?:then\s+|also\s+)?(?=(?:tell|give|offer|invite|remind|ask|let|announce|thank|share|mention|send|show|"
    r"introduce)\s+(?:them|everyone|people|our\s|a\s|an\s|free|\d|[£$€]|that\s|about\s))",
    re.IGNORECASE,
)
_LAUNCH_OF = re.compile(r"^the (?:launch|opening|start|arrival|release) of (?=our|the|a|an|my)", re.IGNORECASE)
#: "people who came to the workshop what they thought of it": what "it" is.
_VISITED = re.compile(
    r"\b(?:came to|signed up (?:for|to)|attended|visited|bought|ordered|tried|joined|booked|watched)\s+"
    r"((?:the|our) [\w-]+(?: [\w-]+)?)$",
    re.IGNORECASE,
)
_FOR_READER = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"\bthemselves\b", "yourself"), (r"\btheirs\b", "yours"), (r"\btheir\b", "your"),
        (r"\b(?:they|them)\b", "you"),
    )
)  # fmt: skip
_OTHERS = re.compile(
    r"\b(?!starts\b|ends\b|opens\b|begins\b|this\b|us\b|is\b|was\b|has\b|days?\b)\w+[^s\W]s\b(?!['’])", re.IGNORECASE
)
_SECOND_THAT = re.compile(r"(,?\s+and\s+that\s+)", re.IGNORECASE)
_REQUEST = re.compile(rf"{REQUEST_VERBS}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Instruction:
    """What one instruction says: `text` is the message without it; `is_instruction` is false where there was none."""

    text: str
    occasion: Occasion
    is_instruction: bool


def split_instructions(text: str) -> list[str]:
    """Return the instructions of one sentence."""
    if not any(pattern.match(_POLITE.sub("", text, count=1)) for pattern, _ in _VERBS):
        return [text]
    return [part for part in _SECOND.split(text) if part]


def to_reader(text: str) -> str:
    """Speak to the reader in place of about them, unless the sentence has others that "they" may stand for."""
    for pattern, word in _FOR_READER:
        found = pattern.search(text)
        is_own = _REQUEST.match(text) is not None and word != "you"
        if found and (is_own or not _OTHERS.search(text[: found.start()])):
            text = pattern.sub(word, text)
    return text


def strip_instruction(text: str) -> Instruction:
    """Return the message inside an instruction and what it asks for."""
    original = text
    occasion: Occasion = "announce"
    has_readers, readers = False, ""
    text = _POLITE.sub("", text, count=1)
    stripped = _WRITE.sub("", text, count=1)
    if stripped != text:
        text = _CONNECTOR.sub("", _HOLIDAY.sub("", _FOR_READERS.sub("", stripped, count=1)), count=1)
        has_readers = True
    for pattern, found in _VERBS:
        if match := pattern.match(text):
            readers = match[0]
            has_readers = has_readers or _NAMED_READERS.search(readers) is not None
            text, occasion = text[match.end() :], found
            if pattern is _SELLING:
                text = _TARGET.sub("", text if DETERMINER.match(text) else f"our {text}")
            text = re.sub(r"^(?:that|about)\b,?\s+", "", text, flags=re.IGNORECASE)
            break
    if launched := _LAUNCH_OF.match(text):
        text, occasion = text[launched.end() :], "introduce"
    if has_readers or occasion != "announce":
        text = "".join(map(to_reader, _SECOND_THAT.split(text)))
    if visited := _VISITED.search(readers.removesuffix("about").strip()):
        text = re.sub(r"\bit$|^it\b", visited[1], text)
    return Instruction(text.strip(" ,:"), occasion, text != original)
