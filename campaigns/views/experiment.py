"""The page on which an A/B test is set up: variants, the rule, and what it can be expected to show."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.permissions import role_allows
from accounts.views.access import WorkspaceTemplatePage
from campaigns.lifecycle import EDITABLE
from campaigns.models import Campaign, Experiment
from campaigns.selectors import campaigns as selectors
from campaigns.services import composing
from campaigns.views.campaigns import page_of
from campaigns.views.experiment_form import MODE_WORDS, PlanForm, VariantForm
from pulsequill.core.errors import Invalid, WrongState


def plan_of(campaign: Campaign) -> Experiment:
    """Return the stored plan, or the one that the page proposes."""
    found = Experiment.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).first()
    return found or Experiment(workspace_id=campaign.workspace_id, campaign=campaign, minimum_lift=0.2)


class ExperimentPage(WorkspaceTemplatePage):
    """Set up a test."""

    permission = "campaign.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "campaign.edit"}
    nav = "campaigns"
    template_name = "campaigns/experiment.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the plan of a draft or a scheduled campaign; what was launched is watched instead."""
        campaign = selectors.get_campaign(self.workspace, kwargs["campaign_id"])
        if campaign.status not in (*EDITABLE, Campaign.Status.SCHEDULED):
            return redirect(page_of(campaign))
        return self.render_to_response(self.get_context_data(campaign=campaign))

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Save, and add or remove a variant when that was asked."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        stored = list(campaign.variants.all())
        plan = PlanForm(request.POST, campaign=campaign, plan=plan_of(campaign))
        forms = [VariantForm(request.POST, variant=variant) for variant in stored]
        are_valid = [form.is_valid() for form in (plan, *forms)]
        if all(are_valid):
            try:
                self._save(campaign, plan, forms, request.POST.get("action", ""))
            except Invalid as refusal:
                plan.explain(refusal, forms)
            else:
                messages.success(request, "The test is saved.")
                return redirect("campaigns:experiment", campaign.pk)
        return self.render_to_response(
            self.get_context_data(campaign=campaign, plan_form=plan, variant_forms=forms), status=400
        )

    def _save(self, campaign: Campaign, plan: PlanForm, forms: list[VariantForm], action: str) -> None:
        verb, _, label = action.partition(":")
        variants = [form.as_change() for form in forms if (verb, label) != ("remove", form.variant.label)]
        if not variants:
            raise WrongState("A campaign keeps one variant at least.")
        if verb == "add":
            variants.append(_another(campaign, [change["label"] for change in variants]))
        if verb in ("add", "remove"):
            for change in variants:
                del change["share"]
        composing.update_campaign(
            campaign=campaign,
            actor=self.user,
            changes={
                "variants": variants,
                "experiment": plan.as_change(),
                "holdout_share": plan.cleaned_data["holdout_share"],
            },
            replaces_variants=True,
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the forms."""
        campaign: Campaign = kwargs["campaign"]
        variants = list(campaign.variants.all())
        for variant in variants:
            variant.workspace = self.workspace
        kwargs.setdefault("plan_form", PlanForm(campaign=campaign, plan=plan_of(campaign)))
        kwargs.setdefault("variant_forms", [VariantForm(variant=variant) for variant in variants])
        can_edit = campaign.status in EDITABLE and role_allows(self.membership.role, "campaign.edit")
        return super().get_context_data(
            variant=selectors.get_variant(campaign),
            modes=[(value, label, MODE_WORDS[value]) for value, label in Experiment.Mode.choices],
            can_edit=can_edit,
            can_add=can_edit and len(variants) < composing.MAX_VARIANTS,
            is_scheduled=campaign.status == Campaign.Status.SCHEDULED,
            **kwargs,
        )


def _another(campaign: Campaign, taken: list[str]) -> dict[str, Any]:
    """Return a further variant that begins as a copy of the first one; its share is an even one."""
    first = selectors.get_variant(campaign)
    label = next(letter for letter in "ABCD" if letter not in taken)
    content = {name: getattr(first, name) for name in ("subject", "preview_text", "format", "body", "text")}
    return {"label": label, **content, "share": 1}
