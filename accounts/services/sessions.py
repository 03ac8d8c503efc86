"""Sessions: a device signs in, refreshes, and is signed out. Revoking a session ends everything at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from django.conf import settings

from accounts import tokens
from accounts.errors import AccountSuspended, RefreshTokenInvalid, TokenReused
from accounts.models import RefreshToken, Session, User
from accounts.services import history
from accounts.services.grace import cancel_deletion
from core import context, events
from core.api.errors import NotFound
from core.data import locks, sql
from core.data.transactions import retrying
from core.devices import device_name

LOST_ANSWER_WITHIN = timedelta(hours=24)
"""How long after an exchange the used token gives its successor again, while nothing shows that the answer arrived."""


@dataclass(frozen=True)
class Tokens:
    session: Session
    token: str
    refresh_token: str
    expires_in: int
    """Seconds until `token` expires."""


@retrying
def open_session(*, user: User, device: str, method: str, now: datetime, second_factor: bool = False) -> Tokens:
    """`begin_session` in a transaction of its own."""
    return begin_session(user=user, device=device, method=method, now=now, second_factor=second_factor)


def begin_session(*, user: User, device: str, method: str, now: datetime, second_factor: bool = False) -> Tokens:
    """
    Sign a device in, in the caller's transaction. The caller has authenticated the person (`login.complete_first_step`)
    or has just made the account.

    :param second_factor: whether it was proven with the second factor too
    :raises AccountSuspended: the person may not
    """
    if not user.is_active:
        raise AccountSuspended()
    if user.deletion_due_at is not None:
        cancel_deletion(user=user, now=now)
    session = Session(
        user=user,
        device=device[:200],
        address=context.client_address.get(),
        method=method,
        created_at=now,
        last_seen_at=now,
        authenticated_at=now,
        second_factor_at=now if second_factor else None,
        expires_at=now + settings.SESSION_LIFETIME,
    )
    refresh = tokens.new_token()
    link = RefreshToken(session=session, digest=tokens.digest(refresh), created_at=now)
    rows = (
        session,
        link,
        *events.rows("session.opened", session, actor=user, now=now, method=method),
    )
    history.note_sign_in(user=user, device=device, method=method, now=now, beside=rows)
    return _answer(session, link.pk, refresh, now)


@retrying
def refresh_session(*, refresh_token: str, now: datetime) -> Tokens:
    """
    Replace a refresh token by its successor. A token that was replaced already gives the same successor again while its
    answer may have been lost: parallel calls, two tabs, a connection that broke.

    :param now: when the call came in
    :raises RefreshTokenInvalid: not one of ours, or its session ended
    :raises TokenReused: an old one; the session is revoked and the person notified (RFC 9700 §4.14.2)
    """
    presented, session = _lock_chain(refresh_token)
    if session.revoked_at or session.expires_at <= now or not session.user.is_active:
        raise RefreshTokenInvalid()
    if presented.used_at is None:
        return _answer(session, *_exchange(presented, refresh_token, now), now)
    successor_again = _successor_again(presented, session, refresh_token, now)
    if successor_again is None:
        _revoke([session], because="token_reused", now=now)
        events.record(
            "session.token_reused",
            session,
            actor=session.user,
            now=now,
            user_id=session.user_id,
            device=device_name(session.device),
        )
        raise TokenReused()
    return _answer(session, *successor_again, now)


def _lock_chain(token: str) -> tuple[RefreshToken, Session]:
    """
    A refresh token as it is now, and its session with its person, the first two locked.

    :raises RefreshTokenInvalid: not one of ours
    """
    statement = f"{_chain_sql()} {locks.clause('t', 's')}"
    found = sql.first(statement, [tokens.digest(token)], RefreshToken, Session, User)
    if found is None:
        raise RefreshTokenInvalid()
    presented, session, session.user = found
    locks.taken(presented, session)
    return presented, session


@cache
def _chain_sql() -> str:
    return (
        f"SELECT {sql.columns(RefreshToken, 't')}, {sql.columns(Session, 's')}, {sql.columns(User, 'u')} "
        f"FROM {RefreshToken._meta.db_table} t JOIN {Session._meta.db_table} s ON s.id = t.session_id "
        f"JOIN {User._meta.db_table} u ON u.id = s.user_id WHERE t.digest = %s"
    )


def _exchange(presented: RefreshToken, token: str, now: datetime) -> tuple[UUID, str]:
    """Use a locked token up. Returns id and text of its successor, from here on the session's one current token."""
    successor = tokens.new_token()
    sealed = tokens.seal_successor(token, successor)
    following = RefreshToken(session_id=presented.session_id, digest=tokens.digest(successor), created_at=now)
    sql.execute(
        (
            f"UPDATE {RefreshToken._meta.db_table} SET used_at = %s, successor = %s WHERE id = %s",
            [now, sealed, presented.pk],
        ),
        sql.insertion(following),
        (
            f"UPDATE {Session._meta.db_table} SET last_seen_at = %s, unused_successor_id = %s, "
            "successor_used_at = NULL WHERE id = %s",
            [now, following.pk, presented.session_id],
        ),
    )
    return following.pk, successor


