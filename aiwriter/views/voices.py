"""The brand voice editor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.forms import VoiceForm
from aiwriter.models import BrandVoice
from aiwriter.selectors import get_brand_voice
from aiwriter.services.voices import delete_brand_voice, save_brand_voice
from pulsequill.core.errors import DomainError


class VoicePage(WorkspaceTemplatePage):
    """Make a brand voice, or its next version."""

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
        """Store a new version."""
        voice = self._voice(voice_id)
        form = VoiceForm(request.POST)
        if form.is_valid():
            try:
                save_brand_voice(
                    workspace=self.workspace,
                    actor=self.user,
                    name=form.cleaned_data["name"],
                    profile=form.profile(),
                    status=form.cleaned_data["status"],
                    voice=voice,
                )
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                messages.success(request, "Brand voice saved.")
                return redirect("aiwriter:studio")
        return self.render_to_response(self.get_context_data(form=form, voice=voice), status=400)


class DeleteVoicePage(WorkspacePage):
    """Delete a brand voice."""

    permission = "draft.edit"

    def post(self, request: HttpRequest, voice_id: UUID) -> HttpResponseBase:
        """Delete it and go back."""
        delete_brand_voice(voice=get_brand_voice(self.workspace, voice_id), actor=self.user)
        messages.success(request, "Brand voice deleted.")
        return redirect("aiwriter:studio")
