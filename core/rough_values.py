"""Values in the shape of a model, unchecked: so that checks across keys can go on beside faults elsewhere."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import BaseModel


def rough(annotation: Any, value: Any) -> Any:
    """`value` as the plain type that `annotation` names, with empty ones where it is of another type.

    Models become models (what is missing has its default or is empty), lists tuples with every item in its place.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation, value if isinstance(value, dict) else {})
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return rough(arguments[0], value)
    if origin is tuple:
        return tuple(rough(arguments[0], item) for item in value) if isinstance(value, list) else ()
    if origin is dict:
        return value if isinstance(value, dict) else {}
    if origin in {typing.Union, types.UnionType}:
        return rough(next(each for each in arguments if each is not type(None)), value) if value is not None else None
    if annotation is bool:
        return value is not False
    return value if isinstance(value, str) else ""


def _model(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    given = {name: rough(field.annotation, values[name]) for name, field in model.model_fields.items() if name in values}
    needed = {name: rough(field.annotation, None) for name, field in model.model_fields.items() if field.is_required()}
    return model.model_construct(**needed | given)