def _successor_again(presented: RefreshToken, session: Session, token: str, now: datetime) -> tuple[UUID, str] | None:
    """
    Id and text of the successor of a used token; None if this is a reuse.

    It is no reuse for a day while the successor is the newest token and nothing issued with it was used before the call
    came in: of many parallel calls the first may be answered, and its tokens used, while the others still wait.
    """
    if presented.used_at is None or presented.successor is None or now - presented.used_at > LOST_ANSWER_WITHIN:
        return None
    successor = tokens.open_successor(token, bytes(presented.successor))
    if successor is None:
        return None
    newest = RefreshToken.objects.filter(digest=tokens.digest(successor), used_at__isnull=True).first()
    if newest is None:
        return None
    used_later = session.successor_used_at is not None and now < session.successor_used_at
    return (newest.pk, successor) if session.unused_successor_id == newest.pk or used_later else None


def _answer(session: Session, link_id: UUID, refresh: str, now: datetime) -> Tokens:
    lifetime = int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    return Tokens(session, tokens.access_token(session, link_id, now), refresh, lifetime)


@retrying
def close_session(*, user: User, session_id: UUID, because: str, now: datetime) -> None:
    """
    Sign one of the person's devices out.

    :raises NotFound: no live session of theirs
    """
    session = locks.lock(Session.objects.live_at(now).filter(user=user, pk=session_id)).first()
    if session is None:
        raise NotFound()
    _revoke([session], because=because, now=now)
    events.record("session.closed", session, actor=user, now=now, because=because)


@retrying
def close_sessions(*, user: User, because: str, now: datetime, keep: UUID | None = None) -> int:
    """Sign every device out, but for `keep`. Returns how many."""
    sessions = list(locks.lock(Session.objects.live_at(now).filter(user=user)).order_by("pk"))
    sessions = [session for session in sessions if session.pk != keep]
    if sessions:
        _revoke(sessions, because=because, now=now)
        ids = [session.pk for session in sessions]
        events.record("session.all_closed", user, actor=user, now=now, because=because, count=len(ids), session_ids=ids)
    return len(sessions)


def _revoke(sessions: Iterable[Session], *, because: str, now: datetime) -> None:
    """The event that is recorded with it closes their sockets."""
    ids = [session.pk for session in sessions]
    Session.objects.filter(pk__in=ids).update(revoked_at=now, revoked_because=because)


@retrying
def confirm_presence(*, session: Session, second_factor: bool, now: datetime) -> None:
    """The person proved again who they are, by password or by second factor; holds for REAUTHENTICATION_WINDOW."""
    proven = {"authenticated_at": now, **({"second_factor_at": now} if second_factor else {})}
    Session.objects.filter(pk=session.pk).update(**proven)
    events.record("session.stepped_up", session, actor=session.user, now=now, second_factor=second_factor)
