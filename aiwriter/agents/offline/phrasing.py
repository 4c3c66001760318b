"""How news are put: as a sentence, a headline, a subject, a button. Tables by occasion and kind; nothing is added."""

from __future__ import annotations

import re

from aiwriter.agents.contract import BriefData
from aiwriter.agents.offline import words
from aiwriter.agents.offline.grammar import cut, is_clause, is_plural, sentence, subject_of, upper_first
from aiwriter.agents.offline.reading import News

SUBJECT_LIMIT = 60
SUBJECT_SHORT = 30
PREVIEW_LIMIT = 110

#: The news as one full sentence. (occasion, kind), then ("", kind). A clause, an offer or a question is one already.
_LEADS = {
    ("invite", "request"): "You are invited to {plain}",
    ("ask", "request"): "Would you {plain}?",
    ("remind", "request"): "Please remember to {plain}",
    ("invite", "thing"): "You are invited to {plain}",
    ("thank", "thing"): "Thank you for {plain}",
    ("thank", "fragment"): "Thank you for {plain}",
    ("thank", "request"): "Thank you for {plain}",
    ("thank", "nothing"): "We would like to say thank you",
    ("welcome", "thing"): "Welcome to {plain}",
    ("welcome", "nothing"): "Welcome to {brand}",
    ("apologise", "thing"): "We are sorry for {plain}",
    ("apologise", "fragment"): "We are sorry for {plain}",
    ("apologise", "nothing"): "We are sorry",
    ("celebrate", "thing"): "We are celebrating {plain}",
    ("celebrate", "fragment"): "We are celebrating {plain}",
    ("introduce", "thing"): "Meet {plain}",
    ("introduce", "fragment"): "Meet {plain}",
    ("share", "thing"): "Here {be} {plain}",
    ("remind", "thing"): "This is a short reminder about {plain}",
    ("ask", "thing"): "We would like to ask you about {plain}",
    ("", "request"): "{plain}",
    ("", "thing"): "We would like to tell you about {plain}",
    ("", "wh"): "We would like to tell you {plain}",
    ("", "nothing"): "We have news for you",
}
_HEADLINES = {
    ("invite", "thing"): "You are invited to {plain}",
    ("ask", "request"): "Would you {plain}?",
    ("ask", "thing"): "A question about {plain}",
    ("thank", "thing"): "Thank you for {plain}",
    ("thank", "fragment"): "Thank you for {plain}",
    ("thank", "request"): "Thank you for {plain}",
    ("thank", "nothing"): "Thank you",
    ("welcome", "thing"): "Welcome to {plain}",
    ("welcome", "nothing"): "Welcome to {brand}",
    ("apologise", "thing"): "We are sorry for {plain}",
    ("apologise", "fragment"): "We are sorry for {plain}",
    ("apologise", "nothing"): "We are sorry",
    ("celebrate", "thing"): "We are celebrating {plain}",
    ("celebrate", "fragment"): "We are celebrating {plain}",
    ("introduce", "thing"): "Meet {plain}",
    ("introduce", "fragment"): "Meet {plain}",
    ("", "nothing"): "News from {brand}",
}
#: Before a subject that is too short to say where the mail comes from, and in place of one that cannot be cut well.
_PREFIXES = dict.fromkeys(("ask", "remind", "thank", "apologise", "invite", "welcome", "win_back"), "From {brand}")
_STAND_INS = {
    "ask": "A question from {brand}", "remind": "A reminder from {brand}", "thank": "Thank you from {brand}",
    "apologise": "We are sorry", "invite": "You are invited by {brand}", "welcome": "Welcome to {brand}",
}  # fmt: skip
NOTES = {
    "ask": "A request from {brand}",
    "remind": "A short reminder from {brand}",
    "thank": "A thank-you note from {brand}",
    "apologise": "An apology from {brand}",
    "invite": "An invitation from {brand}",
    "welcome": "A warm welcome from {brand}",
    "win_back": "A short note from {brand}",
}
#: The last chance is the reader's: openings of bare phrases that ask for other words than "tell you about".
_OWN_LEADS = ((re.compile(r"last chance\b", re.IGNORECASE), "This is your {plain}"),
              (re.compile(r"(?:just|only)\s", re.IGNORECASE), "There are {plain}"))  # fmt: skip

