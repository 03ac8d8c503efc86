"""
Every refusal has a kind, which decides the status, and a stable code, which clients may switch on.

Services raise; `core.api.problems` answers HTTP with problem+json (RFC 9457) and `core.realtime.sockets` puts the
same code in its error frames. `docs/errors.md` is made from these classes by `manage.py errors_doc`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from core.currencies import amount_in_words


class Refusal(Exception):
    """
    Base of all refusals. Subclass a kind below and give it a `code` and a `message`, whose %(facts)s come from the
    keywords.

    Facts named in `members` are also members of the problem, in camelCase, so that a client need not parse the text;
    the API document has their types from there.
    Those named in `amounts` are in major units of the fact `currency`; in the message they have that currency's form.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[Any] = _("Refused")
    message: ClassVar[Any] = _("This cannot be done.")
    members: ClassVar[Mapping[str, Any]] = {}
    amounts: ClassVar[tuple[str, ...]] = ()
    keeps_effects: ClassVar[bool] = False
    """Commit what was written before the refusal: a revoked session, a warning sent to the owner."""
    is_outcome: ClassVar[bool] = False
    """
    The refusal is the result of a committed effect, such as a decline: an Idempotency-Key stays bound to it and replays
    it. One that only records itself (a failed login) is not.
    """

    def __init__(self, *, retry_after: timedelta | None = None, **facts: Any) -> None:
        self.facts = facts
        self.retry_after = retry_after
        super().__init__(self.code)

    @property
    def detail(self) -> str:
        text = str(self.message)
        if not self.facts or "%(" not in text:
            return text
        amounts = {name: amount_in_words(self.facts[name], self.facts["currency"]) for name in self.amounts}
        return text % {**self.facts, **amounts}

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(max(1, ceil(self.retry_after.total_seconds())))} if self.retry_after else {}

    @property
    def errors(self) -> list[dict[str, str]]:
        return []


class Invalid(Refusal):
    """400: the request itself is wrong. `field` is the camelCase path of the member that is."""

    status = 400
    code = "invalid"
    title = _("Invalid request")
    message: ClassVar[Any] = _("The request is not valid.")

    def __init__(self, *, field: str | None = None, **facts: Any) -> None:
        self.field = field
        super().__init__(**facts)

    @property
    def errors(self) -> list[dict[str, str]]:
        return [{"field": self.field, "code": self.code, "detail": self.detail}] if self.field else []


class ZoneRequired(Invalid):
    """A moment without a time zone."""

    code = "zone_required"
    message = _("Write a moment with its zone, as in 2026-12-31T23:59:59Z or 2026-12-31T23:59:59+01:00.")

    def __init__(self, fields: Sequence[str] = ()) -> None:
        super().__init__()
        self.fields = fields

    @property
    def errors(self) -> list[dict[str, str]]:
        return [{"field": field, "code": self.code, "detail": self.detail} for field in self.fields]


class Unauthenticated(Refusal):
    status = 401
    code = "not_authenticated"
    title = _("Not signed in")
    message = _("Sign in and send the access token as a bearer token.")
    may_be_a_guess: ClassVar[bool] = True
    """Whether sockets count it against the address (`core.realtime.sockets.REFUSED`)."""

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="api"'}


class NotAllowed(Refusal):
    status = 403
    code = "not_allowed"
    title = _("Not allowed")
    message = _("You may not do this.")


class NotFound(Refusal):
    """404: missing, or not this person's to see; the two look the same (SECURITY-GOALS 34)."""

    status = 404
    code = "not_found"
    title = _("Not found")
    message = _("There is nothing here, or it is not yours to see.")


class MethodNotAllowed(Refusal):
    status = 405
    code = "method_not_allowed"
    title = _("Method not allowed")
    message = _("This address does not answer that method.")

    def __init__(self, *, allow: Iterable[str]) -> None:
        """:param allow: the methods that it does answer"""
        super().__init__()
        self.allow = sorted(allow)

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allow)}


class TooSlow(Refusal):
    """408: given by the server; the connection is closed after it."""

    status = 408
    code = "request_timeout"
    title = _("Request timeout")
    message = _("The request did not arrive in time. Nothing was changed; send it again.")


