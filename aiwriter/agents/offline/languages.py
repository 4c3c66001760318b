"""Briefs in other languages: they are recognised and quoted, in a frame of their own language where we have one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_I = re.IGNORECASE


@dataclass(frozen=True)
class Frame:
    """The fixed words around a quoted brief. `{brand}` is the workspace's name."""

    name: str
    greeting: str
    closing: str
    openings: tuple[str, str, str]
    angles: tuple[str, str, str]
    subjects: tuple[str, str]
    previews: tuple[str, str, str]
    details: str
    buttons: tuple[str, str, str]


FRAMES = {
    "en": Frame(
        name="English",
        greeting="{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}",
        closing="Best wishes",
        openings=("Here is what we would like to tell you:", "In short:", "Just a few lines today."),
        angles=("The news", "The essentials", "A short note"),
        subjects=("News from {brand}, in short", "A short note from {brand}"),
        previews=("News from {brand}.", "The essentials at a glance.", "A few lines from {brand}."),
        details="The details",
        buttons=("See the details", "Read more", "Take a look"),
    ),
    "de": Frame(
        name="German",
        greeting="{{#first_name}}Hallo {{first_name}},{{/first_name}}{{^first_name}}Guten Tag,{{/first_name}}",
        closing="Herzliche Grüße",
        openings=("Das möchten wir Ihnen mitteilen:", "Kurz gesagt:", "Heute nur ein paar Zeilen."),
        angles=("Die Nachricht", "Das Wichtigste", "Ein kurzer Gruß"),
        subjects=("Das Wichtigste von {brand}", "Ein kurzer Gruß von {brand}"),
        previews=("Neues von {brand}.", "Alles Wichtige auf einen Blick.", "Ein paar Zeilen von {brand}."),
        details="Die Einzelheiten",
        buttons=("Mehr erfahren", "Zu den Einzelheiten", "Jetzt ansehen"),
    ),
    "fr": Frame(
        name="French",
        greeting="{{#first_name}}Bonjour {{first_name}},{{/first_name}}{{^first_name}}Bonjour,{{/first_name}}",
        closing="Bien à vous",
        openings=("Voici ce que nous voulons vous dire :", "En bref :", "Juste quelques lignes aujourd’hui."),
        angles=("La nouvelle", "L’essentiel", "Un petit mot"),
        subjects=("L’essentiel en bref : {brand}", "Un petit mot de {brand}"),
        previews=("Des nouvelles de {brand}.", "L’essentiel en un coup d’œil.", "Quelques lignes de {brand}."),
        details="Les détails",
        buttons=("En savoir plus", "Voir les détails", "Voir la suite"),
    ),
}
#: Words that give a language away. Two different ones decide, or one and not a single English one.
_MARKS = {
    "de": "der die das und ist sind mit für unsere unser unserer unseren wir ab bis am im zum zur eine ein einen dass"
    " auf nicht alle neue neuer neues den dem kunden von heute jetzt gibt",
    "fr": "le la les des du et est sont avec pour notre nos vous une un que sur dans au aux jusqu nouvelle nouveau nous"
    " clients à de",
    "es": "el los las y es son con para nuestro nuestra nuestros una un que en al del hasta nueva nuevo",
    "it": "il gli le e è sono con per nostro nostra una un che di al del fino nuova nuovo",
    "nl": "het een en zijn met voor onze wij vanaf tot op niet alle nieuwe van dat",
}
_MARK_SETS = {language: frozenset(words.split()) for language, words in _MARKS.items()}
_COMMON = "the our is are and with for we you that to of at on in until a an new free off get your now this us it be"
_ENGLISH = frozenset(_COMMON.split())
_NAMES = {"es": "Spanish", "it": "Italian", "nl": "Dutch"}


def detect_language(text: str, wanted: str = "en") -> str:
    """Return the language of a text: one of the marked ones, or what was asked for."""
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    scores = {language: len(words & marks) for language, marks in _MARK_SETS.items()}
    best = max(scores, key=lambda language: scores[language])
    english = len(words & _ENGLISH)
    if scores[best] > english and (scores[best] >= 2 or english == 0):
        return best
    short = wanted.lower().split("-", maxsplit=1)[0]
    return "en" if english >= 2 or not short else short


def language_name(code: str) -> str:
    """Return how a language is called in a remark."""
    return FRAMES[code].name if code in FRAMES else _NAMES.get(code, code)


_GERMAN_READERS = r"(?:unsere[nr]?|die|den|alle[n]?|allen)\s+(?:[\w-]+\s+){0,2}?"
_GERMAN_TELL = re.compile(
    rf"^(?:bitte\s+)?(?:erinner\w*|informier\w*|sag\w*|teil\w*|schreib\w*|erzähl\w*)\s+(?:{_GERMAN_READERS})?[\w-]+\s*"
    r"(?:daran|darüber|mit)?,?\s*dass\s+",
    _I,
)
_GERMAN_MIDDLE = re.compile(
    r"\s(?=(?:am|im|ab|bis|wieder|jetzt|nun|mit|in|um|für|ohne|seit|heute|morgen|nur|noch|bald|auf|zu|ein|eine)\b)", _I
)
_FRENCH_TELL = re.compile(
    r"^(?:(?:annonce|dite?|di|informe|rappele|rappelle|signale|écri)[rsz]*|dire|faites savoir)\s+(?:à\s+)?"
    r"(?:nos|aux|les|tous nos|vos)\s+[\w-]+(?:\s+[\w-]+)?\s+(?:que\s+|qu['’])",
    _I,
)


def _german_core(text: str) -> str:
    """Return the "dass" clause as a main clause: its verb moves from the end to the second place."""
    clause = _GERMAN_TELL.sub("", text, count=1)
    if clause == text:
        return text
    words = clause.rsplit(" ", 1)
    middle = _GERMAN_MIDDLE.search(words[0])
    if len(words) < 2 or "," in clause or not middle:
        return text
    return f"{words[0][: middle.start()]} {words[1]} {words[0][middle.end() :]}"


_CORES: dict[str, Callable[[str], str]] = {
    "de": _german_core,
    "fr": lambda text: _FRENCH_TELL.sub("", text, count=1),
}


def core_of(text: str, language: str) -> str:
    """Return what a brief in another language says, without its instruction where we know how."""
    find = _CORES.get(language)
    return find(text) if find else text
