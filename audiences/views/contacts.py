"""The audience: a dense table with a drawer, one contact's page, adding, changing, and acting on many."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from redis.exceptions import RedisError

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from audiences import services
from audiences.exporting import contacts_csv
from audiences.forms import ContactForm, add_domain_error
from audiences.models import Contact, ContactField, ContactImport, ContactList, Segment
from audiences.selectors import (
    ContactFilter,
    count_contacts,
    get_contact_timeline,
    list_contacts,
    list_names,
    progress_of,
    with_status,
)
from audiences.selectors.counting import Count
from pulsequill.core.csv_file import csv_response
from pulsequill.core.errors import DomainError, NotFound

VIEWS = (("", "All"), ("active", "Can be mailed"), ("unsubscribed", "Unsubscribed"), ("stopped", "Suppressed"))
MAX_BULK = 200
KEEP_SECONDS = 30


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def filter_from(query: Any) -> ContactFilter:
    """Return what the address of the page asks for; what cannot be read asks for nothing."""
    known = {key for key, _label in VIEWS} | {"pending", "bounced", "complained", "suppressed"}
    status = query.get("status", "")
    return ContactFilter(
        q=query.get("q", "")[:200].strip(),
        status=status if status in known else "",
        list_id=_uuid(query.get("list", "")),
        segment_id=_uuid(query.get("segment", "")),
        value=query.get("value", "")[:80].replace("\0", ""),
    )


def _view_counts(workspace: Any) -> dict[str, Count]:
    """Return the numbers on the tabs; those of a large audience are kept for half a minute."""
    key = f"audiences:{workspace.pk}:view_counts"
    try:
        if kept := cache.get(key):
            return kept  # type: ignore[no-any-return]
    except (RedisError, OSError):
        pass  # counting again is slower, not wrong
    counts = {status: count_contacts(workspace, ContactFilter(status=status)) for status, _label in VIEWS}
    if counts[""].is_estimate:
        try:
            cache.set(key, counts, KEEP_SECONDS)
        except (RedisError, OSError):
            return counts
    return counts


class ContactListPage(WorkspaceTemplatePage):
    """The table, its filters, and the drawer of the contact that `?open=` names."""

    permission = "contact.view"
    nav = "contacts"
    template_name = "audiences/contact_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of contacts and everything around it."""
        wanted = filter_from(self.request.GET)
        query = self.request.GET.copy()
        opened = _uuid(query.pop("open", [""])[-1])
        page = list_contacts(self.workspace, wanted, query=query, address=self.request.path)
        counts = _view_counts(self.workspace)
        is_narrowed = bool(wanted.q or wanted.list_id or wanted.segment_id or wanted.value)
        shown = counts.get(wanted.status) if not is_narrowed else None
        context = super().get_context_data(
            page=page,
            wanted=wanted,
            is_narrowed=is_narrowed or bool(wanted.status),
            total=counts[""],
            shown=shown or count_contacts(self.workspace, wanted),
            tabs=[(status, label, counts[status]) for status, label in VIEWS],
            lists=list_names(self.workspace),
            segments=dict(Segment.objects.for_workspace(self.workspace).order_by("name").values_list("pk", "name")),
            keep=query.urlencode(),
            running=[progress_of(row) for row in self._running_imports()],
            **kwargs,
        )
        if opened:
            contact = Contact.objects.for_workspace(self.workspace).filter(pk=opened).first()
            if contact:
                context |= contact_context(contact)
        return context

    def _running_imports(self) -> list[ContactImport]:
        rows = ContactImport.objects.for_workspace(self.workspace).filter(
            status__in=[ContactImport.Status.QUEUED, ContactImport.Status.RUNNING]
        )
        return list(rows.order_by("-created_at")[:3])


def contact_context(contact: Contact) -> dict[str, Any]:
    """Return what the drawer and the page of a contact show."""
    with_status([contact])
    labels = dict(ContactField.objects.for_workspace(contact.workspace_id).values_list("key", "label"))
    facts = [(label, contact.attributes[key]) for key, label in labels.items() if key in contact.attributes]
    return {"contact": contact, "facts": facts, "timeline": get_contact_timeline(contact, limit=30)}


class _ContactPage(WorkspaceTemplatePage):
    nav = "contacts"

    def contact(self) -> Contact:
        """Return the contact of the address."""
        rows = Contact.objects.for_workspace(self.workspace).select_related("workspace")
        return get_object_or_404(rows, pk=self.kwargs["contact_id"])


class ContactDetailPage(_ContactPage):
    """One contact on a page of its own."""

    permission = "contact.view"
    template_name = "audiences/contact_detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the contact, its places, its proof of consent and its timeline."""
        contact = self.contact()
        consents = contact.consents.order_by("-given_at")
        return super().get_context_data(**contact_context(contact), consents=consents, **kwargs)


