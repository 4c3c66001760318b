"""Reading a brief without a model: which words are the instruction, which the news, which the offer.

Rules over English sentences. What no rule understands is kept as it was written: a clumsy sentence is better than an
invented one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aiwriter.agents.contract import BriefData

Occasion = Literal["announce", "introduce", "share", "remind", "invite", "thank", "welcome", "ask"]

_READERS = (
    r"(?:(?:all|every|each|both)\s+(?:of\s+)?)?(?:our|the|my|these|those)?\s*(?:[\w'’-]+\s+){0,3}?"
    r"(?:subscribers?|customers?|readers?|members?|people|fans|list|community|everyone|everybody|contacts?|clients?|guests?|"
    r"users?|them|shoppers|buyers|friends|donors?|supporters?|students?|parents|patients|followers|audience|regulars|team)"
    r"(?:\s+(?:who|that)\s+(?:have|has|had|bought|ordered|signed|joined|live|are|were|did|haven't|never)\b[^,.;:]*?(?=\s+(?:that|about|to|for|with|by)\b))?"
)
_MAIL = r"(?:e-?mail|mail|newsletter|campaign|message|announcement|note|mailing|invitation|reminder|letter|update)s?"
_POLITE = re.compile(
    r"^(?:(?:please|kindly|hi|hello)[, ]+)*(?:(?:can|could|would) you (?:please )?|(?:i|we)(?:'d| would)? "
    r"(?:want|like|need)(?: you)? to |help (?:me|us)(?: to)? |let['’]?s )?",
    re.IGNORECASE,
)
_WRITE = re.compile(
    rf"^(?:write|draft|create|make|send(?: out)?|prepare|compose|design|do)(?: me| us)?\s+"
    rf"(?:an?\s+|the\s+|our\s+|one\s+)?(?:[\w'’-]+\s+){{0,3}}?{_MAIL}\b\s*",
    re.IGNORECASE,
)
_FOR_READERS = re.compile(
    rf"^(?:to|for)\s+{_READERS}\s*(?=,|:|that\b|about\b|to\b|announc|invit|telling|saying|$)[,:]?\s*", re.IGNORECASE
)
_TELL = (
    r"(?:tell(?:s|ing)?|inform(?:s|ing)?|notif(?:y|ies|ying)|e-?mail(?:s|ing)?|updat(?:es?|ing)|alert(?:s|ing)?|"
    r"show(?:s|ing)?|lets?|letting)"
)
_WIN_BACK = (
    r"(?:win(?:ning)? back|re-?engag(?:e|ing)|re-?activat(?:e|ing)|reward(?:ing)?|surpris(?:e|ing)|bring(?:ing)? back)"
)
_ANNOUNCE = r"(?:announc(?:es?|ing)|promot(?:es?|ing)|advertis(?:es?|ing)|celebrat(?:es?|ing)|spread(?:ing)? the word)"
#: How an instruction begins -> the occasion. The first hit wins.
_INSTRUCTIONS: tuple[tuple[str, Occasion], ...] = (
    (rf"remind(?:s|ing)?\s+{_READERS}\s*(?:that|about|of|to)?\s+", "remind"),
    (rf"invit(?:es?|ing)\s+{_READERS}\s*(?:to|for)?\s+", "invite"),
    (rf"thank(?:s|ing)?\s+{_READERS}\s*(?:for|that)?\s*", "thank"),
    (rf"welcom(?:es?|ing)\s+{_READERS}\s*(?:to|and)?\s*", "welcome"),
    (rf"(?:ask|encourag|persuad|convinc|get)(?:e?s?|ing|ting)\s+{_READERS}\s*(?:to|for|about)?\s+", "ask"),
    (rf"{_WIN_BACK}\s+{_READERS}\s*(?:with|by offering)?\s*", "announce"),
    (r"sell(?:ing)?\s+(?:more|some|our)?\s*", "announce"),
    (rf"{_TELL}\s+{_READERS}(?:\s+know)?\s*(?:that|about|of|on|to say(?: that)?)?\s+", "announce"),
    (r"(?:introduc(?:es?|ing)|launch(?:es|ing)?|unveil(?:s|ing)?)\s+", "introduce"),
    (r"(?:shar(?:es?|ing)|present(?:s|ing)?|highlight(?:s|ing)?)\s+", "share"),
    (rf"{_ANNOUNCE}\s+(?:that\s+|about\s+)?", "announce"),
    (r"(?:that|about|on|for|saying(?: that)?|to say(?: that)?|regarding)\s+", "announce"),
    (r"remind(?:s|ing)?\s+(?:that|about|of)?\s*", "remind"),
)
_VERBS = tuple((re.compile(f"^{pattern}", re.IGNORECASE), occasion) for pattern, occasion in _INSTRUCTIONS)
_NAMED_READERS = re.compile(
    r"\b(?:subscriber|customer|reader|member|everyone|everybody|client|guest|user|people|list|contact|fan|donor|"
    r"supporter|student)",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\b(free|complimentary|gift|bonus|discount|sale price|save|half[- ]price|voucher|coupon|code|two for one|"
    r"\d\s?for\s?\d)\b|%|\bpercent\b|[$€£]\s?\d+\s*(?:off|back)|\b(?:\d+|twenty|thirty|fifty)\s*off\b",
    re.IGNORECASE,
)
_DEADLINE = re.compile(
    r"^(?:only\s+)?(?:until|till|by|before|through|ends?|ending|starting|from|on|this|next|today|tomorrow|valid)\b",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|will|can|opens|open (?=on|at|for|from|in|our|again|next|this)|starts?|begins?|"
    r"arrives?|arrived|launches|returns?|ends?|closes?|comes?|goes|runs?|lands?|moves?|turns?|gets?|ships?|offers?|now|"
    r"won|reached|becomes?|celebrates?)\b|(?<=\w)['’]s\b(?= (?:back|here|now|open|on|live|a|an|the)\b)|"
    r"\b(?:we|you|they|it)['’](?:re|ve|ll|s)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:we|you|they|it|there|i)(?:['’]\w+)? ", re.IGNORECASE)
_DETERMINER = re.compile(r"^(?:our|the|a|an|my|your|this|these|those|its|their|some|new|\d)\b", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"'])|\n+")
_PARTS = re.compile(
    r"\s*[;:]\s+|\s+[–—-]\s+|,\s+(?:and\s+|plus\s+|with\s+|but\s+)?|\s+(?=(?:and|plus|with)\s)", re.IGNORECASE
)
_JOINER = re.compile(r"^(?:and|plus|with)\s+(?:that\s+)?(?:there(?: is|'s|’s)\s+)?", re.IGNORECASE)


_LAUNCH_OF = re.compile(r"^the (?:launch|opening|start|arrival|release) of (?=our|the|a|an|my)", re.IGNORECASE)
_NEEDS_OUR = re.compile(
    r"\b(?:sale|event|collection|menu|webinar|workshop|course|festival|party|programme|program|update|offer|deal|range)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class News:
    """What a brief says.

    Attributes:
        occasion: why the mail is written.
        statement: the news as a sentence without its full stop: "The harvest roast is back".
        plain: the same words for the middle of a sentence: "the harvest roast is back".
        topic: what it is about, fit for the middle of a sentence: "the harvest roast"; "" if that is unclear.
        is_clause: whether the statement has a verb and can stand as a sentence.
        is_request: whether the statement asks the reader to do something.
        is_offer: whether the news is nothing but the first offer.
        offers: "free shipping until Sunday", fit for the middle of a sentence.
        extras: further sentences of the brief.
    """

    occasion: Occasion
    statement: str
    plain: str
    topic: str
    is_clause: bool
    is_request: bool
    is_offer: bool
    offers: tuple[str, ...]
    extras: tuple[str, ...]


def upper_first(text: str) -> str:
    """Return the text with a capital first letter; the rest is left as it was written."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return the text for the middle of a sentence; names and "I" keep their capital."""
    first = text.split(" ", 1)[0]
    is_name = not re.fullmatch(
        r"(?:The|Our|A|An|My|Your|This|These|Those|We|You|It|Free|New|Join|Get|Take|Save|Come|Use|Its|There|All|Every|Here|Now|First|Order|Bring|Buy)(?:['’]\w+)?",
        first,
    )
    return text if is_name else text[:1].lower() + text[1:]


