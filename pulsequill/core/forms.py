"""How forms look: the project's renderer and the bound field it hands out.

Every visible control gets the design system's class and the right ARIA attributes here, so `{{ form.name }}`,
`{{ form.name.as_field_group }}`, `{% form_field form.name %}` and `{{ form }}` all agree.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting

#: Controls that draw themselves: a tick is not a text box.
_NOT_A_BOX = (forms.CheckboxInput, forms.RadioSelect, forms.CheckboxSelectMultiple, forms.FileInput)

#: Django's own height of a textarea, far too tall for a note; a form that names its rows keeps them.
_DJANGOS_ROWS = "10"


class BoundField(forms.BoundField):
    """A field of a form in a page: knows its kind, its hint and its error for the templates."""

    @property
    def kind(self) -> str:
        """`check` (one tick), `choices` (a group of ticks or radios), `file` or `box`: which layout fits."""
        widget = self.field.widget
        if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            return "choices"
        if isinstance(widget, forms.CheckboxInput):
            return "check"
        return "file" if isinstance(widget, forms.FileInput) else "box"

    @property
    def hint_id(self) -> str:
        """The id of the hint under the control."""
        return f"{self.id_for_label or self.auto_id or self.html_name}_hint"

    @property
    def error_id(self) -> str:
        """The id of the error text under the control."""
        return f"{self.id_for_label or self.auto_id or self.html_name}_error"

    @property
    def hint(self) -> str:
        """The text that explains the field: what a template gave, else the field's `help_text`."""
        return getattr(self, "_hint", "") or str(self.field.help_text or "")

    def with_hint(self, hint: str) -> BoundField:
        """Use another hint than the field's `help_text`; returns the field itself."""
        self._hint = hint
        return self

    @property
    def aria_describedby(self) -> str | None:
        """Tie error and hint to the control, the error first: it is what the reader came for."""
        ids = [self.error_id] if self.errors else []
        if self.hint:
            ids.append(self.hint_id)
        return " ".join(ids) or None

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Add the `input` class and ARIA wiring to what Django computes."""
        widget = widget or self.field.widget
        built = super().build_widget_attrs(attrs, widget)
        if not isinstance(widget, _NOT_A_BOX) and not widget.is_hidden:
            own = f"{widget.attrs.get('class', '')} {built.get('class', '')}".split()
            built["class"] = " ".join(dict.fromkeys(["input", *own]))
        if isinstance(widget, forms.Textarea) and widget.attrs.get("rows") == _DJANGOS_ROWS:
            built["rows"] = "4"
        described_by = self.aria_describedby
        if described_by and not widget.is_hidden and self.kind != "choices":
            built["aria-describedby"] = described_by
        if self.errors and not widget.is_hidden:
            built["aria-invalid"] = "true"
        return built


class FormRenderer(TemplatesSetting):
    """Form templates from the project's own folder, in the look of `static/css/components/forms.css`."""

    form_template_name = "django/forms/form.html"
    field_template_name = "components/field.html"
    bound_field_class = BoundField
