"""What recipes, experiments, profiles, studies and records are: frozen, validated values."""

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from digits.errors import InputError


class Value(BaseModel):
    """A frozen, validated value: unknown fields, wrong types and wrong ranges are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _one_sentence(cls, fields, handler):
        try:
            return handler(fields)
        except ValidationError as error:
            raise InputError(explain(cls.__name__, error)) from None


def explain(name: str, error: ValidationError) -> str:
    """Tell the first fault that pydantic found in one sentence, with the field and its value."""
    fault = error.errors()[0]
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{name} has no field {field!r}: remove it or correct its spelling."
    if fault["type"] == "missing":
        return f"{name} needs the field {field!r}, which is missing."
    if fault["type"] == "json_invalid":
        return f"{name}: {fault['msg']}."
    return f"{field} = {fault['input']!r} is not allowed: {fault['msg']}."
