"""Whether an answer has the shape that was asked for, and what to say when it has not."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

MOST_PROBLEMS_TOLD = 8


class WrongShape(Exception):
    """The answer is not what the schema asks for; `advice` tells the model why."""

    def __init__(self, text: str, error: ValidationError) -> None:
        super().__init__("the answer does not have the asked-for shape")
        self.text = text
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS_TOLD]
        )
        self.advice = f"That answer cannot be used: {problems}. Answer again with JSON of the required schema only."


def parse(text: str, schema: type[BaseModel] | None) -> BaseModel | None:
    """Return the answer as the schema's object, or None where free text was asked for.

    Servers that were only told the schema in words like to put words or a code fence around the object.

    Raises:
        WrongShape: it is something else.
    """
    if schema is None:
        return None
    start, end = text.find("{"), text.rfind("}") + 1
    try:
        return schema.model_validate_json(text[start:end] if 0 <= start < end else text)
    except ValidationError as error:
        raise WrongShape(text, error) from error
