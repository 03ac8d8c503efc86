"""
Serializers whose JSON names are camelCase, translated when the class is built and not for each answer.

Declare `first_name = CharField(...)`: the client sees `firstName`, services get `first_name`.
"""

import re
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import money, texts, times
from core.api.errors import InvalidAmount, UnknownFile, ZoneRequired
from core.api.names import to_camel
from core.api.requests import Request
from core.countries import is_country


class _CamelMeta(serializers.SerializerMetaclass):
    """Renames declared fields; their `source` stays the Python name."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        for field_name in [key for key, value in attrs.items() if isinstance(value, serializers.Field)]:
            camel = to_camel(field_name)
            if camel == field_name:
                continue
            field: Any = attrs.pop(field_name)
            # Fields are copied per instance from their recorded arguments, so the Python name is recorded there.
            is_method = isinstance(field, serializers.SerializerMethodField)
            option, name_inside = ("method_name", f"get_{field_name}") if is_method else ("source", field_name)
            field._kwargs.setdefault(option, name_inside)
            setattr(field, option, field._kwargs[option])
            attrs[camel] = field
        return super().__new__(cls, name, bases, attrs)


class Serializer(serializers.Serializer[Any], metaclass=_CamelMeta):
    """The base of every …Input and …Query."""

    def to_internal_value(self, data: Any) -> Any:
        """
        Values that mean absent are removed here, for bodies and frames alike (API.md, *absent*): `null` for an
        optional member, and an empty part of a form where a file belongs. Empty text clears a member that `allow_null`.
        """
        return super().to_internal_value(self._present(data) if isinstance(data, Mapping) else data)

    def _present(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if isinstance(data, MultiValueDict):
            return _with_files_only(data, [name for name, field in self.fields.items() if takes_files(field)])
        members = dict(data)
        for name, field in self.fields.items():
            if name not in members or field.read_only:
                continue
            if members[name] is None and is_optional(field):
                del members[name]
            elif members[name] == "" and field.allow_null and not getattr(field, "allow_blank", False):
                members[name] = None
        return members


def is_optional(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    """Whether a client may leave a member out: always when only some fields of a thing are changed."""
    return not field.required or getattr(field.root, "partial", False)


def takes_files(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    """Whether a field holds a file or a list of files."""
    return isinstance(getattr(field, "child", field), serializers.FileField)


def _with_files_only(form: MultiValueDict[str, Any], names: list[str]) -> MultiValueDict[str, Any]:
    """A form without the empty parts that browsers send for a file input in which no file was chosen."""
    if not any("" in form.getlist(name) for name in names):
        return form
    present = copy(form)  # shallow: not the files
    for name in names:
        chosen = [part for part in form.getlist(name) if part != ""]
        if chosen:
            present.setlist(name, chosen)
        else:
            present.pop(name, None)
    return present


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


_TOO_MANY_MARKS = gettext_lazy("One letter has more marks on it than any writing needs.")


class LineField(serializers.CharField):
    """A title or the like: one line of any script, with plain spaces (core.texts)."""

    default_error_messages = {
        "not_one_line": gettext_lazy("Write this on one line, without control characters."),
        "shows_nothing": gettext_lazy("There is nothing to be seen in this."),
        "too_many_marks": _TOO_MANY_MARKS,
    }
    unfit, unseen, piled = "not_one_line", "shows_nothing", "too_many_marks"
    """The codes of the three refusals."""

    def to_internal_value(self, data: Any) -> str:
        line = texts.with_plain_spaces(super().to_internal_value(data))
        if not texts.is_one_line(line):
            self.fail(self.unfit)
        if line and not texts.shows_something(line):
            self.fail(self.unseen)
        if texts.has_piled_marks(line):
            self.fail(self.piled)
        return line


class ProseField(serializers.CharField):
    """Text of several lines: no control characters but line breaks and tabs."""

    default_error_messages = {
        "not_plain_text": gettext_lazy("This is not plain text."),
        "shows_nothing": gettext_lazy("There is nothing to be seen in this."),
        "too_many_marks": _TOO_MANY_MARKS,
    }

    def to_internal_value(self, data: Any) -> str:
        prose = super().to_internal_value(data).replace("\r\n", "\n")
        if not texts.is_prose(prose):
            self.fail("not_plain_text")
        if prose.strip() and not texts.shows_something(prose):
            self.fail("shows_nothing")
        if texts.has_piled_marks(prose):
            self.fail("too_many_marks")
        return prose


class IdField(serializers.UUIDField):
    """An id in a request: text in the form we give it, 8-4-4-4-12 hexadecimal digits. Never a number or a list."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid")
        return UUID(data)


class CountryField(serializers.CharField):
    """ISO 3166-1 alpha-2; gives capitals."""

    default_error_messages = {
        "invalid_country": gettext_lazy("A country is one of ISO 3166, by its two letters, such as DE.")
    }

    def to_internal_value(self, data: Any) -> str:
        code = str(super().to_internal_value(data))
        if not (code.isascii() and is_country(code.upper())):
            self.fail("invalid_country")
        return code.upper()


