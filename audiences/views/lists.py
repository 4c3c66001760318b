"""Lists, custom fields and suppressions."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from audiences import services
from audiences.forms import (
    SUPPRESSION_REASONS,
    ContactFieldForm,
    ContactListForm,
    SuppressionForm,
    add_domain_error,
)
from audiences.models import ContactField, ContactList, Suppression
from audiences.selectors import count_by_list, count_suppressions
from pulsequill.core.errors import DomainError
from pulsequill.core.keyset import paginate


class ListListPage(WorkspaceTemplatePage):
    """All lists with their counts, and the custom fields."""

    permission = "contact.view"
    nav = "lists"
    template_name = "audiences/list_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add lists with counts (one query for all of them) and fields."""
        counts = count_by_list(self.workspace)
        lists = [
            (list_, counts.get(list_.pk, {}))
            for list_ in ContactList.objects.for_workspace(self.workspace).order_by("name")
        ]
        fields = ContactField.objects.for_workspace(self.workspace).order_by("label")
        return super().get_context_data(lists=lists, fields=fields, **kwargs)


class ListFormPage(WorkspaceTemplatePage):
    """Adding or changing a list."""

    permission = "contact.edit"
    nav = "lists"
    template_name = "audiences/list_form.html"

    def _list(self) -> ContactList | None:
        if "list_id" not in self.kwargs:
            return None
        rows = ContactList.objects.for_workspace(self.workspace).select_related("workspace")
        return get_object_or_404(rows, pk=self.kwargs["list_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the list and its form."""
        list_ = self._list()
        if "form" not in kwargs:
            names = ("name", "description", "is_double_opt_in")
            kwargs["form"] = ContactListForm(initial={name: getattr(list_, name) for name in names} if list_ else None)
        return super().get_context_data(list=list_, **kwargs)

    def post(self, request: HttpRequest, list_id: UUID | None = None) -> HttpResponseBase:  # noqa: ARG002
        """Save."""
        form, list_ = ContactListForm(request.POST), self._list()
        if form.is_valid():
            try:
                if list_:
                    services.update_list(list_=list_, changes=form.cleaned_data, actor=self.user)
                else:
                    services.create_list(workspace=self.workspace, actor=self.user, **form.cleaned_data)
            except DomainError as error:
                add_domain_error(form, error)
            else:
                messages.success(request, "Saved the list.")
                return redirect("audiences:list_list")
        return self.render_to_response(self.get_context_data(form=form), status=422)


class ListDeleteView(WorkspacePage):
    """Deleting a list."""

    permission = "contact.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, list_id: UUID) -> HttpResponseBase:
        """Delete it; its contacts stay."""
        rows = ContactList.objects.for_workspace(self.workspace).select_related("workspace")
        list_ = get_object_or_404(rows, pk=list_id)
        services.delete_list(list_=list_, actor=self.user)
        messages.success(request, f"Deleted {list_.name}. Its contacts are still in your audience.")
        return redirect("audiences:list_list")


class FieldFormPage(WorkspaceTemplatePage):
    """Adding a custom field."""

    permission = "contact.edit"
    nav = "lists"
    template_name = "audiences/field_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add an empty form unless one was refused."""
        kwargs.setdefault("form", ContactFieldForm())
        return super().get_context_data(**kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Add the field."""
        form = ContactFieldForm(request.POST)
        if form.is_valid():
            try:
                services.create_field(workspace=self.workspace, actor=self.user, **form.cleaned_data)
            except DomainError as error:
                add_domain_error(form, error)
            else:
                messages.success(request, "Added the field.")
                return redirect("audiences:list_list")
        return self.render_to_response(self.get_context_data(form=form), status=422)


class FieldDeleteView(WorkspacePage):
    """Deleting a custom field."""

    permission = "contact.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, field_id: UUID) -> HttpResponseBase:
        """Delete it and every contact's value of it."""
        rows = ContactField.objects.for_workspace(self.workspace).select_related("workspace")
        field = get_object_or_404(rows, pk=field_id)
        services.delete_field(field=field, actor=self.user)
        messages.success(request, f"Deleted {field.label}.")
        return redirect("audiences:list_list")


class SuppressionListPage(WorkspaceTemplatePage):
    """Addresses that no campaign reaches."""

    permission = "contact.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "contact.edit"}
    nav = "contacts"
    template_name = "audiences/suppression_list.html"

    def _rows(self) -> QuerySet[Suppression]:
        rows = Suppression.objects.for_workspace(self.workspace)
        if (reason := self.request.GET.get("reason", "")) in dict(SUPPRESSION_REASONS):
            rows = rows.filter(reason=reason)
        if q := self.request.GET.get("q", "").replace("\0", "").strip().lower()[:200]:
            rows = rows.filter(email_normalized__startswith=q)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of rows, the tabs and the form."""
        counts = count_suppressions(self.workspace)
        kwargs.setdefault("form", SuppressionForm())
        return super().get_context_data(
            page=paginate(self._rows(), query=self.request.GET, address=self.request.path),
            tabs=[(reason, label, counts.get(reason, 0)) for reason, label in SUPPRESSION_REASONS],
            total=sum(counts.values()),
            reason=self.request.GET.get("reason", ""),
            q=self.request.GET.get("q", ""),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Suppress an address by hand."""
        form = SuppressionForm(request.POST)
        if form.is_valid():
            try:
                services.suppress_email(
                    workspace=self.workspace,
                    email=form.cleaned_data["email"],
                    reason="manual",
                    source=form.cleaned_data["note"] or "By hand",
                    actor=self.user,
                )
            except DomainError as error:
                add_domain_error(form, error)
            else:
                messages.success(request, "Suppressed.")
                return redirect("audiences:suppression_list")
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SuppressionLiftView(WorkspacePage):
    """Allowing an address again."""

    permission = "contact.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, suppression_id: UUID) -> HttpResponseBase:
        """Lift it, unless the person themselves said no."""
        rows = Suppression.objects.for_workspace(self.workspace).select_related("workspace")
        row = get_object_or_404(rows, pk=suppression_id)
        services.lift_suppression(suppression=row, actor=self.user)
        messages.success(request, f"{row.email_normalized} may be mailed again.")
        return redirect("audiences:suppression_list")
