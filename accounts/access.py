"""Access to people: who is there for whom, and their rows, locked, for what must not happen at the same time."""

from uuid import UUID

from accounts.errors import InvalidCredentials
from accounts.models import Status, User, normalise_email
from core.api.errors import NotFound
from core.data import locks, sql
from core.rights import Right

_SEEN = """
SELECT {} FROM accounts_user u
 WHERE u.id = %s AND u.status <> %s
   AND NOT EXISTS (SELECT FROM accounts_hidden_from(%s::uuid) h WHERE h.person_id = u.id)
"""


def access_person(viewer_id: UUID | None, user_id: UUID) -> User:
    """
    Another person, or oneself, as the viewer may see them.

    :param viewer_id: None for somebody who is not signed in
    :raises NotFound: nobody, an erased account, or hidden from the viewer by a block; the answers do not differ
    """
    found = sql.first(_SEEN.format(sql.columns(User, "u")), [user_id, Status.DELETED, viewer_id], User)
    if found is None:
        raise NotFound()
    user: User = found[0]
    return user


def access_staff(email: str, right: Right) -> User:
    """
    Whom an operator names as the one who decides.

    :raises NotFound: nobody with this address, or they do not hold the right
    """
    person = User.objects.filter(email=normalise_email(email), status=Status.ACTIVE).first()
    if person is None or not right.held_by(person):
        raise NotFound()
    return person


def lock_people(*user_ids: UUID) -> dict[UUID, User]:
    """
    These people as they are now, locked in the order of their ids; who does not exist is left out.

    Blocks of a pair change under the locks of both. Whoever writes what a block forbids (a follow, a direct
    conversation) locks one of the two, and asks `relations.is_hidden_between` after it.
    """
    return {user.pk: user for user in locks.lock(User.objects).filter(pk__in=user_ids).order_by("pk")}


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
