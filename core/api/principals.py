"""Principals: who acts and by which credential, as authentication finds out for a request, a frame or an admin page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.rights import Right


class Anonymous:
    """The user of a request when nobody is signed in. It has the same interface as `accounts.User`."""

    is_authenticated = False
    is_anonymous = True
    is_active = False
    is_staff = False
    pk = None
    id = None
    role = ""
    scopes: frozenset[str] | None = None


class Credential(Protocol):
    """What proves that the person acts: today a session (`accounts.Session`)."""

    @property
    def pk(self) -> Any: ...

    def is_recent_at(self, now: datetime) -> bool:
        """Whether the person proved who they are shortly before `now`, as calls that move money ask."""


@dataclass(frozen=True, slots=True)
class Principal:
    """
    A person and the credential they act by. `request.auth` is one, and so is what a socket checks permissions with.

    A credential that may do less than its person says so in `person.scopes`, which every right heeds
    (`core.rights.Right.held_by`); so a rule that gets only the person, deep in `access.py`, is narrowed as well.
    """

    person: Any
    credential: Credential

    def holds(self, right: Right) -> bool:
        return right.held_by(self.person)

    def is_recent_at(self, now: datetime) -> bool:
        return self.credential.is_recent_at(now)

    # What permissions read from a request, so that they can be checked for a principal as well (core.realtime.sockets).

    @property
    def user(self) -> Any:
        return self.person

    @property
    def auth(self) -> "Principal":
        return self
