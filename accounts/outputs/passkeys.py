"""What a browser is asked about passkeys, and the passkeys of a person."""

from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta
from msgspec.structs import asdict

from accounts.models import Passkey
from accounts.services.passkeys import Registered
from core.api.outputs import Moment, Output


class PasskeyQuestion(Output):
    """For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get()`."""

    public_key: Annotated[
        dict[str, Any], Meta(description="PublicKeyCredentialRequestOptionsJSON, good for five minutes.")
    ]


class NewPasskeyQuestion(Output):
    """For `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create()`."""

    public_key: Annotated[
        dict[str, Any], Meta(description="PublicKeyCredentialCreationOptionsJSON, good for five minutes.")
    ]


class PasskeyOutput(Output):
    id: UUID
    name: str
    synced: Annotated[bool, Meta(description="Whether a password manager carries it to other devices.")]
    created_at: Moment
    last_used_at: Moment | None

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        return cls(
            id=passkey.pk,
            name=passkey.name,
            synced=passkey.backed_up,
            created_at=passkey.created_at,
            last_used_at=passkey.last_used_at,
        )


class NewPasskeyOutput(PasskeyOutput):
    recovery_codes: Annotated[
        list[str] | None, Meta(description="With the first second factor: ten codes, shown this once. Else null.")
    ]

    @classmethod
    def of_registered(cls, registered: Registered) -> Self:
        passkey = asdict(PasskeyOutput.of(registered.passkey))
        return cls(**passkey, recovery_codes=registered.recovery_codes or None)
