"""API keys and webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from accounts.forms import ApiKeyForm, WebhookForm
from accounts.models import ApiKey, WebhookAttempt, WebhookEndpoint
from accounts.services import api_keys, webhooks
from accounts.views.access import WorkspacePage
from accounts.views.settings.base import SettingsFormPage, SettingsPage
from pulsequill.core.keyset import paginate


class ApiKeys(SettingsFormPage):
    """`/settings/api-keys`: a new key's text is in the answer to its making, and nowhere else."""

    template_name = "accounts/settings/api_keys.html"
    tab = "api-keys"
    permission = "api_key.view"
    permission_by_method = {"POST": "api_key.edit"}
    form_class = ApiKeyForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the keys, the live ones first."""
        keys = ApiKey.objects.for_workspace(self.workspace).select_related("created_by").order_by("-created_at")[:200]
        return super().get_context_data(keys=sorted(keys, key=lambda key: key.revoked_at is not None), **kwargs)

    def accept(self, form: ApiKeyForm) -> HttpResponseBase:
        """Make the key and show it once."""
        days = form.cleaned_data["expires_in_days"]
        key, text = api_keys.create_api_key(
            workspace=self.workspace,
            actor=self.user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        context = self.get_context_data(form=self.make_form(), new_key=key, new_key_text=text)
        return self.render_to_response(context, headers={"Cache-Control": "no-store"})


class RevokeApiKey(WorkspacePage):
    """`/settings/api-keys/<id>/revoke`."""

    permission = "api_key.edit"

    def post(self, request: HttpRequest, id: UUID) -> HttpResponseBase:  # noqa: A002 - the address' own name
        """End a key at once."""
        key = get_object_or_404(ApiKey.objects.for_workspace(self.workspace).select_related("workspace"), pk=id)
        api_keys.revoke_api_key(key=key, actor=self.user)
        messages.success(request, f"The key {key.name} has ended.")
        return redirect("accounts:settings_api_keys")


class Webhooks(SettingsFormPage):
    """`/settings/webhooks`: a new endpoint's secret is shown once."""

    template_name = "accounts/settings/webhooks.html"
    tab = "webhooks"
    permission = "webhook.view"
    permission_by_method = {"POST": "webhook.edit"}
    form_class = WebhookForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the endpoints."""
        endpoints = WebhookEndpoint.objects.for_workspace(self.workspace).order_by("created_at")
        return super().get_context_data(endpoints=endpoints, **kwargs)

    def accept(self, form: WebhookForm) -> HttpResponseBase:
        """Make the endpoint."""
        endpoint, secret = webhooks.create_endpoint(workspace=self.workspace, actor=self.user, **form.cleaned_data)
        context = self.get_context_data(form=self.make_form(), new_endpoint=endpoint, new_secret=secret)
        return self.render_to_response(context, headers={"Cache-Control": "no-store"})


class _EndpointPage(WorkspacePage):
    """One endpoint of the workspace."""

    permission = "webhook.edit"

    def get_endpoint(self) -> WebhookEndpoint:
        """Return the endpoint of the address, or 404."""
        rows = WebhookEndpoint.objects.for_workspace(self.workspace).select_related("workspace")
        return get_object_or_404(rows, pk=self.kwargs["id"])


class WebhookDetail(_EndpointPage, SettingsPage):
    """`/settings/webhooks/<id>`: the delivery log, and a new secret when one was asked for."""

    template_name = "accounts/settings/webhook.html"
    tab = "webhooks"
    permission = "webhook.view"
    permission_by_method = {"POST": "webhook.edit"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the endpoint and a page of its log."""
        endpoint = self.get_endpoint()
        page = paginate(
            WebhookAttempt.objects.for_workspace(self.workspace).filter(endpoint=endpoint),
            query=self.request.GET,
            address=self.request.path,
        )
        return super().get_context_data(endpoint=endpoint, page=page, **kwargs)

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Rotate the secret and show the new one once."""
        secret = webhooks.rotate_secret(endpoint=self.get_endpoint(), actor=self.user)
        return self.render_to_response(self.get_context_data(new_secret=secret), headers={"Cache-Control": "no-store"})


class TestWebhook(_EndpointPage):
    """`/settings/webhooks/<id>/test`."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:
        """Send a test event."""
        endpoint = self.get_endpoint()
        webhooks.send_test_event(endpoint=endpoint)
        messages.success(request, "A test event is on its way.")
        return redirect("accounts:settings_webhook", id=endpoint.pk)


class ToggleWebhook(_EndpointPage):
    """`/settings/webhooks/<id>/toggle`: off and on again."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:
        """Switch it."""
        endpoint = self.get_endpoint()
        webhooks.update_endpoint(endpoint=endpoint, actor=self.user, is_active=not endpoint.is_active)
        messages.success(request, "The webhook is on." if endpoint.is_active else "The webhook is off.")
        return redirect("accounts:settings_webhook", id=endpoint.pk)


class DeleteWebhook(_EndpointPage):
    """`/settings/webhooks/<id>/delete`."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:
        """Remove it with its log."""
        webhooks.delete_endpoint(endpoint=self.get_endpoint(), actor=self.user)
        messages.success(request, "The webhook was removed.")
        return redirect("accounts:settings_webhooks")


class Redeliver(WorkspacePage):
    """`/settings/webhooks/attempts/<id>/redeliver`."""

    permission = "webhook.edit"

    def post(self, request: HttpRequest, id: UUID) -> HttpResponseBase:  # noqa: A002
        """Send an event once more."""
        attempt = get_object_or_404(
            WebhookAttempt.objects.for_workspace(self.workspace).select_related("endpoint"), pk=id
        )
        webhooks.redeliver(attempt=attempt)
        messages.success(request, "The event is on its way again.")
        return redirect("accounts:settings_webhook", id=attempt.endpoint_id)
