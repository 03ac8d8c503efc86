"""
The base of every shape that clients see, and the types that its members have.

    class PaymentMethodCard(Output):
        id: UUID
        brand: str
        expiry_year: int | None
        created_at: Moment

JSON has the names in camelCase. The renderer writes an output as it is (`core.api.rendering`), the API documents are
made from the class (`core.api.schemas`), and mypy checks whoever fills it. See docs/answers.md.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, dataclass_transform

import msgspec
from msgspec import UNSET, Meta, UnsetType

MAX_LIMIT = 100
DEFAULT_LIMIT = 10
DEEPEST = 10_000
"""How far `page` may reach, in rows: offsets get slower with depth, cursors do not."""

MONEY_PATTERN = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$"

MoneyText = Annotated[str, Meta(pattern=MONEY_PATTERN, examples=["1000.50"])]
"""An amount in major units with the currency's decimals (`Money.text`), always beside a `currency`."""
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["USD"])]
"""ISO 4217."""
Moment = Annotated[datetime, Meta(extra_json_schema={"pattern": MOMENT_PATTERN})]
"""UTC; JSON has RFC 3339 with `Z`."""
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Count = Annotated[int, Meta(ge=0)]

T = TypeVar("T")


class _OutputMeta(msgspec.StructMeta):
    """msgspec does not hand `kw_only` down to subclasses; here every member of every output is a keyword."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        return super().__new__(mcls, name, bases, namespace, **{"kw_only": True, **config})


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Output(msgspec.Struct, metaclass=_OutputMeta, rename="camel", frozen=True, gc=False):
    """
    A shape that clients see. Where it is built from a model it has a classmethod `of`.

    Every member is always in the JSON, null when there is none; one whose type has `UnsetType` is left out while UNSET.
    """


# A list with members besides its items subclasses it.
class Page(Output, Generic[T]):
    """Part of a list; `nextCursor` leads to the next part."""

    items: list[T]
    page: Annotated[int, Meta(ge=1, le=DEEPEST)]
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
    has_more: bool
    next_cursor: str | None
    total: Annotated[int, Meta(ge=0, description="With `withTotal=true`.")] | UnsetType = UNSET


class Message(Output):
    """Confirms that something was done, in words for the person."""

    message: str


class FieldError(Output):
    field: Annotated[str, Meta(description="The path of the member, such as `details.token`.")]
    code: str
    detail: str


class Problem(Output):
    """application/problem+json, RFC 9457. Switch on `code`; some codes bring members of their own."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | UnsetType = UNSET
