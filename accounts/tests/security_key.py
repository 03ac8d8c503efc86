"""An authenticator in software, honest unless told otherwise: what a browser and a key would answer."""

import base64
import hashlib
import json
import secrets
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
USUAL = PRESENT | VERIFIED


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SecurityKey:
    """One key pair. `counts=False` behaves like a synced passkey, whose counter stays at zero."""

    def __init__(self, counts: bool = True, flags: int = USUAL) -> None:
        self.id = secrets.token_bytes(32)
        self.pair = ec.generate_private_key(ec.SECP256R1())
        self.counts, self.counter, self.flags = counts, 0, flags
        self.user_handle = b""

    def create(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """`navigator.credentials.create()` and `toJSON()`."""
        padding = "=" * (-len(options["user"]["id"]) % 4)
        self.user_handle = base64.urlsafe_b64decode(options["user"]["id"] + padding)
        point = self.pair.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        key = lies.get("public_key", cbor2.dumps(cose))
        attested = b"\0" * 16 + struct.pack(">H", len(self.id)) + self.id + key
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._auth_data(ATTESTED, lies) + attested}
        answer = {
            "clientDataJSON": self._client_data("webauthn.create", options, lies),
            "attestationObject": packed(lies.get("attestation", cbor2.dumps(attestation))),
            "transports": ["internal", "hybrid"],
        }
        return self._credential(answer, lies)

    def get(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """`navigator.credentials.get()` and `toJSON()`."""
        if self.counts:
            self.counter += 1
        client_data = self._client_data("webauthn.get", options, lies)
        auth_data = self._auth_data(0, lies)
        padding = "=" * (-len(client_data) % 4)
        signed = auth_data + hashlib.sha256(base64.urlsafe_b64decode(client_data + padding)).digest()
        pair = lies.get("pair", self.pair)
        answer = {
            "clientDataJSON": client_data,
            "authenticatorData": packed(auth_data),
            "signature": packed(pair.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": packed(lies.get("user_handle", self.user_handle)),
        }
        return self._credential(answer, lies)

    def _credential(self, answer: dict[str, Any], lies: dict[str, Any]) -> dict[str, Any]:
        key_id = packed(lies.get("id", self.id))
        answer |= lies.get("response", {})
        return {
            "id": key_id,
            "rawId": lies.get("raw_id", key_id),
            "type": "public-key",
            "response": answer,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }

    def _client_data(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> str:
        said = {
            "type": lies.get("type", kind),
            "challenge": lies.get("challenge", options["challenge"]),
            "origin": lies.get("origin", settings.PASSKEY_ORIGINS[0]),
            "crossOrigin": lies.get("cross_origin", False),
            **lies.get("client_data", {}),
        }
        return packed(json.dumps(said).encode())

    def _auth_data(self, more_flags: int, lies: dict[str, Any]) -> bytes:
        site = hashlib.sha256(lies.get("rp_id", settings.PASSKEY_RP_ID).encode()).digest()
        flags = lies.get("flags", self.flags) | more_flags
        return site + bytes([flags]) + struct.pack(">I", lies.get("counter", self.counter))
