"""Identities at other companies."""

from typing import Annotated, Self

from msgspec import Meta

from accounts.models import ExternalIdentity, Platform
from core.api.outputs import Output


class IdentityOutput(Output):
    platform: Platform
    linked: Annotated[bool, Meta(description="Always true.")]
    email: Annotated[str | None, Meta(description="As the provider gave it when it was linked.")]

    @classmethod
    def of(cls, identity: ExternalIdentity) -> Self:
        return cls(platform=Platform(identity.platform), linked=True, email=identity.email or None)


class IdentitiesOutput(Output):
    password: Annotated[bool, Meta(description="Whether the account has a password.")]
    items: list[IdentityOutput]
