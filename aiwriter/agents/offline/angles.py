"""Three skeletons that a brief is poured into: the news, the offer, the letter. Nothing is said that it does not say.

Which of several harmless phrasings is taken depends on the brief's digest, so the same brief always reads the same and
two briefs do not read alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

from aiwriter.agents.contract import Block, BriefData, DraftContent
from aiwriter.agents.offline.reading import News, sentence, upper_first
from aiwriter.guardrails import Finding, finding

SUBJECT_LIMIT = 60
FACTS_BY_LENGTH = {"short": 2, "medium": 5, "long": 20}
GREETING = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"
FORMAL_GREETING = "{{#first_name}}Dear {{first_name}},{{/first_name}}{{^first_name}}Dear reader,{{/first_name}}"
_CLOSINGS = ((re.compile(r"formal|serious|official|professional", re.IGNORECASE), "Kind regards"),
             (re.compile(r"warm|friend|kind|personal|heart", re.IGNORECASE), "Warmly"),
             (re.compile(r"play|fun|cheek|casual|bold", re.IGNORECASE), "Cheers"))  # fmt: skip
_ARRIVAL = re.compile(
    r"\b(?:back|here|in stock|arriv\w+|available|out now|new|land(?:s|ed)|launch\w*|live|open)\b", re.IGNORECASE
)
#: A kind word where the headline has said everything already.
_PLEASANTRIES = {
    "invite": ("We hope you can join us.", "It would be lovely to see you.", "We would be glad to have you with us."),
    "thank": (
        "We wanted to say it plainly: thank you.",
        "It means a lot to us.",
        "We are grateful that you are with us.",
    ),
    "welcome": ("It is good to have you with us.", "We are glad that you are here.", "Make yourself at home."),
    "ask": ("It would mean a lot to us.", "We would be grateful.", "It would help us a great deal."),
    "remind": (
        "We thought you would like to know.",
        "A short reminder, so that it does not slip by.",
        "Just so you know.",
    ),
}
_UNTIL = re.compile(r"\b(?:until|till|through)\s+((?:the end of\s+)?[\w’' ]{2,40})", re.IGNORECASE)
_VERB_PHRASE_END = re.compile(r"\s+(?:before|by|on|until|with|for|in|at|from|and|so|because|when|,)\b.*", re.IGNORECASE)
_SUBJECT_CUT = re.compile(r"\s*[,;:–—(]|\s+(?:and|with|which|that|because|starting)\s", re.IGNORECASE)


class _Phrases:
    """Harmless phrasings, picked by the digest of the brief."""

    def __init__(self, digest: str) -> None:
        self._seed = int(digest[:12], 16)

    def pick(self, salt: int, options: Sequence[str]) -> str:
        return options[(self._seed // (salt * 7 + 1)) % len(options)]


def fit_subject(text: str) -> str:
    """Return the text shortened to what inboxes show, at a place where a reader would pause."""
    text = upper_first(text.rstrip(". "))
    if len(text) <= SUBJECT_LIMIT:
        return text
    for match in reversed(list(_SUBJECT_CUT.finditer(text))):
        if 15 <= match.start() <= SUBJECT_LIMIT:
            return text[: match.start()].rstrip(" ,;:")
    words = text[: SUBJECT_LIMIT - 1].rsplit(" ", 1)[0]
    return f"{words.rstrip(' ,;:')}…"


def _is_plural(noun_phrase: str) -> bool:
    head = re.split(r"\s+(?:for|of|on|in|at|with|to|from|about|that|which)\s", noun_phrase, maxsplit=1)[0]
    return bool(re.search(r"[^s']s$", head))


def lead_of(news: News) -> str:
    """Return the news as one full sentence without its full stop."""
    text = news.plain
    if news.is_offer:
        return f"There is {text} for you" if len(text.split()) <= 6 else news.statement
    if news.is_clause:
        return news.statement
    if news.is_request:
        return {"invite": f"You are invited to {text}", "ask": f"Would you {text}?"}.get(
            news.occasion, f"Please remember to {text}"
        )
    return {
        "invite": f"You are invited to {text}",
        "thank": f"Thank you for {text}",
        "welcome": f"Welcome to {text}",
        "introduce": f"Meet {text}",
        "share": f"Here {'are' if _is_plural(text) else 'is'} {text}",
        "remind": f"A short reminder: {text}",
    }.get(news.occasion, f"We have news about {text}")


def headline_of(news: News) -> str:
    """Return the news as a headline."""
    if news.is_offer:
        return f"{news.statement} for you" if len(news.plain.split()) <= 4 else news.statement
    if (
        news.is_clause
        or (news.is_request and news.occasion != "ask")
        or news.occasion in ("announce", "share", "remind")
    ):
        return news.statement
    if news.occasion == "introduce" and news.topic:
        return f"Meet {news.topic}"
    return lead_of(news)


def button_label(news: News, brief: BriefData, default: str) -> str:
    """Return the words on the button: the brief's, or what the news asks for."""
    if brief.cta_label:
        return brief.cta_label
    if news.is_request:
        label = _VERB_PHRASE_END.sub("", news.statement)
        return label if len(label) <= 30 else "Go ahead"
    is_thing = not news.is_offer and (not news.is_clause or _ARRIVAL.search(news.statement) is not None)
    if is_thing and news.topic and len(news.topic) <= 26 and news.occasion in ("announce", "introduce"):
        return f"See {news.topic}"
    return default


