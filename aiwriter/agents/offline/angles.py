"""Three skeletons that a brief is poured into: the news, the offer, the letter. Nothing is said that it does not say.

Which of several harmless phrasings is taken depends on the brief's digest, so the same brief always reads the same and
two briefs do not read alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape

from aiwriter.agents.contract import Block, BriefData, DraftContent
from aiwriter.agents.offline import words
from aiwriter.agents.offline.grammar import cut, is_clause, lower_first, sentence, upper_first
from aiwriter.agents.offline.phrasing import (
    NOTES,
    PREVIEW_LIMIT,
    SUBJECT_LIMIT,
    SUBJECT_SHORT,
    button_label,
    fit_subject,
    headline_of,
    is_pleasant,
    is_unpleasant,
    lead_of,
    offer_headline,
    offer_sentence,
    signed,
    stand_in,
    with_sender,
)  # fmt: skip
from aiwriter.agents.offline.reading import News
from aiwriter.guardrails import Finding, finding

FACTS_BY_LENGTH = {"short": 2, "medium": 5, "long": 20}
GREETING = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"
FORMAL_GREETING = "{{#first_name}}Dear {{first_name}},{{/first_name}}{{^first_name}}Dear reader,{{/first_name}}"
_CLOSINGS = ((re.compile(r"formal|serious|official|professional", re.IGNORECASE), "Kind regards"),
             (re.compile(r"warm|friend|kind|personal|heart", re.IGNORECASE), "Warmly"),
             (re.compile(r"play|fun|cheek|casual|bold", re.IGNORECASE), "Cheers"))  # fmt: skip
#: A kind word where the headline has said everything already.
_PLEASANTRIES = {
    "invite": ("We hope you can join us.", "It would be lovely to see you.", "We would be glad to have you with us."),
    "thank": ("We wanted to say it plainly.", "It means a lot to us.", "We are grateful that you are with us."),
    "welcome": ("It is good to have you with us.", "We are glad that you are here.", "Make yourself at home."),
    "ask": ("It would mean a lot to us.", "We would be grateful.", "It would help us a great deal."),
    "remind": (
        "We thought you would like to know.",
        "This is only a short reminder.",
        "We did not want you to miss it.",
    ),
    "apologise": ("We would like to say it plainly.", "We wanted you to hear it from us."),
    "win_back": ("It has been a while.", "We have not heard from you for a while."),
}  # fmt: skip
_OPENERS = ("Here is the news:", "A quick update from us:", "We have news for you:")
#: The lead in other words, below a headline that is the lead already.
_SECOND_LEADS = {
    "introduce": "We would like to introduce {plain}", "celebrate": "We would like to celebrate {plain} with you",
}  # fmt: skip
_NOTE_OPENINGS = ("This is a short note.", "We will keep this short.", "Just a few lines today.")
_WHERE = re.compile(r"(?:in|at)\s+((?:the|our)\s+[\w' ’-]+|[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*)$")


class _Phrases:
    """Harmless phrasings, picked by the digest of the brief."""

    def __init__(self, digest: str) -> None:
        self._seed = int(digest[:12], 16)

    def pick(self, salt: int, options: Sequence[str]) -> str:
        return options[(self._seed // (salt * 7 + 1)) % len(options)]


def paragraph(html: str) -> str:
    """Return the rich text as one paragraph."""
    return f"<p>{html}</p>"


def bullets(items: Iterable[str]) -> str:
    """Return plain texts as a list."""
    return "<ul>" + "".join(f"<li>{escape(upper_first(item), quote=False)}</li>" for item in items) + "</ul>"


def _bare(text: str) -> str:
    return re.sub(r"[^\w%£$€]+", " ", text.lower()).strip()


class AngleWriter:
    """Writes the angles of one brief in English."""

    def __init__(self, brief: BriefData, news: News) -> None:
        self.brief = brief
        self.news = news
        self.brand = brief.workspace_name
        self.phrases = _Phrases(brief.sha256())
        self.facts = tuple(fact.strip() for fact in brief.facts if fact.strip())[: FACTS_BY_LENGTH.get(brief.length, 5)]
        self.lead = lead_of(news, self.brand)
        self.headline = headline_of(news, self.brand)
        self.offers = news.offers[1:] if news.is_offer else news.offers

    def write(self) -> tuple[DraftContent, ...]:
        """Return as many angles as the brief asks for."""
        angles: tuple[Callable[[int], DraftContent], ...] = (self._news, self._offer, self._letter)
        return tuple(angle(position) for position, angle in enumerate(angles[: self.brief.angles]))

    # --- the three angles ----------------------------------------------------------------------------------------
    def _news(self, position: int) -> DraftContent:
        news = self.news
        subject = self._news_subject()
        body = [self._greeting(), *map(self._say, self._opening())]
        body += [self._say(text) for text in (*news.extras, *map(offer_sentence, self.offers), *self.brief.must_say)]
        if self.brief.length != "short" and (nudge := self._nudge()):
            body.append(self._say(nudge))
        heading = fit_subject(self.headline, subject)
        blocks: list[Block] = [{"type": "heading", "text": heading, "level": 1}]
        blocks.append({"type": "text", "html": "".join(body)})
        if self.facts:
            blocks.append({"type": "heading", "text": "The details", "level": 3})
            blocks.append({"type": "text", "html": bullets(self.facts)})
        blocks += [self._button("See the details"), self._sign_off()]
        previews = (*map(offer_sentence, news.offers), *self.facts, *news.extras, *self._kind_word(), self.lead)
        return self._draft(position, "The news", subject, previews, blocks)

    def _news_subject(self) -> str:
        subject = with_sender(self.news, self.headline, self.brand)
        emoji = f"{self.news.emoji} " if self.news.emoji else ""
        return f"{emoji}{subject}" if len(emoji + subject) <= SUBJECT_LIMIT else subject

    def _opening(self) -> tuple[str, ...]:
        """The first paragraphs below the headline; what the headline has said is not said again word by word."""
        news = self.news
        if news.kind == "clause" and news.occasion not in _PLEASANTRIES:
            opener = "A quick update from us:" if is_unpleasant(news) else self.phrases.pick(1, _OPENERS)
            return (f"{opener} {news.plain}",)
        if news.kind == "question":
            return ("We have a question for you today",)
        if _bare(self.lead) == _bare(self.headline) and len(self.headline) <= SUBJECT_LIMIT:
            again = _SECOND_LEADS.get(news.occasion, "{lead}").format(plain=news.plain, lead=self.lead)
            return self._kind_word() or (again,)
        return (self.lead, *self._kind_word()) if news.occasion == "invite" else (self.lead,)

    def _kind_word(self) -> tuple[str, ...]:
        options = _PLEASANTRIES.get(self.news.occasion)
        return (self.phrases.pick(1, options),) if options else ()

    def _offer(self, position: int) -> DraftContent:
        news = self.news
        fallback = signed("The essentials from {brand}", self.brand)
        if news.offers:
            angle = "The offer"
            subject = fit_subject(
                offer_headline(news.offers[0], self.brand), signed("An offer from {brand}", self.brand)
            )
            if news.is_offer:
                subject = self._distinct(fit_subject(offer_headline(news.offers[0], ""), subject))
            heading = fit_subject(offer_headline(news.offers[0], ""), subject)
        else:
            angle = "The essentials"
            subject = self._essentials_subject(fallback)
            heading = "In short" if subject.startswith("In short:") else subject
        body = [self._greeting(), *self._points()]
        body += [self._say(text) for text in (*news.extras, *self.brief.must_say)]
        blocks: list[Block] = [
            {"type": "heading", "text": heading, "level": 1},
            {"type": "text", "html": "".join(body)},
            self._button("See the offer" if news.offers else "Read more"),
            {"type": "divider"},
            self._sign_off(),
        ]
        previews = (self.lead, *news.extras, *self.facts, "The essentials at a glance")
        return self._draft(position, angle, subject, previews, blocks)

    def _distinct(self, subject: str) -> str:
        """Return a subject other than that of the news: the offer is all there is."""
        if subject.startswith("An offer"):
            return subject
        inner = lower_first(subject)
        told = f"For you: {inner}"
        return told if len(told) <= SUBJECT_LIMIT else signed("An offer from {brand}", self.brand)

    def _essentials_subject(self, fallback: str) -> str:
        news = self.news
        if news.topic and news.occasion not in ("thank", "welcome", "apologise"):
            return fit_subject(f"What to know about {news.topic}", fallback)
        told = f"In short: {news.plain}"
        is_fit = news.kind not in ("nothing", "question") and SUBJECT_SHORT <= len(told) <= SUBJECT_LIMIT
        return told if is_fit and news.occasion not in ("win_back", "thank") else fallback

    def _points(self) -> list[str]:
        """The message as a list, where there is more than one point to it; else as a sentence."""
        news = self.news
        told = [] if news.is_offer else [self.headline]
        points = [*map(self._point, news.offers), *told, *self.facts]
        if len(points) == 1 and news.topic:
            points = [*self._when_and_where()] or points
        points = [point.rstrip(".") for point in dict.fromkeys(points)]
        if len(points) == 1:
            return [self._say(self.lead)]
        intro = self.phrases.pick(3, ("The essentials:", "At a glance:", "In short:"))
        return [paragraph(intro), bullets(points)]

    @staticmethod
    def _point(offer: str) -> str:
        return offer_sentence(offer) if is_clause(offer) or words.OFFER_CODE.match(offer) else offer

    def _when_and_where(self) -> list[str]:
        """What, when and where, if the brief gives a day: the parts of "our tasting on Friday in the roastery"."""
        news = self.news
        when = words.WHEN.search(news.plain)
        if when is None or news.kind != "thing" or when.start() < len(news.topic):
            return []
        where = _WHERE.match(news.plain[when.end() :].strip(" ,"))
        points = [f"What: {news.topic}", f"When: {re.sub(r'^on ', '', when[0])}"]
        return [*points, f"Where: {where[1]}"] if where else points

    def _letter(self, position: int) -> DraftContent:
        news, brief = self.news, self.brief
        note = NOTES.get(news.occasion)
        if note or not news.topic:
            template = note or "A short note from {brand}"
            subject = signed(template, self.brand)
        else:
            subject = f"A short note about {news.topic}"
        opening = self.phrases.pick(4, _NOTE_OPENINGS)
        told = [sentence(self.lead), *map(offer_sentence, self.offers)]
        parts = [told[0], *news.extras, *told[1:]] if news.extras else [" ".join(told)]
        body = [self._greeting(), *(self._say(text) for text in (opening, *parts, *brief.must_say))]
        body += [self._say(" ".join(map(sentence, self.facts)))] if self.facts else []
        if brief.cta_url:
            body.append(
                self._say(
                    self.phrases.pick(5, ("You will find more behind the link below.", "The link below has more."))
                )
            )
        blocks: list[Block] = [
            {"type": "text", "html": "".join(body)},
            self._button("Take a look" if is_pleasant(news) else "Read more", quiet=True),
            self._sign_off(),
        ]
        previews = (" ".join(told), self.lead, opening)
        return self._draft(position, "A short note", fit_subject(subject, stand_in(news, self.brand)), previews, blocks)

    def _nudge(self) -> str:
        """A closing line that promises nothing: the date that the brief gives, or an invitation to look."""
        if self.news.occasion not in ("announce", "introduce", "share", "celebrate") or not is_pleasant(self.news):
            return ""
        nudges = ("If that sounds good, take a look.", "Take a look when you have a moment.")
        if not self.brief.cta_url:
            return ""
        return self.phrases.pick(6, nudges) if self.news.offers else nudges[1]

    # --- parts ---------------------------------------------------------------------------------------------------
    def _greeting(self) -> str:
        is_formal = self._closing() == "Kind regards"
        return paragraph(FORMAL_GREETING if is_formal else GREETING)

    def _closing(self) -> str:
        for pattern, closing in _CLOSINGS:
            if pattern.search(self.brief.tone):
                return closing
        return "Best wishes"

    def _sign_off(self) -> Block:
        return {"type": "text", "html": paragraph(f"{self._closing()},<br>{{{{workspace.name}}}}")}

    def _say(self, text: str) -> str:
        return paragraph(escape(sentence(text), quote=False))

    def _button(self, default: str, *, quiet: bool = False) -> Block:
        label = self.brief.cta_label or (default if quiet else button_label(self.news, self.brief, default))
        return {"type": "button", "label": label, "url": self.brief.cta_url, "align": "left"}

    def _draft(
        self, position: int, angle: str, subject: str, previews: Iterable[str], blocks: list[Block]
    ) -> DraftContent:
        """Number the blocks, and choose the first preview text that fits and adds to the subject."""
        preview = (
            f"A short update from {self.brand}." if self.brand and self.brand not in subject else "A short update."
        )
        for text in previews:
            short = cut(text, PREVIEW_LIMIT) if len(text) > PREVIEW_LIMIT else text
            if short and _bare(short) not in _bare(subject) and _bare(subject) not in _bare(short):
                preview = sentence(short)
                break
        for number, block in enumerate(blocks, start=1):
            block["id"] = f"{chr(ord('a') + position)}{number}"
        remarks: tuple[Finding, ...] = ()
        if not self.brief.language.lower().startswith("en"):
            text = f"This template draft is in English, as the brief is; “{self.brief.language}” was asked for."
            remarks = (finding("language_not_offered", "warn", text, "blocks"),)
        return DraftContent(position, angle, subject, preview, blocks, remarks)