def sentence(text: str) -> str:
    """Return the text as a sentence: capital first, closed by a mark."""
    text = upper_first(text.strip())
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _for_reader(text: str) -> str:
    """Speak to the reader instead of about them."""
    for pattern, word in (
        (r"\bthemselves\b", "yourself"),
        (r"\btheir\b", "your"),
        (r"\bthey are\b", "you are"),
        (r"\b(?:they|them)\b", "you"),
    ):
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return text


def _strip_instruction(text: str) -> tuple[str, Occasion, bool]:
    """Return the message inside an instruction, the occasion, and whether readers were named in it."""
    occasion: Occasion = "announce"
    has_readers = False
    text = _POLITE.sub("", text, count=1)
    stripped = _WRITE.sub("", text, count=1)
    if stripped != text:
        text = _FOR_READERS.sub("", stripped, count=1)
        text = re.sub(
            r"^(?:to|which|that)\s+(?=(?:tell|let|invit|remind|thank|welcom|ask|inform|announc|promot|introduc|launch|celebrat|shar)\w*\b)",
            "",
            text,
            flags=re.IGNORECASE,
        )
    for pattern, found in _VERBS:
        if match := pattern.match(text):
            has_readers = _NAMED_READERS.search(match[0]) is not None
            text, occasion = text[match.end() :], found
            text = re.sub(r"^(?:that|about)\s+", "", text, flags=re.IGNORECASE)
            break
    return text.strip(" ,:"), occasion, has_readers