def _paragraph(html: str) -> str:
    return f"<p>{html}</p>"


def _bullets(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(upper_first(item), quote=False)}</li>" for item in items) + "</ul>"


def _offer_sentence(offer: str) -> str:
    """Return "there is ..." around an offer that is no sentence by itself."""
    if re.match(r"free to\b", offer, re.IGNORECASE):
        return f"It is {offer}."
    if re.match(r"(?:it|we|you|they|there|get|take|save|use|enjoy|buy|order)\b", offer, re.IGNORECASE):
        return sentence(offer)
    return f"There is {offer}." if offer[-1] not in ".!?" else f"There is {offer}"


class AngleWriter:
    """Writes the angles of one brief."""

    def __init__(self, brief: BriefData, news: News) -> None:
        self.brief = brief
        self.news = news
        self.phrases = _Phrases(brief.sha256())
        self.facts = tuple(fact.strip() for fact in brief.facts if fact.strip())[: FACTS_BY_LENGTH.get(brief.length, 5)]
        self.lead = lead_of(news)
        self.headline = headline_of(news)
        self.has_link = bool(brief.cta_url)

    def write(self) -> tuple[DraftContent, ...]:
        """Return as many angles as the brief asks for."""
        angles: tuple[Callable[[int], DraftContent], ...] = (self._news, self._offer, self._letter)
        return tuple(angle(position) for position, angle in enumerate(angles[: self.brief.angles]))

    # --- the three angles ----------------------------------------------------------------------------------------
    def _news(self, position: int) -> DraftContent:
        news = self.news
        opener = self.phrases.pick(1, ("Here is the news:", "A quick update from us:", "We have news for you:"))
        if news.is_clause:
            first = f"{opener} {news.plain}"
        elif self.lead == self.headline and news.occasion in _PLEASANTRIES:
            first = self.phrases.pick(1, _PLEASANTRIES[news.occasion])
        else:
            first = self.lead
        body = [self._greeting(), self._say(first)]
        offers = news.offers[1:] if news.is_offer else news.offers
        if offers:
            bridge = self.phrases.pick(2, ("And there is more:", "There is an offer to go with it:", "One more thing:"))
            body.append(self._say(f"{bridge} {offers[0]}"))
        body += [self._say(extra) for extra in (*offers[1:], *news.extras, *self.brief.must_say)]
        if self.brief.length != "short" and (nudge := self._nudge()):
            body.append(self._say(nudge))
        blocks: list[Block] = [{"type": "heading", "text": fit_subject(self.headline), "level": 1}]
        blocks.append({"type": "text", "html": "".join(body)})
        if self.facts:
            blocks.append({"type": "heading", "text": "The details", "level": 3})
            blocks.append({"type": "text", "html": _bullets(self.facts)})
        blocks += [self._button("See the details"), {"type": "text", "html": self._sign_off()}]
        preview = sentence(news.offers[0]) if news.offers else sentence((*self.facts, *news.extras, self.lead)[0])
        return self._draft(position, "The news", fit_subject(self.headline), preview, blocks)

    def _offer(self, position: int) -> DraftContent:
        news = self.news
        about = news.topic or news.plain
        if news.offers:
            subject, angle = upper_first(news.offers[0]), "The offer"
            intro = self.phrases.pick(3, ("Here is what you get:", "What is in it for you:", "In short:"))
            lead = [] if news.is_offer else [self.lead if news.is_request else news.statement]
            points = [*news.offers, *lead, *self.facts]
        else:
            subject, angle = f"What to know about {about}", "The essentials"
            if news.is_request or not news.topic:
                subject = f"In short: {news.plain}"
            intro = self.phrases.pick(3, ("The essentials:", "Here is what to know:", "In short:"))
            points = [self.lead, *self.facts]
        heading = fit_subject(subject)
        body = [self._greeting(), _paragraph(intro), _bullets([p.rstrip(".") for p in dict.fromkeys(points)])]
        body += [self._say(extra) for extra in (*news.extras, *self.brief.must_say)]
        if news.offers and (until := _UNTIL.search(news.offers[0])):
            body.append(self._say(f"You have until {until[1].strip()}"))
        blocks: list[Block] = [
            {"type": "heading", "text": heading, "level": 1},
            {"type": "text", "html": "".join(body)},
        ]
        blocks += [
            self._button("See the offer" if news.offers else "Find out more"),
            {"type": "divider"},
            {"type": "text", "html": self._sign_off()},
        ]
        return self._draft(position, angle, heading, sentence(self.lead), blocks)

    def _letter(self, position: int) -> DraftContent:
        news, brief = self.news, self.brief
        if news.topic:
            subject = f"A short note about {news.topic}"
        elif brief.workspace_name:
            subject = f"A short note from {brief.workspace_name}"
        else:
            subject = "A short note"
        opening = self.phrases.pick(4, ("This is a short note.", "We will keep this short.", "Just a few lines today."))
        middle = [sentence(self.lead), *map(_offer_sentence, news.offers[1:] if news.is_offer else news.offers)]
        body = [self._greeting(), self._say(opening), self._say(" ".join(middle))]
        told = [sentence(fact) for fact in self.facts if len(fact.split()) > 2]
        body += [self._say(text) for text in (*news.extras, *brief.must_say)]
        if told:
            body.append(self._say(" ".join(told)))
        if self.has_link:
            body.append(
                self._say(self.phrases.pick(5, ("The link below takes you there.", "You will find it all below.")))
            )
        blocks: list[Block] = [
            {"type": "text", "html": "".join(body)},
            self._button("Take a look", quiet=True),
            {"type": "text", "html": self._sign_off()},
        ]
        return self._draft(position, "A short note", fit_subject(subject), sentence(self.lead), blocks)

    def _nudge(self) -> str:
        """A closing line that promises nothing: the date that the brief gives, or an invitation to look."""
        if self.news.occasion not in ("announce", "introduce", "share"):
            return ""
        for offer in self.news.offers:
            if until := _UNTIL.search(offer):
                return f"If that sounds good, you have until {until[1].strip()}"
        return (
            self.phrases.pick(6, ("If that sounds good, take a look.", "Take a look when you have a moment."))
            if self.has_link
            else ""
        )

    # --- parts ---------------------------------------------------------------------------------------------------
    def _greeting(self) -> str:
        is_formal = self._closing() == "Kind regards"
        return _paragraph(FORMAL_GREETING if is_formal else GREETING)

    def _closing(self) -> str:
        for pattern, closing in _CLOSINGS:
            if pattern.search(self.brief.tone):
                return closing
        return "Best wishes"

    def _sign_off(self) -> str:
        return _paragraph(f"{self._closing()},<br>{{{{workspace.name}}}}")

    def _say(self, text: str) -> str:
        return _paragraph(escape(sentence(text), quote=False))

    def _button(self, default: str, *, quiet: bool = False) -> Block:
        label = self.brief.cta_label or (default if quiet else button_label(self.news, self.brief, default))
        return {"type": "button", "label": label, "url": self.brief.cta_url, "align": "left"}

    def _draft(self, position: int, angle: str, subject: str, preview: str, blocks: list[Block]) -> DraftContent:
        if preview.rstrip(".").lower() == subject.lower():
            preview = next((sentence(text) for text in (*self.news.offers, *self.facts, *self.news.extras)), "")
        if preview.rstrip(".").lower() == subject.lower() or not preview:
            preview = f"News from {self.brief.workspace_name}." if self.brief.workspace_name else "A few lines from us."
        remarks: tuple[Finding, ...] = ()
        if not self.brief.language.lower().startswith("en"):
            text = f"Template drafts are written in English; the brief asks for “{self.brief.language}”."
            remarks = (finding("language_not_offered", "warn", text, "blocks"),)
        for number, block in enumerate(blocks, start=1):
            block["id"] = f"{chr(ord('a') + position)}{number}"
        return DraftContent(position, angle, subject, preview, blocks, remarks)
