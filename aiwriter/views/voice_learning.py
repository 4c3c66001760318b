"""Learning a voice: choosing and adding samples, and watching the run until its proposal is there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, is_htmx
from aiwriter.forms import LearnForm
from aiwriter.gateway.keys import providers_for
from aiwriter.models import BrandSample, BrandVoice, Generation
from aiwriter.selectors import get_generation
from aiwriter.services.samples import MOST_AT_ONCE, add_file, add_sample, learn_voice, remove_sample
from aiwriter.voice.files import ENDINGS, MOST_BYTES
from pulsequill.core.errors import DomainError, NotFound


class LearnVoicePage(WorkspaceTemplatePage):
    """Choose stored samples, paste texts, upload files, and ask for the voice in them."""

    permission = "draft.view"
    permission_by_method = {"POST": "draft.edit"}
    nav = "ai"
    template_name = "aiwriter/voice_learn.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the stored samples, those chosen before marked."""
        chosen = set(kwargs.pop("chosen", None) or self.request.GET.getlist("sample"))
        samples = [
            (sample, str(sample.pk) in chosen)
            for sample in BrandSample.objects.for_workspace(self.workspace).order_by("-created_at")
        ]
        return super().get_context_data(
            **{
                "form": LearnForm(initial={"name": self.request.GET.get("name", "")}),
                "samples": samples,
                "has_model": bool(providers_for(self.workspace.pk)),
                "endings": ",".join(ENDINGS),
                "most_at_once": MOST_AT_ONCE,
                "most_megabytes": MOST_BYTES // 1_000_000,
                **kwargs,
            }
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store what came, then learn; what is wrong with a text or a file is said and nothing is learned."""
        form = LearnForm(request.POST)
        chosen = list(request.POST.getlist("sample"))
        if form.is_valid():
            chosen += self._taken_in(form, request)
            if not form.errors:
                try:
                    generation = learn_voice(
                        workspace=self.workspace, actor=self.user, name=form.cleaned_data["name"], samples=_ids(chosen)
                    )
                except NotFound:
                    raise
                except DomainError as error:
                    form.add_error(None, error.detail)
                else:
                    return redirect("aiwriter:voice_learning", generation.pk)
        return self.render_to_response(self.get_context_data(form=form, chosen=chosen), status=400)

    def _taken_in(self, form: LearnForm, request: HttpRequest) -> list[str]:
        """Return the ids of samples made from what was pasted and uploaded; refusals become errors of the form."""
        kept: list[str] = []
        try:
            kept += [
                str(add_sample(workspace=self.workspace, actor=self.user, text=text).pk)
                for text in filter(None, form.pasted_texts())
            ]
        except DomainError as error:
            form.add_error("pasted", error.detail)
        for file in request.FILES.getlist("files")[:MOST_AT_ONCE]:
            content = file.read(MOST_BYTES + 1)
            try:
                sample = add_file(workspace=self.workspace, actor=self.user, name=file.name or "", content=content)
            except DomainError as error:
                form.add_error(None, f"{file.name}: {error.detail}")
            else:
                kept.append(str(sample.pk))
        return kept


def _ids(chosen: list[str]) -> list[UUID]:
    """Return ids that came with a form.

    Raises:
        NotFound: one of them is none.
    """
    try:
        return [UUID(one) for one in chosen]
    except ValueError as error:
        raise NotFound from error


class LearningPage(WorkspaceTemplatePage):
    """The run that reads the samples: waits, then leads to the proposal."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/voice_learning.html"

    def get(self, request: HttpRequest, *_args: Any, generation_id: UUID, **kwargs: Any) -> HttpResponseBase:
        """Show how far it is; once the proposal is there, go to it."""
        generation = get_generation(self.workspace, generation_id)
        if generation.kind != Generation.Kind.VOICE:
            raise NotFound
        proposal = BrandVoice.objects.for_workspace(self.workspace).filter(generation=generation).first()
        if proposal is None:
            return self.render_to_response(self.get_context_data(generation=generation, **kwargs))
        if is_htmx(request):
            address = reverse("aiwriter:voice_detail", args=[proposal.pk])
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return redirect("aiwriter:voice_detail", proposal.pk)


class SampleDelete(WorkspacePage):
    """Forget a sample."""

    permission = "draft.edit"

    def post(self, request: HttpRequest, sample_id: UUID) -> HttpResponseBase:
        """Remove it and go back."""
        sample = BrandSample.objects.for_workspace(self.workspace).filter(pk=sample_id).first()
        if sample is None:
            raise NotFound
        remove_sample(sample=sample, actor=self.user)
        messages.success(request, "Sample removed. Voices that were learned from it stay.")
        return redirect("aiwriter:voice_learn")