#: Words of the brief -> the words on the button. The first hit wins.
_BUTTONS = tuple(
    (re.compile(pattern, re.IGNORECASE), label)
    for pattern, label in (
        (
            r"\b(?:sorry|apolog|delay(?:s|ed)?|clos(?:ed|ing)|prices? (?:go|rise|change)|extra days|outage|down)\b",
            "Read more",
        ),
        (r"\b(?:saved|reserved|booked) (?:you|your)\b", "See the details"),
        (r"\bbasket\b", "See your basket"),
        (r"\bcart\b", "See your cart"),
        (r"\btell us\b", "Tell us"),
        (r"\bschedule\b", "See the schedule"),
        (
            r"\b(?:webinar|workshop|class|course|evening|tasting|cupping|tour|seat|table|brunch|dinner|event|party|concert)\b",
            "Reserve a place",
        ),
        (r"\bgift (?:card|voucher)s?\b", "Choose a gift card"),
        (r"\b(?:code|coupon)\b", "Use the code"),
        (r"\bvoucher\b", "Use the voucher"),
        (r"\bopening (?:hours|times)\b", "See the opening hours"),
        (r"\bmenu\b", "See the menu"),
        (r"\bguide\b", "Read the guide"),
        (r"\bapp\b", "Get the app"),
        (r"\b(?:collection)\b", "See the collection"),
        (r"\b(?:hiring|vacanc|jobs?)\b", "See the jobs"),
        (r"\bsale\b", "See the sale"),
        (r"\b(?:order|orders|delivery|shipping|in stock)\b", "Order yours"),
    )
)
_BUTTON_MOST = 26
_VERB_PHRASE_END = re.compile(
    r"\s+(?:before|by|on|until|with|for|in|at|from|and|so|because|when|if|this|next|a month|a year|,)\b.*|,.*",
    re.IGNORECASE,
)
_SEEABLE = re.compile(r"\b(?:back|in stock|arriv\w+|available|out now|landed|launched)\b", re.IGNORECASE)
_ARRIVAL = re.compile(
    r"\b(?:back|here|in stock|arriv\w+|available|out now|land(?:s|ed)|launch\w*|live|open(?:s|ing)?|ready)\b",
    re.IGNORECASE,
)


def _fill(template: str, news: News, brand: str) -> str:
    be = "are" if is_plural(news.plain) else "is"
    return upper_first(template.format(plain=news.plain, brand=brand or "us", be=be))


def lead_of(news: News, brand: str = "") -> str:
    """Return the news as one full sentence, without its full stop."""
    if news.is_offer:
        return offer_sentence(news.plain).rstrip(".")
    if news.kind in ("thing", "fragment"):
        for pattern, template in _OWN_LEADS:
            if pattern.match(news.plain):
                return _fill(template, news, brand)
    found = _LEADS.get((news.occasion, news.kind)) or _LEADS.get(("", news.kind))
    return _fill(found, news, brand) if found else news.statement


def headline_of(news: News, brand: str = "") -> str:
    """Return the news as a headline."""
    template = _HEADLINES.get((news.occasion, news.kind)) or _HEADLINES.get(("", news.kind))
    return _fill(template, news, brand) if template else news.statement


def offer_sentence(offer: str) -> str:
    """Return an offer as a sentence to the reader."""
    if words.OFFER_CODE.match(offer):
        return sentence(f"Use code {words.OFFER_CODE.sub('', offer)}")
    if is_clause(offer) or words.OFFER_IMPERATIVE.match(offer) or offer.endswith(("!", "?")):
        return sentence(offer)
    if re.match(r"(?:our|the|your)\s", offer, re.IGNORECASE):
        return sentence(f"Have a look at {offer}")
    if bare := _ENDS_FREE.match(offer):
        return sentence(f"Your {bare[1]} is {bare[2]}")
    if re.match(r"free (?:to|for)\b", offer, re.IGNORECASE):
        return sentence(f"It is {offer}")
    if re.match(r"half[- ]price\b", offer, re.IGNORECASE) or not words.OFFER_GIVEN.search(offer.split(" for ")[0]):
        return sentence(f"There {'are' if is_plural(offer) else 'is'} {offer}")
    return sentence(f"You get {offer}")


#: "First month free": a phrase without an article.
_ENDS_FREE = re.compile(r"(?:your\s+)?((?:first|second|next)\s+[\w-]+)\s+(free|half[- ]price)$", re.IGNORECASE)


