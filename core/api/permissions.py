"""Permission classes without a business noun. The project default is `Nobody`; an operation opens itself explicitly."""

from typing import Any

from rest_framework.permissions import BasePermission

from core.api.errors import Refusal, RoleRequired, Unauthenticated
from core.rights import Right


class Permission(BasePermission):
    """A permission class that raises its own refusal. `roles` is what the API document says of it."""

    roles: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()

    def has_permission(self, request: Any, view: Any) -> bool:
        raise NotImplementedError


class Nobody(Permission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Open(Permission):
    """Anyone, signed in or not."""

    roles: tuple[str, ...] = ("anyone",)

    def has_permission(self, request: Any, view: Any) -> bool:
        return True


class SignedIn(Permission):
    """A live session of an active person."""

    roles: tuple[str, ...] = ("user",)

    def has_permission(self, request: Any, view: Any) -> bool:
        if not request.user.is_authenticated:
            raise Unauthenticated()
        return True


def HasRight(right: Right) -> type[SignedIn]:
    """A permission for those who hold a right (core.rights)."""

    class Holds(SignedIn):
        refusals = (RoleRequired,)

        def has_permission(self, request: Any, view: Any) -> bool:
            super().has_permission(request, view)
            if not right.held_by(request.user):
                raise RoleRequired(roles=" or ".join(Holds.roles))
            return True

    Holds.roles = tuple(sorted(right.roles))
    return Holds
