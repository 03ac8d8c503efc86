"""
`@operation`: declares what an operation of the API takes and answers, beside its handler.

    @operation("withdrawInvestment", WithdrawInput, returns=WithdrawalOutput, errors=[WithdrawalTooLarge])
    def withdraw(self, request, investment_id, data):
        '''Withdraw from an investment'''
        return WithdrawalOutput.of(...)

The body and the query are checked before the handler is called, and what it returns is answered. `core.api.openapi`
reads the rest into the API document; `core.testing` compares every answer with it. See docs/answers.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc, signature
from typing import Any, TypeVar, get_origin

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from core.api import limits
from core.api.errors import Refusal
from core.api.outputs import DEFAULT_LIMIT, Page
from core.api.schemas import parts_of
from core.api.serializers import AmountField, Serializer, parse, parse_query

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The arguments of `@operation`; the handler has them as `handler.operation`."""

    id: str
    summary: str
    description: str
    input: Any
    query: type[Serializer] | None
    returns: Any
    status: int
    also: Mapping[int, str]
    errors: tuple[type[Refusal], ...]
    errors_from: Callable[[], Sequence[type[Refusal]]] | None
    parameters: Sequence[OpenApiParameter]
    default_limit: int
    files: Sequence[str]
    multipart: bool
    takes_video: bool
    partial: bool
    etag: bool
    limited: bool
    may_sign_in: bool

    @property
    def is_page(self) -> bool:
        shapes = [get_origin(part) or part for part in parts_of(self.returns)]
        return any(isinstance(shape, type) and issubclass(shape, Page) for shape in shapes)

    @property
    def largest_form(self) -> int:
        """Bytes of a form that it takes; 0 if it takes no files."""
        if self.takes_video:
            return int(settings.UPLOAD_MAX_VIDEO_BODY_SIZE)
        return int(settings.UPLOAD_MAX_BODY_SIZE) if self.multipart else 0

    @property
    def takes_amount(self) -> bool:
        return any(isinstance(field, AmountField) for field in getattr(self.input, "_declared_fields", {}).values())

    @property
    def refusals(self) -> tuple[type[Refusal], ...]:
        """Its own; those of permissions, input, pages and idempotency come with them in the document."""
        return (*self.errors, *(self.errors_from() if self.errors_from else ()))


def operation(
    id: str,
    input: Any = None,
    *,
    returns: Any = None,
    query: type[Serializer] | None = None,
    status: int = 200,
    also: Mapping[int, str] | None = None,
    errors: Sequence[type[Refusal]] = (),
    errors_from: Callable[[], Sequence[type[Refusal]]] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    default_limit: int = DEFAULT_LIMIT,
    files: Sequence[str] = (),
    multipart: bool = False,
    takes_video: bool = False,
    partial: bool = False,
    etag: bool = False,
    limited: bool = False,
    may_sign_in: bool = False,
) -> Callable[[H], H]:
    """
    Declare an operation. The first line of the handler's docstring is its summary, the rest its description: both are
    for developers of clients.

    A handler that names a parameter `data` gets the checked body, one that names `query` the checked query string, both
    under Python's names. It returns an output, or a `Response` around one where it has a status or headers to say.

    :param id: the name that generated clients give it (`placeInvestment`); unique, and kept for ever. In a class with
        subclasses that are mounted, `{view}` in the id and the summary stands for the subclass's name
    :param input: serializer of the body
    :param returns: the output class of the success answer, a union of them, or `Page[...]` for a list
    :param query: serializer of the query string, beside what every list takes
    :param status: of the success answer; 302 has no body
    :param also: other success statuses with the same body, and when they are given
    :param errors: refusals of its own; those of permissions, input, pages and idempotency are added
    :param errors_from: gives further errors when the document is made: those that apps above have registered
    :param default_limit: how many rows a page has when the client does not say
    :param files: the content types of an answer that is a file; beside `returns` where the client may choose
    :param multipart: files are taken, so multipart/form-data is offered; JSON beside it, unless files are required
    :param takes_video: the same, and a body may be as large as a video (settings.UPLOAD_MAX_VIDEO_BODY_SIZE)
    :param partial: any subset of the input's members
    :param etag: the answer has an `ETag`
    :param limited: answers have `RateLimit-*` headers; implied where `errors` has `RateLimited`
    :param may_sign_in: an open operation that answers some things only to the right person
    """

    def decorate(handler: H) -> H:
        summary, *paragraphs = paragraphs_of(handler)
        declared = Operation(
            id=id,
            summary=summary,
            description="\n\n".join(paragraphs),
            input=input,
            query=query,
            returns=returns,
            status=status,
            also=also or {},
            errors=tuple(errors),
            errors_from=errors_from,
            parameters=parameters,
            default_limit=default_limit,
            files=files,
            multipart=multipart or takes_video,
            takes_video=takes_video,
            partial=partial,
            etag=etag,
            limited=limited or any(issubclass(refusal, limits.RateLimited) for refusal in errors),
            may_sign_in=may_sign_in,
        )
        named = signature(handler).parameters
        takes_data, takes_query = "data" in named and input is not None, "query" in named and query is not None

        @wraps(handler)
        def answer(view: Any, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if takes_data:
                kwargs["data"] = parse(input, request, partial=partial)
            if takes_query and query is not None:
                kwargs["query"] = parse_query(query, request)
            result = handler(view, request, *args, **kwargs)
            return result if isinstance(result, HttpResponseBase) else Response(result, status)

        answer.operation = declared  # type: ignore[attr-defined]
        return answer  # type: ignore[return-value]

    return decorate


def paragraphs_of(documented: Any) -> list[str]:
    """The paragraphs of its own docstring, each in one line; without one a single empty text."""
    text = cleandoc(documented.__doc__ or "")
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def operation_of(view: Any) -> Operation | None:
    """What the view's present action declares; None where the method has no action."""
    handler = getattr(view, getattr(view, "action", "") or "", None)
    return getattr(handler, "operation", None)
