"""The import wizard: upload, map columns, run, report."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from audiences import services
from audiences.exporting import rejects_csv
from audiences.forms import ImportFileForm, add_domain_error
from audiences.importing.sniff import MAX_BYTES, MAX_ROWS
from audiences.models import ContactField, ContactImport, ContactImportReject, ContactList
from audiences.selectors import list_names, progress_of
from pulsequill.core.csv_file import csv_response
from pulsequill.core.errors import DomainError, Invalid
from pulsequill.core.keyset import paginate

PROPERTY_LABELS = (
    ("email", "Email"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("time_zone", "Time zone"),
)
SHOWN_REJECTS = 20
NEW_LIST = "new"


class ImportListPage(WorkspaceTemplatePage):
    """All imports, the newest first."""

    permission = "import.view"
    nav = "imports"
    template_name = "audiences/import_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of imports."""
        rows = ContactImport.objects.for_workspace(self.workspace).select_related("list", "created_by")
        page = paginate(rows, query=self.request.GET, address=self.request.path)
        return super().get_context_data(page=page, **kwargs)


class ImportNewPage(WorkspaceTemplatePage):
    """Step one: the file."""

    permission = "import.edit"
    nav = "imports"
    template_name = "audiences/import_new.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form and the limits."""
        kwargs.setdefault("form", ImportFileForm())
        return super().get_context_data(max_megabytes=MAX_BYTES // 1024**2, max_rows=MAX_ROWS, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Take the file and go on to its columns; a script gets addresses and refusals as JSON."""
        form = ImportFileForm(request.POST, request.FILES)
        is_script = request.headers.get("Accept", "").startswith("application/json")
        if form.is_valid():
            try:
                contact_import = services.upload_import(
                    workspace=self.workspace, file=form.cleaned_data["file"], actor=self.user
                )
            except DomainError as error:
                add_domain_error(form, error)
            else:
                address = reverse("audiences:import_detail", args=[contact_import.pk])
                return JsonResponse({"url": address}, status=201) if is_script else redirect(address)
        if is_script:
            return JsonResponse({"detail": next(iter(form.errors.values()))[0]}, status=400)
        return self.render_to_response(self.get_context_data(form=form), status=422)


class _ImportPage(WorkspaceTemplatePage):
    nav = "imports"
    permission = "import.view"

    def contact_import(self) -> ContactImport:
        """Return the import of the address."""
        rows = ContactImport.objects.for_workspace(self.workspace).select_related("list", "workspace")
        return get_object_or_404(rows, pk=self.kwargs["import_id"])


class ImportDetailPage(_ImportPage):
    """Step two (columns and options), then progress and report, by the import's status."""

    permission_by_method: ClassVar[dict[str, str]] = {"POST": "import.edit"}

    def get_template_names(self) -> list[str]:
        """Return the template of the step."""
        return [self.template]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the step that the import is at."""
        contact_import = self.contact_import()
        if contact_import.status == ContactImport.Status.MAPPING:
            return self._mapping(contact_import)
        self.template = "audiences/import_detail.html"
        rejects = ContactImportReject.objects.filter(contact_import=contact_import).order_by("row_number")
        return self.render_to_response(
            self.get_context_data(
                job=contact_import,
                progress=progress_of(contact_import),
                rejects=rejects[:SHOWN_REJECTS],
                can_undo=contact_import.status in ("done", "failed", "cancelled"),
            )
        )

    def _mapping(self, contact_import: ContactImport, *, status: int = 200, **more: Any) -> HttpResponseBase:
        self.template = "audiences/import_mapping.html"
        fields = list(ContactField.objects.for_workspace(self.workspace).order_by("label").values_list("key", "label"))
        known = {key for key, _label in (*PROPERTY_LABELS, *fields)}
        chosen = more.pop("chosen", contact_import.mapping)
        columns = [
            {
                **column,
                "choice": chosen.get(column["name"], ""),
                "offers_new": column["new_key"] not in known,
                "percent": round(column["confidence"] * 100),
            }
            for column in contact_import.columns
        ]
        return self.render_to_response(
            self.get_context_data(
                job=contact_import,
                columns=columns,
                properties=PROPERTY_LABELS,
                fields=fields,
                lists=list_names(self.workspace),
                delimiter={",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(
                    contact_import.delimiter, contact_import.delimiter
                ),
                **more,
            ),
            status=status,
        )

    def post(self, request: HttpRequest, import_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Start the import with the chosen columns and options."""
        contact_import = self.contact_import()
        mapping = {
            column["name"]: target
            for index, column in enumerate(contact_import.columns)
            if (target := request.POST.get(f"column_{index}", "")[:40])
        }
        consent = request.POST.get("consent_source", "").strip()[:120]
        try:
            list_ = self._chosen_list(request)
            if list_ and not consent:
                raise Invalid("Say where these people agreed to get mail: without consent they cannot be on a list.")
            services.start_mapped_import(
                contact_import=contact_import,
                mapping=mapping,
                list_=list_,
                update_existing="update_existing" in request.POST,
                consent_source=consent,
                actor=self.user,
            )
        except Invalid as error:
            return self._mapping(
                contact_import,
                status=422,
                chosen=mapping,
                problem=error.detail,
                consent=consent,
                chosen_list=request.POST.get("list", ""),
                new_list=request.POST.get("new_list", "")[:120],
            )
        return redirect("audiences:import_detail", contact_import.pk)

    def _chosen_list(self, request: HttpRequest) -> ContactList | None:
        choice = request.POST.get("list", "")
        if not choice:
            return None
        if choice == NEW_LIST:
            name = request.POST.get("new_list", "")[:120].replace("\0", "").strip()
            existing = ContactList.objects.for_workspace(self.workspace).filter(name=name).first()
            return existing or services.create_list(workspace=self.workspace, name=name, actor=self.user)
        try:
            found = ContactList.objects.for_workspace(self.workspace).filter(pk=UUID(choice)).first()
        except ValueError:
            found = None
        if found is None:
            raise Invalid("Choose a list.")
        return found


class ImportProgressView(_ImportPage):
    """The figures, for a page whose socket is away."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Answer in JSON, as the socket's frames."""
        return JsonResponse({"type": "import", **progress_of(self.contact_import())})


class ImportRejectsView(_ImportPage):
    """The rows that were not taken."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Stream them as CSV with a reason each."""
        contact_import = self.contact_import()
        return csv_response(rejects_csv(contact_import), f"rejects-{contact_import.pk}.csv")


class ImportActionView(WorkspacePage):
    """Cancelling or undoing."""

    permission = "import.edit"
    http_method_names = ["post"]
    action = ""

    def post(self, request: HttpRequest, import_id: UUID) -> HttpResponseBase:
        """Do it and go back to the import."""
        rows = ContactImport.objects.for_workspace(self.workspace).select_related("workspace")
        contact_import = get_object_or_404(rows, pk=import_id)
        if self.action == "cancel":
            services.cancel_import(contact_import=contact_import, actor=self.user)
            messages.success(request, "Stopping after the rows under way. What is stored stays.")
        else:
            services.undo_import(contact_import=contact_import, actor=self.user)
            messages.success(request, "Taking the import back.")
        return redirect("audiences:import_detail", import_id)