def _is_clause(text: str) -> bool:
    if _PRONOUN.match(text) or re.match(r"it[’']s ", text, re.IGNORECASE):
        return len(text.split()) > 2
    match = _FINITE.search(text)
    return bool(match) and 0 < len(text[: match.start()].split()) <= 9 if match else False


def _split_main(text: str) -> tuple[str, list[str], list[str]]:
    """Return the main part of a sentence, its offers, and other clauses."""
    pieces: list[str] = []
    position = 0
    text = re.sub(r"(?<=[, ])(?:and )?(?:it )?ends (?:on )?(?=\w)", "until ", text)
    for match in _PARTS.finditer(text):
        following = text[match.end() :]
        head = re.split(r",|;|\s+(?:and|plus|with)\s", _JOINER.sub("", following), maxsplit=1)[0]
        is_comma = bool(match[0].strip())
        is_offer = bool(_OFFER.search(head))
        is_new_clause = is_comma and _is_clause(_JOINER.sub("", head)) and len(head.split()) > 2
        is_deadline = is_comma and bool(_DEADLINE.match(head)) and bool(_OFFER.search(text[: match.start()]))
        is_offer_start = is_offer and (is_comma or bool(re.match(r"(?:and|plus|with)\s", following, re.IGNORECASE)))
        if is_offer_start or is_new_clause or is_deadline or match[0].strip() in (";", ":"):
            pieces.append(text[position : match.start()])
            position = match.end()
    pieces.append(text[position:])
    main, *rest = (_JOINER.sub("", piece).strip(" ,;.") for piece in pieces)
    offers: list[str] = []
    others: list[str] = []
    for piece in filter(None, rest):
        if _OFFER.search(piece):
            offers.append(piece)
        elif _DEADLINE.match(piece) and offers:
            offers[-1] = f"{offers[-1]} {piece}"
        else:
            others.append(piece)
    return main, offers, others


def _topic(main: str) -> str:
    if _PRONOUN.match(main):
        return ""
    match = _FINITE.search(main)
    if match and _is_clause(main):
        subject = main[: match.start()].strip(" ,")
        return "" if re.fullmatch(r"(?:we|you|it|they|i|there|this)", subject, re.IGNORECASE) else subject
    name = main.split(",")[0]
    return name if len(name.split()) <= 10 else ""


def read_brief(brief: BriefData) -> News:
    """Return what a brief says. The same brief always gives the same answer."""
    sentences = [part.strip() for part in _SENTENCES.split(brief.goal.strip()) if part.strip()]
    text, occasion, has_readers = _strip_instruction((sentences or [""])[0].rstrip(" .!"))
    main, offers, others = _split_main(text)
    if has_readers or occasion != "announce":
        main = _for_reader(main)
    is_clause = _is_clause(main)
    is_request = not is_clause and occasion in ("invite", "remind", "ask") and not _DETERMINER.match(main)
    plain = (
        main if main != (sentences or [""])[0].rstrip(" .!") and text != brief.goal.rstrip(" .!") else lower_first(main)
    )
    if launched := _LAUNCH_OF.match(plain):
        plain, occasion = plain[launched.end() :], "introduce"
    if not is_clause and not is_request and not _DETERMINER.match(plain) and _NEEDS_OUR.search(plain):
        plain = f"our {plain}"
    topic = "" if is_request else _topic(plain)
    if brief.offer and brief.offer.lower() not in " ".join(offers).lower():
        offers.insert(0, brief.offer.strip(" ."))
    extras: list[str] = [sentence(other) for other in others]
    for more in sentences[1:]:
        plain, _, _ = _strip_instruction(more.rstrip(" .!"))
        if _OFFER.search(plain) and len(plain.split()) <= 12:
            offers.append(plain)
        elif not re.match(
            r"(?:keep|use|make|include|mention|avoid|don['’]t|do not|write|tone|sound|be )\b", more, re.IGNORECASE
        ):
            extras.append(sentence(plain or more))
    is_offer = bool(_OFFER.search(plain)) and not is_clause and not is_request and len(plain.split()) <= 8
    if is_offer:
        offers.insert(0, plain)
        topic = f"your {re.sub(r'^(?:an?|the|our) ', '', plain)}" if len(plain.split()) <= 5 else ""
    if not plain and offers:
        plain, is_offer = offers[0], True
    plain = plain or brief.workspace_name or "us"
    offers = [re.sub(r"^it(?:['’]s| is) (?=free\b)", "", lower_first(offer)) for offer in offers]
    return News(
        occasion=occasion,
        statement=upper_first(plain),
        plain=plain,
        topic=topic,
        is_clause=is_clause,
        is_request=is_request,
        is_offer=is_offer,
        offers=tuple(dict.fromkeys(offers)),
        extras=tuple(dict.fromkeys(extras)),
    )
