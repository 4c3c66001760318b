"""Brand voices: the list, one voice with its evidence and versions, the editor, and what a person decides."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.forms import VoiceForm
from aiwriter.models import BrandVoice
from aiwriter.selectors import get_brand_voice
from aiwriter.services.voices import (
    accept_brand_voice,
    delete_brand_voice,
    discard_brand_voice,
    lock_brand_voice,
    restore_brand_voice,
    save_brand_voice,
)
from aiwriter.voice.profile import trait_of
from aiwriter.voice.style_rules import understood
from aiwriter.voice.versions import compare, in_force, list_voice_cards, versions_of
from pulsequill.core.errors import DomainError, Invalid

#: Figure of the samples -> what people call it.
_FIGURES = (
    ("words_per_sentence", "Words in a sentence", 1),
    ("words_per_paragraph", "Words in a paragraph", 0),
    ("formality", "Formality, of 100", 0),
    ("contractions", "Contractions in 100 words", 1),
    ("you", "“You” in 100 words", 1),
    ("exclamations", "Exclamation marks in 100 sentences", 0),
    ("questions", "Questions in 100 sentences", 0),
    ("emoji", "Emoji in 100 sentences", 0),
)


class VoiceListPage(WorkspaceTemplatePage):
    """Every voice: what is in force, and what waits for a person."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/voices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the voices."""
        cards = [(card, _traits(card.shown)) for card in list_voice_cards(self.workspace)]
        return super().get_context_data(cards=cards, **kwargs)


class VoiceDetailPage(WorkspaceTemplatePage):
    """One version of a voice: the profile beside the words that it rests on, and the other versions."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/voice_detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the profile with its evidence, the figures and the versions."""
        voice = get_brand_voice(self.workspace, kwargs.pop("voice_id"))
        current = in_force(voice)
        quotes: dict[tuple[str, str], dict[str, Any]] = {
            (quote["part"], quote["text"]): quote for quote in voice.evidence.get("quotes", ())
        }

        def shown(part: str, text: str) -> dict[str, Any]:
            return quotes.get((part, text), {})

        return super().get_context_data(
            voice=voice,
            current=current,
            is_locked=current is not None and current.status == BrandVoice.Status.LOCKED,
            method=voice.evidence.get("method", ""),
            flags=[*voice.evidence.get("flags", ()), *_flags(voice)],
            traits=[(trait, shown("traits", trait.is_so)) for trait in _traits(voice)],
            rules=[
                (rule, shown("style_rules", rule), understood(rule) is not None)
                for rule in voice.profile.get("style_rules", ())
            ],
            do_words=[(word, shown("do_words", word)) for word in voice.profile.get("do_words", ())],
            figures=_figures(voice),
            samples=voice.samples.order_by("title"),
            versions=versions_of(voice),
            **kwargs,
        )


def _traits(voice: BrandVoice) -> list[Any]:
    return [trait_of(trait) for trait in voice.profile.get("traits", ())]


def _flags(voice: BrandVoice) -> list[dict[str, str]]:
    return [{**flag, "sample": sample.title} for sample in voice.samples.all() for flag in sample.flags]


def _figures(voice: BrandVoice) -> list[tuple[str, str]]:
    known = ((name, label, digits) for name, label, digits in _FIGURES if voice.measured.get(name) is not None)
    return [(label, f"{voice.measured[name]:.{digits}f}") for name, label, digits in known]