class TimeZoneField(serializers.CharField):
    """A name of the IANA time zone database, as it is written there."""

    default_error_messages = {
        "invalid_time_zone": gettext_lazy("A time zone is named as in the IANA database, such as Europe/Paris.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        name = str(super().to_internal_value(data))
        if name not in _time_zones():
            self.fail("invalid_time_zone")
        return name


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


class YearlyDayField(serializers.CharField):
    """A day of every year, `MM-DD`."""

    default_error_messages = {
        "invalid_yearly_day": gettext_lazy("A day of every year is written MM-DD, such as 12-31 or 06-30.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 5, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        text = str(super().to_internal_value(data))
        try:
            times.parse_day(f"2001-{text}")  # no leap year: the day is there in every year
        except ValueError:
            self.fail("invalid_yearly_day")
        return text


class MomentField(serializers.DateTimeField):
    """A moment in a request: RFC 3339 with `Z` or an offset; gives UTC."""

    default_error_messages = {
        "zone_required": ZoneRequired.message,
        "invalid": gettext_lazy("Write a moment as in 2026-12-31T23:59:59Z."),
    }

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return times.parse_moment(data if isinstance(data, str) else "")
        except ZoneRequired:
            self.fail("zone_required")
        except ValueError:
            self.fail("invalid")
        raise AssertionError("unreachable")


class DayField(serializers.DateField):
    """A day in a request: `YYYY-MM-DD`."""

    default_error_messages = {"invalid": gettext_lazy("Write a day of the calendar as in 2026-12-31.")}

    def to_internal_value(self, data: Any) -> date:
        try:
            return times.parse_day(data if isinstance(data, str) else "")
        except ValueError:
            self.fail("invalid")
            raise


_AMOUNT = {
    "oneOf": [
        {"type": "string", "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"},
        {"type": "number", "exclusiveMinimum": 0},
    ],
    "description": "Major units, exact: digits with at most the currency's decimals; a string or a plain JSON number.",
    "examples": ["1000.50"],
}


@extend_schema_field(_AMOUNT)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """An amount in major units, exact; gives a positive Decimal. `Money.of(amount, currency)` checks the rest."""

    default_error_messages = {"invalid_amount": InvalidAmount.message}

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return money.parse_decimal(data)
        except InvalidAmount:
            self.fail("invalid_amount")
            raise

    def to_representation(self, value: Any) -> str:
        return str(value)


class CurrencyField(serializers.ChoiceField):
    """An ISO 4217 code of the currencies this install takes."""

    def __init__(self, **kwargs: Any) -> None:
        from django.conf import settings

        super().__init__(choices=settings.CURRENCIES, **kwargs)


S = TypeVar("S", bound=serializers.BaseSerializer[Any])


def parse(input_class: type[S], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """
    The request's body, checked, under Python's names.

    :raises rest_framework.exceptions.ValidationError: answered as `invalid_input` with every wrong member
    :raises UnknownFile: a file came under a name that is not one of this input's files
    """
    serializer = input_class(data=request.data, partial=partial, context={"request": request})
    _refuse_unknown_files(serializer, request)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _refuse_unknown_files(serializer: Any, request: Request) -> None:
    """:raises UnknownFile: a file is refused rather than ignored: its sender believes that it arrived"""
    taken = [name for name, field in serializer.fields.items() if takes_files(field)]
    for name in request.FILES:
        # A list is also read from `media[0]`, `media[1]`, unless some came as `media` or only changes are sent.
        listed, is_indexed = _INDEXED.sub("", name), bool(_INDEXED.search(name))
        as_list = is_indexed and isinstance(serializer.fields.get(listed), serializers.ListField)
        if name in taken or (as_list and listed in taken and listed not in request.data and not serializer.partial):
            continue
        raise UnknownFile(field=name, names=", ".join(taken) or gettext("none"))


_INDEXED = re.compile(r"\[[0-9]+\]$", re.ASCII)


def parse_query(input_class: type[S], request: Request) -> dict[str, Any]:
    """The query string, checked the same way."""
    given = given_query(request)
    # The most frequent case; building a serializer for it would be slow.
    if not given and _is_optional(input_class):  # type: ignore[arg-type]
        return {}
    serializer = input_class(data=given, context={"request": request})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


@cache
def _is_optional(input_class: Any) -> bool:
    """Whether an input may be empty."""
    fields = input_class._declared_fields.values()
    return not any(field.required or field.default is not serializers.empty for field in fields)


def given_query(request: Request) -> dict[str, str]:
    """The parameters of the query string, without those left blank: they mean absent."""
    return {name: value for name, value in request.query_params.dict().items() if value.strip()}
