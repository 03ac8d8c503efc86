"""
Passkeys, the relying party's side (WebAuthn Level 3 §7): options for browsers, and verification of their answers.

py_webauthn builds options and checks answers. It is imported when the first one is, since that takes a while and most
processes never see any.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts import cbor
from accounts.errors import PasskeyInvalid
from accounts.models import Passkey, User

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

SITE = "VECTRAGrow"
CEREMONY_TIMEOUT = 300_000
"""Milliseconds that a browser waits for the person's key; as long as a challenge is valid."""
Credential = dict[str, Any]
"""What `PublicKeyCredential.toJSON()` gives: binary members as base64url."""


@dataclass(frozen=True)
class NewKey:
    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


@dataclass(frozen=True)
class Use:
    sign_count: int
    backed_up: bool


def creation_options(user: User, present: Iterable[Passkey], challenge: bytes) -> dict[str, Any]:
    """
    PublicKeyCredentialCreationOptionsJSON (§5.4): a discoverable key that asks for a finger, a face or a PIN, so that
    it can sign in on its own. The user handle is the account's id, which says nothing about the person.
    """
    import webauthn
    from webauthn.helpers import options_to_json_dict, structs

    options = webauthn.generate_registration_options(
        rp_id=settings.PASSKEY_RP_ID,
        rp_name=SITE,
        user_id=user.pk.bytes,
        user_name=user.email,
        user_display_name=user.name or user.email,
        challenge=challenge,
        timeout=CEREMONY_TIMEOUT,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(present),
    )
    return options_to_json_dict(options)


def request_options(allowed: Iterable[Passkey], challenge: bytes) -> dict[str, Any]:
    """
    PublicKeyCredentialRequestOptionsJSON (§5.5).

    :param allowed: whose keys may answer; none: any key that the browser finds for this site
    """
    import webauthn
    from webauthn.helpers import options_to_json_dict, structs

    options = webauthn.generate_authentication_options(
        rp_id=settings.PASSKEY_RP_ID,
        challenge=challenge,
        timeout=CEREMONY_TIMEOUT,
        allow_credentials=_descriptors(allowed),
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def challenge_in(credential: Credential) -> bytes:
    """
    The challenge that an answer names; nothing is verified yet.

    :raises PasskeyInvalid: it names none
    """
    try:
        return _unpack(_client_data(credential)["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PasskeyInvalid(field="credential") from None


def key_id_in(credential: Credential) -> bytes:
    """:raises PasskeyInvalid: it names no key"""
    try:
        return _unpack(credential["id"])
    except (ValueError, TypeError):
        raise PasskeyInvalid(field="credential") from None


def check_new_key(credential: Credential, challenge: bytes) -> NewKey:
    """
    A registration's answer (§7.1), made by this site's page for this challenge after its owner was verified.

    :raises PasskeyInvalid: anything else
    """
    import webauthn

    try:
        _refuse_frames(credential)
        _check_attestation(_unpack(credential["response"]["attestationObject"]))
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGINS,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  (junk makes the library raise whatever its parsers do: KeyError, OverflowError …)
        raise PasskeyInvalid(field="credential") from None
    if len(made.credential_id) > 1023 or len(made.credential_public_key) > 2048:  # §7.1 step 25
        raise PasskeyInvalid(field="credential")
    return NewKey(made.credential_id, made.credential_public_key, made.sign_count, made.credential_backed_up)


def check_use(credential: Credential, challenge: bytes, key: Passkey) -> Use:
    """
    A key's signature (§7.2) over this challenge on this site's page, after its owner was verified. Its counter is for
    the caller to compare.

    :raises PasskeyInvalid: anything else
    """
    import webauthn

    try:
        _refuse_frames(credential)
        cbor.check_authenticator_data(_unpack(credential["response"]["authenticatorData"]))
        if _unpack(credential["response"].get("userHandle") or "") not in (b"", key.user_id.bytes):
            raise PasskeyInvalid(field="credential")
        used = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGINS,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  (as above)
        raise PasskeyInvalid(field="credential") from None
    return Use(used.new_sign_count, used.credential_backed_up)


def _refuse_frames(credential: Credential) -> None:
    """:raises PasskeyInvalid: asked inside a page of another site (§7.1 step 10, §7.2 step 13)"""
    client_data = _client_data(credential)
    if client_data.get("crossOrigin") or "topOrigin" in client_data:
        raise PasskeyInvalid(field="credential")


def _check_attestation(data: bytes) -> None:
    import cbor2

    cbor.check(data)
    cbor.check_authenticator_data(cbor2.loads(data)["authData"])


def _client_data(credential: Credential) -> dict[str, Any]:
    client_data = json.loads(_unpack(credential["response"]["clientDataJSON"]))
    return client_data if isinstance(client_data, dict) else {}


def _descriptors(keys: Iterable[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers import structs

    known = {transport.value for transport in structs.AuthenticatorTransport}
    return [
        structs.PublicKeyCredentialDescriptor(
            id=bytes(key.credential_id),
            transports=[structs.AuthenticatorTransport(name) for name in key.transports if name in known],
        )
        for key in keys
    ]


def _unpack(text: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    return base64url_to_bytes(text)
