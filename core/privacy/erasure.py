"""Erasing a person: every app removes personal data from its rows."""

from datetime import datetime
from uuid import UUID

from core.privacy.declarations import Delete, blockers, every_declaration


def check_erasable(person_id: UUID) -> None:
    """:raises core.api.errors.Refusal: the first reason why this person cannot be erased now"""
    for check in blockers():
        check(person_id)


def erase_person(*, person_id: UUID, now: datetime) -> None:
    """Carry out each declaration, backwards, in the caller's transaction: rows that point to others go first."""
    for declaration in reversed(every_declaration()):
        if isinstance(declaration.erase, Delete):
            declaration.model._default_manager.filter(**{str(declaration.person): person_id}).delete()
        elif callable(declaration.erase):
            declaration.erase(person_id=person_id, now=now)
