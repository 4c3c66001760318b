"""Segments: a tree of rules about a contact, compiled to a safe SQL condition.

Grammar (JSON)::

    node       = {"all": [node, ...]} | {"any": [node, ...]} | {"not": node} | condition
    condition  = {"field": key, "op": operator, "value": ...}          a property or custom field of the contact
               | {"list": list id, "op": "is_on" | "is_not_on"}        an active subscription
               | {"engagement": "opened" | "clicked" | "sent", "op": operator, "value": days}
               | {"campaign": campaign id, "op": operator}             what became of one campaign's mail

The operators of each type stand in `operators.OPERATORS`. Values only ever travel as query parameters.
"""

from audiences.segmentation.compiler import Compiled, compile_rules, leaf_conditions, missing_part
from audiences.segmentation.fields import BUILT_IN_FIELDS, Field, fields_of
from audiences.segmentation.grammar import MAX_CONDITIONS, MAX_DEPTH, validate_rules
from audiences.segmentation.mailings import Mailings, campaign_names, register_mailings
from audiences.segmentation.operators import OPERATORS
from audiences.segmentation.words import describe

__all__ = [
    "BUILT_IN_FIELDS",
    "MAX_CONDITIONS",
    "MAX_DEPTH",
    "OPERATORS",
    "Compiled",
    "Field",
    "Mailings",
    "campaign_names",
    "compile_rules",
    "describe",
    "fields_of",
    "leaf_conditions",
    "missing_part",
    "register_mailings",
    "validate_rules",
]
