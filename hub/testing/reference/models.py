"""Tables of settings from pydantic models: key, type, default, limits, meaning."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub.testing.reference.markdown import code, table

COLUMNS = ("key", "type", "default", "limits", "meaning")
KINDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "path",
}
_LONG = 60
"""Characters of a default that are shown; a longer one is described elsewhere."""
_MARKUP = re.compile(r":(?:func|class|meth):`([^`]+)`|``([^`]+)``")


def model_table(model: type[BaseModel], *, without: Sequence[str] = ()) -> str:
    """Return the fields of one settings table, with what the code says of each."""
    told = attribute_docs(model)
    rows = [
        (
            code(info.alias or key),
            kind(info.annotation),
            _default(info),
            _limits(info),
            info.description or told.get(key, ""),
        )
        for key, info in model.model_fields.items()
        if key not in without
    ]
    return table(COLUMNS, rows)


def attribute_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return what stands as a string below each field, of the model and of what it extends."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= dict(_documented(one))
    return found


def _documented(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, below in pairwise(statements):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield field.target.id, plain(str(below.value.value))


def plain(text: str) -> str:
    """Return a docstring's text as Markdown on one line."""
    return _MARKUP.sub(lambda found: f"`{found[1] or found[2]}`", " ".join(text.split()))


def inner(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the tables within a table, with the keys that hold them."""
    for key, info in model.model_fields.items():
        for part in (info.annotation, *get_args(info.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                several = part is not info.annotation
                yield f"{key}.NAME" if several else key, part


def kind(annotation: Any) -> str:
    """Return a field's type in words."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(code(one.value) for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(code(one) for one in inside)
    if origin is tuple:
        return f"list of {kind(inside[0])}s"
    if origin is not None and issubclass(origin, Mapping):
        return f"table of {kind(inside[1])}s"
    return KINDS.get(annotation, str(annotation))


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*(required)*"
    value = info.default
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple):
        value = list(value)
    if value in ("", [], {}):
        return "*(empty)*"
    if isinstance(value, bool):
        return code(str(value).lower())
    text = str(value)
    return code(text) if len(text) <= _LONG else "*(a list in the code)*"


def _limits(info: FieldInfo) -> str:
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    found = [
        f"{sign} {getattr(rule, name)}"
        for rule in info.metadata
        for name, sign in signs
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(found)
