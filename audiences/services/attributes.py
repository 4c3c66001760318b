"""Custom values: known keys, right types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from audiences.importing.values import MAX_VALUE
from audiences.models import ContactField
from pulsequill.core.errors import FieldError, Invalid

Type = ContactField.Type


def clean_attributes(workspace: Any, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they are stored; None (or an empty text) stands for "remove".

    Raises:
        Invalid: an unknown key or a value of the wrong type, each with its path `attributes.<key>`.
    """
    types = dict(ContactField.objects.for_workspace(workspace).values_list("key", "type"))
    clean: dict[str, Any] = {}
    faults: list[FieldError] = []
    for key, value in attributes.items():
        path = f"attributes.{key}"[:120]
        if key not in types:
            faults.append(FieldError(path, "unknown_field", "There is no such field; add it first."))
        elif value is None or value == "":
            clean[key] = None
        elif detail := _fault(types[key], value):
            faults.append(FieldError(path, "invalid", detail))
        else:
            clean[key] = value
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
    return clean


def _fault(type_name: str, value: Any) -> str:
    if type_name == Type.TEXT:
        ok = isinstance(value, str) and len(value) <= MAX_VALUE and "\0" not in value
        return "" if ok else f"Expected a text of at most {MAX_VALUE:,} characters."
    if type_name == Type.NUMBER:
        ok = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if ok and math.isfinite(value) and abs(value) < 1e30 else "Expected a number."
    if type_name == Type.BOOLEAN:
        return "" if isinstance(value, bool) else "Expected true or false."
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return "Expected a date such as 2026-11-23."
    return "" if len(value) == 10 else "Expected a date such as 2026-11-23."
