"""Access to a person's own account: their row, locked, for what must not happen twice or at the same time."""

from uuid import UUID

from accounts.errors import InvalidCredentials
from accounts.models import User
from core.data import locks, sql


def lock_person(user_id: UUID) -> User:
    """
    The person as they are now. Passwords, sign-ins and the second factor change under this lock only, taken before
    any row of theirs, so that none of these interleaves with another.

    :raises User.DoesNotExist: no such account
    """
    (people,) = sql.read(person_read(user_id))
    if not people:
        raise User.DoesNotExist
    person: User = people[0][0]
    locks.taken(person)
    return person


def person_read(user_id: UUID) -> sql.Read:
    """The SELECT of `lock_person`, for callers that read more in the same exchange; they call `locks.taken`."""
    statement = f"SELECT {sql.columns(User, 'u')} FROM {User._meta.db_table} u WHERE u.id = %s {locks.clause('u')}"
    return sql.Read(statement, [user_id], (User,))


def lock_proven(user: User) -> User:
    """
    The person whose password was checked a moment ago, outside the lock since that takes long.

    :raises InvalidCredentials: the password was changed in between
    """
    present = lock_person(user.pk)
    if present.password != user.password:
        raise InvalidCredentials()
    return present
