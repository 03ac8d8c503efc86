"""Bodies in: strict JSON and bounded multipart (SECURITY-GOALS 40)."""

import codecs
import json
from typing import Any

from django.conf import settings
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser as DRFMultiPartParser

from core.api.errors import MalformedBody, TooLarge

MAX_DEPTH = 20


class NumberLiteral(str):
    """A JSON number with a fraction or exponent, kept as it was written, so that money never meets a float."""

    __slots__ = ()


def parse_json(body: bytes, *, checks_texts: bool = True) -> Any:
    """
    A JSON document: UTF-8, unique keys, depth ≤ 20, no NUL, no NaN or Infinity. Fractions stay literals.

    :param checks_texts: False where the caller looks for NUL and lone surrogates itself
    :raises MalformedBody: anything else
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody(reason="it is not UTF-8") from None
    try:
        document = json.loads(
            text, object_pairs_hook=_unique, parse_float=NumberLiteral, parse_int=_integer, parse_constant=_no_constant
        )
    except RecursionError:
        raise MalformedBody(reason=f"it is nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise MalformedBody(reason=f"{error.msg} at line {error.lineno} column {error.colno}") from None
    _check(document, 1, checks_texts)
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedBody(reason="a member name appears twice")
    return members


def _integer(literal: str) -> int:
    if len(literal) > 40:
        raise MalformedBody(reason="a number has more than 40 digits")
    return int(literal)


def _no_constant(name: str) -> Any:
    raise MalformedBody(reason=f"{name} is not JSON")


def _check(value: Any, depth: int, checks_texts: bool) -> None:
    if depth > MAX_DEPTH:
        raise MalformedBody(reason=f"it is nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        if not checks_texts:
            return
        if "\x00" in value:
            raise MalformedBody(reason="a string contains NUL")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise MalformedBody(reason="a string contains half a character (a lone surrogate)")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check(name, depth, checks_texts)
            _check(member, depth + 1, checks_texts)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth + 1, checks_texts)


class JSONParser(BaseParser):
    media_type = "application/json"
    checks_texts = True

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.body if hasattr(stream, "body") else stream.read()
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge()
        if not body.strip():
            return {}
        document = parse_json(body, checks_texts=self.checks_texts)
        if not isinstance(document, dict):
            raise MalformedBody(reason="the top level must be an object")
        return document


class EachStringParser(JSONParser):
    """
    For bodies whose parts are taken or refused one by one: a NUL or half a character refuses the part that holds it,
    which the operation sees to.
    """

    checks_texts = False


_STRICT_UTF8 = "utf8_strict"
"""Django asks a form's encoding to replace what is no UTF-8. This one refuses it, so that no text is kept in ruins."""


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != _STRICT_UTF8:
        return None
    return codecs.CodecInfo(codecs.utf_8_encode, lambda data, errors="": codecs.utf_8_decode(data, "strict", True))


codecs.register(_find_codec)


class MultiPartParser(DRFMultiPartParser):
    """Django's multipart parser, with its errors as our refusals. `core.api.bodies` limits the total size."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, {**(parser_context or {}), "encoding": _STRICT_UTF8})
        except (ParseError, MultiPartParserError) as error:
            raise MalformedBody(reason=str(error).rstrip(".").removeprefix("Multipart form parse error - ")) from None
        except UnicodeDecodeError:
            raise MalformedBody(reason="a part is not UTF-8") from None
        for _, values in data.data.lists():
            if any("\x00" in value for value in values):
                raise MalformedBody(reason="a field contains NUL")
        return data
