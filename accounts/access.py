"""The door to a person's own account: their row, locked, for whatever must not happen twice or at the same time."""

from uuid import UUID

from accounts.errors import InvalidCredentials
from accounts.models import User


def lock_person(user_id: UUID) -> User:
    """
    The person as they are now. Passwords, sign-ins and the second factor change under this lock only, taken before
    any row of theirs, so that none of these meets another half-way.
    """
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)


def lock_proven(user: User) -> User:
    """
    The person whose password was checked a moment ago, outside the lock since that takes long.

    :raises InvalidCredentials: the password was changed in between
    """
    present = lock_person(user.pk)
    if present.password != user.password:
        raise InvalidCredentials()
    return present