class ContactNewPage(WorkspaceTemplatePage):
    """Adding a contact by hand."""

    permission = "contact.edit"
    nav = "contacts"
    template_name = "audiences/contact_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add an empty form unless one was refused."""
        kwargs.setdefault("form", ContactForm(workspace=self.workspace))
        return super().get_context_data(**kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Add the contact."""
        form = ContactForm(request.POST, workspace=self.workspace)
        if form.is_valid():
            try:
                contact = services.create_contact(
                    workspace=self.workspace,
                    lists=form.cleaned_data.get("lists", ()),
                    consent_source=form.cleaned_data.get("consent_source", ""),
                    actor=self.user,
                    **form.contact_values(),
                )
            except DomainError as error:
                add_domain_error(form, error)
            else:
                messages.success(request, f"Added {contact.name}.")
                return redirect("audiences:contact_detail", contact.pk)
        return self.render_to_response(self.get_context_data(form=form), status=422)


class ContactEditPage(_ContactPage):
    """Changing a contact."""

    permission = "contact.edit"
    template_name = "audiences/contact_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the contact and its form."""
        contact = self.contact()
        with_status([contact])
        kwargs.setdefault("form", ContactForm(workspace=self.workspace, contact=contact))
        return super().get_context_data(contact=contact, **kwargs)

    def post(self, request: HttpRequest, contact_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Save the changes."""
        contact = self.contact()
        with_status([contact])
        form = ContactForm(request.POST, workspace=self.workspace, contact=contact)
        if form.is_valid():
            try:
                services.update_contact(
                    contact=contact,
                    changes=form.contact_values(),
                    lists=form.cleaned_data.get("lists"),
                    actor=self.user,
                )
            except DomainError as error:
                add_domain_error(form, error)
            else:
                messages.success(request, "Saved.")
                return redirect("audiences:contact_detail", contact.pk)
        return self.render_to_response(self.get_context_data(form=form), status=422)


class ContactActionView(_ContactPage):
    """One act on one contact: suppress, unsubscribe, delete, erase."""

    http_method_names = ["post"]
    action = ""

    def post(self, request: HttpRequest, contact_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Do it, say so, and go back to the contact, or to the table when it is gone."""
        contact = self.contact()
        words = getattr(self, f"_{self.action}")(contact)
        messages.success(request, words)
        if self.action in ("delete", "erase"):
            return redirect("audiences:contact_list")
        return redirect("audiences:contact_detail", contact.pk)

    def _suppress(self, contact: Contact) -> str:
        services.suppress_email(
            workspace=self.workspace, email=contact.email, reason="manual", source="By hand", actor=self.user
        )
        return f"{contact.email} gets no more mail."

    def _unsubscribe(self, contact: Contact) -> str:
        services.unsubscribe(contact_id=contact.pk, source=f"by {self.user}")
        return f"Unsubscribed {contact.email}."

    def _delete(self, contact: Contact) -> str:
        services.delete_contact(contact=contact, actor=self.user)
        return "Deleted the contact. Its suppression, if it had one, stays."

    def _erase(self, contact: Contact) -> str:
        services.erase_contact(contact=contact, actor=self.user)
        return "Erased everything about this person."


class ContactBulkView(WorkspacePage):
    """One act on the ticked contacts of a page."""

    permission = "contact.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Do it and go back to where the contacts were ticked."""
        ids = [pk for text in request.POST.getlist("ids")[:MAX_BULK] if (pk := _uuid(text))]
        action = request.POST.get("action", "")
        if not ids:
            messages.error(request, "Tick the contacts first.")
        elif action == "suppress":
            number = services.suppress_contacts(workspace=self.workspace, contact_ids=ids, actor=self.user)
            messages.success(request, f"Suppressed {number} of {len(ids)}; the others were already.")
        elif action in ("add_to_list", "remove_from_list"):
            messages.success(request, self._change_list(action, ids, _uuid(request.POST.get("list", ""))))
        else:
            messages.error(request, "Choose what to do.")
        back = request.POST.get("back", "")
        is_ours = url_has_allowed_host_and_scheme(back, None)
        return redirect(back if is_ours else reverse("audiences:contact_list"))

    def _change_list(self, action: str, ids: list[UUID], list_id: UUID | None) -> str:
        list_ = ContactList.objects.for_workspace(self.workspace).filter(pk=list_id).first() if list_id else None
        if list_ is None:
            raise NotFound
        if action == "add_to_list":
            number = services.add_to_list(list_=list_, contact_ids=ids, actor=self.user)
            return f"{number} joined {list_.name}; {len(ids) - number} were on it already."
        number = services.remove_from_list(list_=list_, contact_ids=ids, actor=self.user)
        return f"{number} taken off {list_.name}."


class ContactExportView(WorkspacePage):
    """The contacts of the current filter as CSV."""

    permission = "contact.view"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Stream the file."""
        return csv_response(contacts_csv(self.workspace, filter_from(request.GET)), "contacts.csv")