def offer_headline(offer: str, brand: str) -> str:
    """Return an offer as a headline; a short one says whose it is."""
    text = upper_first(re.sub(r"^with\s+", "", offer).rstrip("."))
    if words.OFFER_CODE.match(offer):
        text = upper_first(f"use code {words.OFFER_CODE.sub('', offer)}")
    if re.match(r"(?:our|the|your)\s", offer, re.IGNORECASE) and brand and len(text) < SUBJECT_SHORT:
        return f"From {brand}: {offer}"
    if len(text) < SUBJECT_SHORT and brand and text[-1] not in "!?" and not is_clause(offer):
        joined = f"{text} {'from' if re.match(r'an? ', offer, re.IGNORECASE) else 'at'} {brand}"
        return joined if len(joined) <= SUBJECT_LIMIT and not words.OFFER_IMPERATIVE.match(text) else text
    return text


def fit_subject(text: str, fallback: str = "") -> str:
    """Return the text as inboxes show it: whole, cut where a phrase ends, or the fallback."""
    mark = text[-1] if text.endswith("?") else ""
    text = upper_first(text.strip().rstrip("."))
    if len(text) <= SUBJECT_LIMIT:
        return text
    short = cut(text.rstrip("?"), SUBJECT_LIMIT - len(mark))
    if words.OFFER.search(text) and not words.OFFER.search(short):
        return fallback or _first_words(text)
    return f"{short}{mark}" if short else (fallback or _first_words(text))


def _first_words(text: str) -> str:
    """Return as many whole words as fit, the last resort for a text without any joint."""
    kept = text[: SUBJECT_LIMIT - 1].rsplit(" ", 1)[0].rstrip(" ,;:")
    while " " in kept and words.DANGLING.search(kept):
        kept = kept.rsplit(" ", 1)[0].rstrip(" ,;:")
    return f"{kept}…"


def with_sender(news: News, headline: str, brand: str) -> str:
    """Return a headline that is long enough to say something in an inbox: a short one says who writes."""
    text = fit_subject(headline, stand_in(news, brand))
    if len(text) >= SUBJECT_SHORT or not brand or brand in text or news.kind == "question":
        return text
    inner = news.plain if text == news.statement else text[:1].lower() + text[1:]
    prefix = _PREFIXES.get(news.occasion, "News from {brand}").format(brand=brand)
    joined = f"{prefix}: {inner}"
    return joined if len(joined) <= SUBJECT_LIMIT else text


def stand_in(news: News, brand: str) -> str:
    """Return a subject that is true of any news of this kind."""
    return signed(_STAND_INS.get(news.occasion, "News from {brand}"), brand)


def signed(template: str, brand: str) -> str:
    """Return "A short note from {brand}" with the name, or without where there is none or no room for it."""
    text = template.format(brand=brand or "us")
    return text if len(text) <= SUBJECT_LIMIT else re.sub(r"\s+(?:from|by|to) \{brand\}$", "", template)


def is_pleasant(news: News) -> bool:
    """Return whether the news is something to look forward to, so that "take a look" fits."""
    if is_unpleasant(news):
        return False
    return bool(news.offers) or news.kind == "thing" or _ARRIVAL.search(news.plain) is not None


def is_unpleasant(news: News) -> bool:
    """Return whether the news is a nuisance to the reader."""
    return _BUTTONS[0][0].search(" ".join((news.plain, *news.extras))) is not None


def button_label(news: News, brief: BriefData, default: str) -> str:
    """Return the words on the button: the brief's, or what the news asks for."""
    if brief.cta_label:
        return brief.cta_label
    if news.kind == "request" and news.occasion != "thank":
        label = _VERB_PHRASE_END.sub("", news.statement)
        is_whole = len(label.split()) > 1 and len(label) <= _BUTTON_MOST and not words.DANGLING.search(label)
        if is_whole and not re.search(r"\b(?:us|me|you|it)$", label):
            return label
    if news.occasion == "invite":
        return "Reserve a place"
    text = " ".join((*([] if news.occasion == "thank" else [news.plain]), *news.offers))
    for pattern, label in _BUTTONS:
        if pattern.search(text):
            return label
    named = news.topic if news.kind == "thing" or (_SEEABLE.search(news.plain) and subject_of(news.plain)) else ""
    if (
        named
        and words.DETERMINER.match(named)
        and len(f"See {named}") <= _BUTTON_MOST
        and news.occasion in ("announce", "share")
    ):
        return f"See {named}"
    return default
