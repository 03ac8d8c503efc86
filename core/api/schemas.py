"""
JSON Schema of outputs, for the OpenAPI and the AsyncAPI document.

msgspec makes schemas itself (`msgspec.json.schema_components`), with two differences from what our documents promise:
it calls a member with a default optional, though the answer always has it, and it names classes of one name by their
whole module path. This is made from what `msgspec.inspect` says of a type.
"""

from collections.abc import Iterator
from enum import Enum
from functools import cache
from inspect import cleandoc
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec.inspect as mi
from msgspec import NODEFAULT

REF = "#/components/schemas/{}"
Schema = dict[str, Any]


def schema(shape: Any) -> Schema:
    """The schema of a type, or of a union of outputs; outputs and enums are referred to as components."""
    return _union([_schema(info) for info in _infos(shape)])


def components(shape: Any) -> dict[str, Schema]:
    """Every component that `schema(shape)` refers to, and those that these refer to, by name."""
    found: dict[str, Schema] = {}
    waiting = _infos(shape)
    while waiting:
        for info in _named_in(waiting.pop()):
            name = name_of(info.cls)
            if name not in found:
                found[name] = _component(info)
                if isinstance(info, mi.StructType):
                    waiting += [field.type for field in info.fields]
    return found


def _infos(shape: Any) -> list[mi.Type]:
    """msgspec itself knows unions of structs only where a tag distinguishes them."""
    return [mi.type_info(part) for part in parts_of(shape)]


def parts_of(shape: Any) -> list[Any]:
    """The types of a union, or the one type."""
    return list(get_args(shape)) if get_origin(shape) in (Union, UnionType) else [shape]


@cache
def name_of(cls: Any) -> str:
    """
    The component's name: `CampaignCard`, `CampaignCardPage` for `Page[CampaignCard]`, `PaymentMethodType` for an enum
    `Type` inside of `PaymentMethod`, and `CampaignStatus` for `Status` of the app `campaigns`.
    """
    if get_origin(cls) is not None:
        return "".join(name_of(argument) for argument in get_args(cls)) + name_of(get_origin(cls))
    name: str = cls.__qualname__.rpartition("<locals>.")[2].replace(".", "")
    if issubclass(cls, Enum) and "." not in cls.__qualname__:
        owner = cls.__module__.partition(".")[0].removesuffix("s").capitalize()
        return name if name.startswith(owner) else owner + name
    return str(name)


def _named_in(info: mi.Type) -> Iterator[Any]:
    """The structs and enums of a type, without those that are members of its structs."""
    match info:
        case mi.StructType() | mi.EnumType():
            yield info
        case mi.CustomType() if issubclass(info.cls, Enum):
            yield info
        case mi.Metadata():
            yield from _named_in(info.type)
        case mi.UnionType():
            for part in info.types:
                yield from _named_in(part)
        case mi.CollectionType():
            yield from _named_in(info.item_type)
        case mi.DictType():
            yield from _named_in(info.value_type)


def _component(info: Any) -> Schema:
    own = cleandoc((get_origin(info.cls) or info.cls).__dict__.get("__doc__") or "").replace("\n", " ")
    if not isinstance(info, mi.StructType):
        return {"type": "string", "enum": [member.value for member in info.cls]}
    words: Schema = {"description": own} if own else {}
    always = [field.encode_name for field in info.fields if not _is_left_out(field)]
    members = {field.encode_name: _schema(field.type) for field in info.fields}
    if info.tag_field:  # of a frame: its type
        members, always = {info.tag_field: {"const": info.tag}, **members}, [info.tag_field, *always]
    return {"type": "object", **words, "properties": members, **({"required": always} if always else {})}


def _is_left_out(field: mi.Field) -> bool:
    """Whether the member is UNSET unless it is given; `msgspec.inspect` does not show its `UnsetType`."""
    return not field.required and field.default is NODEFAULT and field.default_factory is NODEFAULT


def _schema(info: mi.Type) -> Schema:  # noqa: C901  (one case for each kind of member)
    match info:
        case mi.StructType() | mi.EnumType():
            return {"$ref": REF.format(name_of(info.cls))}
        case mi.CustomType() if issubclass(info.cls, Enum):  # those of Django have a metaclass of their own
            return {"$ref": REF.format(name_of(info.cls))}
        case mi.Metadata():
            return _with(_schema(info.type), info.extra_json_schema or {})
        case mi.UnionType():
            return _union([_schema(part) for part in info.types])
        case mi.CollectionType():
            return {"type": "array", "items": _schema(info.item_type), **_bounds(info, "Items")}
        case mi.DictType():
            return {"type": "object", "additionalProperties": _schema(info.value_type) or True}
        case mi.LiteralType():
            kind = "string" if isinstance(info.values[0], str) else "integer"
            return {"type": kind, "enum": list(info.values)}
        case mi.AnyType():
            return {}
        case mi.NoneType():
            return {"type": "null"}
        case mi.BoolType():
            return {"type": "boolean"}
        case mi.IntType():
            return {"type": "integer", **_range(info)}
        case mi.FloatType():
            return {"type": "number", **_range(info)}
        case mi.StrType():
            pattern = {"pattern": info.pattern} if info.pattern else {}
            return {"type": "string", **_bounds(info, "Length"), **pattern}
        case mi.UUIDType():
            return {"type": "string", "format": "uuid"}
        case mi.DateTimeType():
            return {"type": "string", "format": "date-time"}
        case mi.DateType():
            return {"type": "string", "format": "date"}
    raise TypeError(f"{info} has no form in an answer; money goes out as text")


def _with(inner: Schema, words: Schema) -> Schema:
    """Beside a `$ref` a description alone may stand; generators of clients read nothing else there."""
    return {**inner, **words}


def _union(parts: list[Schema]) -> Schema:
    if len(parts) == 1:
        return parts[0]
    rest = [part for part in parts if part != {"type": "null"}]
    if len(rest) == 1 and len(parts) == 2 and "type" in rest[0] and "enum" not in rest[0]:
        return {**rest[0], "type": [rest[0]["type"], "null"]}
    return {"oneOf": [*rest, *([{"type": "null"}] if len(rest) < len(parts) else [])]}


def _bounds(info: Any, what: str) -> Schema:
    named = {f"min{what}": info.min_length, f"max{what}": info.max_length}
    return {name: bound for name, bound in named.items() if bound is not None}


def _range(info: Any) -> Schema:
    return {name: bound for name, bound in (("minimum", info.ge), ("maximum", info.le)) if bound is not None}
