"""Who may read campaigns through the API."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from core import context
from core.api import limits
from core.api.limits import Limit
from core.api.permissions import SignedIn

PER_ADDRESS = Limit("public_campaigns:address", 300, timedelta(minutes=5))
"""Reads of people who are not signed in."""


class ReadsCampaigns(SignedIn):
    """A person; where the operator allows it (PUBLIC_CAMPAIGNS) anybody, so many times an address."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if settings.PUBLIC_CAMPAIGNS and not request.user.is_authenticated:
            limits.hit(PER_ADDRESS, context.client_address.get())
            return True
        return super().has_permission(request, view)
