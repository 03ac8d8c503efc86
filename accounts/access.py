"""The door to a person's own account: their row, locked, for whatever must not happen twice or at the same time."""

from functools import cache
from uuid import UUID

from accounts.errors import InvalidCredentials
from accounts.models import User
from core.data import locks, sql


def lock_person(user_id: UUID) -> User:
    """
    The person as they are now. Passwords, sign-ins and the second factor change under this lock only, taken before
    any row of theirs, so that none of these meets another half-way.

    :raises User.DoesNotExist: no such account
    """
    found = sql.first(f"{_person_sql()} {locks.clause('u')}", [user_id], User)
    if found is None:
        raise User.DoesNotExist
    person: User = found[0]
    locks.taken(person)
    return person


@cache
def _person_sql() -> str:
    return f"SELECT {sql.columns(User, 'u')} FROM {User._meta.db_table} u WHERE u.id = %s"


def lock_proven(user: User) -> User:
    """
    The person whose password was checked a moment ago, outside the lock since that takes long.

    :raises InvalidCredentials: the password was changed in between
    """
    present = lock_person(user.pk)
    if present.password != user.password:
        raise InvalidCredentials()
    return present