class VoicePage(WorkspaceTemplatePage):
    """Write a voice by hand, or change one: a proposal that is changed is accepted with the changes."""

    permission = "draft.view"
    permission_by_method = {"POST": "draft.edit"}
    nav = "ai"
    template_name = "aiwriter/voice.html"

    def _voice(self, voice_id: UUID | None) -> BrandVoice | None:
        return get_brand_voice(self.workspace, voice_id) if voice_id else None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the form."""
        voice = self._voice(kwargs.get("voice_id"))
        form = VoiceForm.of(voice) if voice else VoiceForm()
        return self.render_to_response(self.get_context_data(form=form, voice=voice))

    def post(self, request: HttpRequest, *_args: Any, voice_id: UUID | None = None, **_kwargs: Any) -> HttpResponseBase:
        """Store a new version, which is in force at once: a person wrote it."""
        voice = self._voice(voice_id)
        form = VoiceForm(request.POST)
        if form.is_valid():
            try:
                saved = save_brand_voice(
                    workspace=self.workspace,
                    actor=self.user,
                    name=form.cleaned_data["name"],
                    profile=form.profile(),
                    status="" if voice and voice.is_in_force else BrandVoice.Status.ACTIVE,
                    voice=voice,
                    note="Accepted with changes" if voice and not voice.is_in_force else "Written by hand",
                )
            except DomainError as error:
                form.add_error(None, _sentence(error))
            else:
                messages.success(request, "Brand voice saved.")
                return redirect("aiwriter:voice_detail", saved.pk)
        return self.render_to_response(self.get_context_data(form=form, voice=voice), status=400)


def _sentence(error: DomainError) -> str:
    """Return what is wrong in one sentence; of a wrong profile, its first part."""
    if isinstance(error, Invalid) and error.errors:
        return f"{error.detail} {error.errors[0].detail}" if error.errors[0].detail != error.detail else error.detail
    return error.detail


class VoiceComparePage(WorkspaceTemplatePage):
    """What differs between two versions, part by part."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/voice_compare.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the two versions; without `with` the one in force, else the one before."""
        voice = get_brand_voice(self.workspace, kwargs.pop("voice_id"))
        versions = versions_of(voice)
        wanted = self.request.GET.get("with", "")
        others = [version for version in versions if version.pk != voice.pk]
        other = next((version for version in others if str(version.version) == wanted), None)
        if other is None:
            earlier = [version for version in others if version.version < voice.version and version.is_in_force]
            other = next(iter(earlier or others), None)
        older, newer = sorted((voice, other), key=lambda one: one.version) if other else (voice, voice)
        return super().get_context_data(
            voice=voice,
            other=other,
            others=others,
            older=older,
            newer=newer,
            parts=compare(older, newer) if other else [],
            **kwargs,
        )


class _VoiceAction(WorkspacePage):
    """Something that a person decides about a version; afterwards the page of the voice says so."""

    permission = "draft.edit"
    done: ClassVar[str] = ""

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Do it; return the version to show, or None for the list."""
        raise NotImplementedError

    def post(self, request: HttpRequest, voice_id: UUID) -> HttpResponseBase:
        """Do it and say so."""
        shown = self.act(get_brand_voice(self.workspace, voice_id))
        messages.success(request, self.done)
        return redirect("aiwriter:voice_detail", shown.pk) if shown else redirect("aiwriter:voices")


class AcceptVoice(_VoiceAction):
    """Stand behind a proposal."""

    done = "Accepted. Drafts can be written with it now."

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Accept it as it is."""
        return accept_brand_voice(voice=voice, actor=self.user)


class DiscardVoice(_VoiceAction):
    """Throw a proposal away."""

    done = "The proposal is gone. What was in force stays."

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Discard it, and go to what is in force."""
        discard_brand_voice(voice=voice, actor=self.user)
        return in_force(voice)


class LockVoice(_VoiceAction):
    """Lock a voice against changes."""

    done = "Locked. Nobody changes it until it is unlocked."

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Lock the version in force."""
        return lock_brand_voice(voice=voice, actor=self.user, is_locked=True)


class UnlockVoice(_VoiceAction):
    """Open a voice for changes."""

    done = "Unlocked."

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Unlock the version in force."""
        return lock_brand_voice(voice=voice, actor=self.user, is_locked=False)


class RestoreVoice(_VoiceAction):
    """Make an old version the newest again."""

    done = "Restored, as a new version."

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Restore it."""
        return restore_brand_voice(version=voice, actor=self.user)


class DeleteVoice(_VoiceAction):
    """Delete a voice with all its versions."""

    done = "Brand voice deleted."

    def act(self, voice: BrandVoice) -> BrandVoice | None:
        """Delete it."""
        delete_brand_voice(voice=voice, actor=self.user)
        return None


VOICE_ACTIONS: dict[str, type[_VoiceAction]] = {
    "accept": AcceptVoice,
    "discard": DiscardVoice,
    "lock": LockVoice,
    "unlock": UnlockVoice,
    "restore": RestoreVoice,
    "delete": DeleteVoice,
}