class Conflict(Refusal):
    status = 409
    code = "conflict"
    title = _("Conflict")
    message = _("This conflicts with the present state.")


class Stale(Refusal):
    status = 412
    code = "stale"
    title = _("Changed meanwhile")
    message = _("Someone changed this since you read it. Read it again and repeat your change.")


class TooLarge(Refusal):
    status = 413
    code = "too_large"
    title = _("Too large")
    message = _("The request is larger than this address takes.")


class UnsupportedMedia(Refusal):
    status = 415
    code = "unsupported_media_type"
    title = _("Unsupported media type")
    message = _("Send application/json or, where files are taken, multipart/form-data.")


class Unprocessable(Refusal):
    status = 422
    code = "unprocessable"
    title = _("Unprocessable")
    message = _("This cannot be processed.")


class TooMany(Refusal):
    status = 429
    code = "too_many_requests"
    title = _("Too many requests")
    message = _("Too many attempts. Wait a moment and try again.")


class HeadTooLarge(Refusal):
    """431: given by the server, before any of the request is looked at."""

    status = 431
    code = "head_too_large"
    title = _("Request head too large")
    message = _("The request line and the headers may have 32 KB and 100 lines together.")


class Broken(Refusal):
    status = 500
    code = "internal_error"
    title = _("Internal error")
    message = _("Something went wrong on our side. It was logged under the request id.")


class Busy(Refusal):
    """503: try again soon; nothing was changed."""

    status = 503
    code = "busy"
    title = _("Busy")
    message = _("This is being changed by someone else right now. Try again in a moment.")

    def __init__(self, *, retry_after: timedelta = timedelta(seconds=1), **facts: Any) -> None:
        super().__init__(retry_after=retry_after, **facts)


class DatabaseUnavailable(Busy):
    """Claims nothing about what was changed: a statement outside a transaction may have been carried out."""

    code = "database_unavailable"
    message = _(
        "The database cannot be reached at the moment. Repeat the request in a moment, a POST with the same "
        "Idempotency-Key."
    )


class OutcomeUnknown(Busy):
    """503: the commit was sent and its confirmation did not arrive."""

    code = "outcome_unknown"
    message = _(
        "The database did not confirm the change, so it may have been made or not. Repeat the request with the same "
        "Idempotency-Key: that returns the outcome and does nothing twice. Without a key, check the state first."
    )


class Overloaded(Busy):
    code = "overloaded"
    message = _("Too many requests are waiting already. Nothing was changed; try again in a moment.")


class OutOfRange(Invalid):
    code = "out_of_range"
    message = _("A number is beyond the range that can be kept. Nothing was changed.")


class MalformedBody(Invalid):
    code = "malformed_body"
    message = _("The body is not well-formed: %(reason)s.")


class UnknownFile(Invalid):
    code = "unknown_file"
    message = _("No file is taken under this name. Names for files here: %(names)s.")
    members = {"names": str}


class MalformedHead(Invalid):
    """Given by the server, before any of the request is looked at."""

    code = "malformed_head"
    message = _("The head of the request is not well-formed: %(reason)s.")


class InvalidAmount(Invalid):
    code = "invalid_amount"
    message = _(
        "Not an amount: plain digits, greater than zero, within the range, no more decimals than the currency has."
    )


class InvalidCursor(Invalid):
    code = "invalid_cursor"
    message = _("This cursor is not one of ours, or belongs to another list.")


class InvalidPage(Invalid):
    code = "invalid_page"
    message = _(
        "page starts at 1, limit is 1 to %(most)s, and page × limit may not pass %(deepest)s; use cursor to go deeper."
    )


class InvalidIdempotencyKey(Invalid):
    code = "invalid_idempotency_key"
    message = _("Idempotency-Key must be 1 to 255 visible ASCII characters.")


class IdempotencyKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    message = _("This Idempotency-Key was used for a different request.")


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    message = _("A request with this Idempotency-Key is still running.")


class RoleRequired(NotAllowed):
    code = "role_required"
    message = _("This needs the role %(roles)s.")


def every_refusal() -> Iterator[type[Refusal]]:
    """Each refusal class that is loaded, kinds included, ordered by status and code."""

    def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return iter(sorted(set(below(Refusal)), key=lambda kind: (kind.status, kind.code)))
