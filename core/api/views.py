"""The base of every API view."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from rest_framework.viewsets import ViewSet

from core.api import bodies, idempotency
from core.api.card_numbers import refuse_card_numbers
from core.api.operations import operation_of
from core.api.permissions import Open
from core.api.requests import Request


class ApiViewSet(ViewSet):
    """
    Closed until it names its permissions; every POST honours `Idempotency-Key`.

    Permissions per action: `permission_classes` for all, or `action_permissions`, a dict from action name to its list.
    """

    action_permissions: dict[str, list[Any]] = {}
    refuses_card_numbers = False
    """Whether bodies with a card number in any member are refused (`core.api.card_numbers`)."""
    post: Any

    def get_permissions(self) -> list[Any]:
        action = getattr(self, "action", None) or ""
        return [permission() for permission in self.action_permissions.get(action, self.permission_classes)]

    def get_authenticators(self) -> list[Any]:
        """
        None for an operation that is open to anyone and answers everybody alike: an expired token, which a client sends
        along with everything, does not keep anybody from refreshing it.
        """
        operation = operation_of(self)
        is_open = all(isinstance(permission, Open) for permission in self.get_permissions())
        may_sign_in = operation is not None and operation.may_sign_in
        return [] if is_open and not may_sign_in else super().get_authenticators()

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        operation = operation_of(self)
        bodies.check_size(request, largest_form=operation.largest_form if operation else 0)
        if self.refuses_card_numbers and operation is not None and operation.input is not None:
            refuse_card_numbers(request.data)
        if request.method == "POST":
            # The permissions were checked; `dispatch` looks the handler up after this.
            self.post = partial(_once, self.post)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.action = self.action_map.get(
            (request.method or "").lower(), ""
        )  # as ViewSetMixin does; permissions go by it
        context = self.get_parser_context(request)
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=context,
        )

    def perform_content_negotiation(self, request: Any, force: bool = False) -> tuple[Any, str]:
        """Always JSON; an `Accept` that dislikes it gets JSON as well (RFC 9110 §15.5.7 allows it)."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type


def _once(handler: idempotency.Handler, request: Request, *args: Any, **kwargs: Any) -> Any:
    return idempotency.run(request, handler, *args, **kwargs)
