"""Authentication by bearer token: its session and its person, looked up for every request (SECURITY-GOALS 26)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from rest_framework.authentication import BaseAuthentication

from accounts import appeal_tokens, tokens
from accounts.errors import TokenExpired, TokenInvalid
from accounts.models import Session, Status, User
from core import clock
from core.api.principals import Principal
from core.api.requests import Request
from core.data import sql

SEEN_EVERY = timedelta(minutes=1)


def session_of(token: str, now: datetime) -> Session:
    """
    The live session of an access token, with its person.

    :raises TokenExpired, TokenInvalid: the token, the session or the person is no longer good
    """
    claims = tokens.read_access(token, now)
    session = _live_session(claims.session_id, now)
    if session is None or session.user_id != claims.person_id or session.user.status != Status.ACTIVE:
        raise TokenInvalid()
    if now - session.last_seen_at > SEEN_EVERY:
        Session.objects.filter(pk=session.pk).update(last_seen_at=now)
    if session.unused_successor_id is not None and session.unused_successor_id == claims.issued_with:
        _note_first_use(session, now)
    return session


def _note_first_use(session: Session, now: datetime) -> None:
    """
    Record that the answer to the last refresh arrived: from now on the previous token counts as reused. Once per
    refresh.
    """
    unused = Session.objects.filter(pk=session.pk, unused_successor_id=session.unused_successor_id)
    unused.update(unused_successor_id=None, successor_used_at=now)


def live_sessions(session_ids: Collection[UUID], now: datetime) -> dict[UUID, Session]:
    """Those of these sessions that are still live, with their people; open sockets are checked by it."""
    live = Session.objects.live_at(now).filter(pk__in=session_ids, user__status=Status.ACTIVE)
    return live.select_related("user").in_bulk()


@cache
def _live_session_sql() -> str:
    return (
        f"SELECT {sql.columns(Session, 's')}, {sql.columns(User, 'u')} "
        f"FROM {Session._meta.db_table} s JOIN {User._meta.db_table} u ON u.id = s.user_id "
        "WHERE s.id = %s AND s.revoked_at IS NULL AND s.expires_at > %s"
    )


def _live_session(session_id: UUID, now: datetime) -> Session | None:
    """
    `Session.objects.live_at(now).select_related("user").filter(pk=session_id).first()`, written out.

    Every request runs it, and the ORM would spend half of a small request's time on building the same SQL.
    """
    found = sql.first(_live_session_sql(), [session_id, now], Session, User)
    if found is None:
        return None
    session: Session = found[0]
    session.user = found[1]
    return session


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` (RFC 6750 §2.1). `request.auth` is the principal: the person by their session."""

    schemes: tuple[str, ...] = ("bearer",)
    """The security schemes of the API document that it takes."""
    refusals = (TokenInvalid, TokenExpired)
    """For the API document. Open operations do not read the token (`core.api.views`)."""

    def authenticate(self, request: Any) -> tuple[User, Principal] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not token:
            raise TokenInvalid()
        session = session_of(token.strip(), clock.now())
        return session.user, Principal(session.user, session)

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="api"'


@dataclass(frozen=True, slots=True)
class AppealPass:
    """The credential of somebody suspended: never recent, so that nothing that asks for a proof takes it."""

    pk: UUID

    def is_recent_at(self, now: datetime) -> bool:
        return False


class SessionOrAppeal(BearerAuthentication):
    """As a bearer token, beside that of a session: what somebody suspended got for their appeal."""

    schemes = ("bearer", "appeal")

    def authenticate(self, request: Any) -> tuple[User, Principal] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(appeal_tokens.PREFIX):
            return super().authenticate(request)
        person = appeal_tokens.person_of_appeal_token(token, clock.now())
        return person, Principal(person, AppealPass(person.pk))


def current_session(request: Request) -> Session:
    """The session behind a signed-in request."""
    session = request.auth.credential
    assert isinstance(session, Session)
    return session
