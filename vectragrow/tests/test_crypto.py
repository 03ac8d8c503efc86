"""`core.crypto` is the one place that encrypts and that makes keys of SECRET_KEY."""

import re

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from core.crypto import aes, keys
from core.crypto.sealing import seal, unseal

ELSEWHERE = re.compile(r"AESGCM|HKDF|Fernet|\bpbkdf2_hmac\b|settings\.SECRET_KEY")


def test_nobody_else_encrypts_or_derives_keys() -> None:
    found = []
    for path in settings.BASE_DIR.glob("*/**/*.py"):
        name = path.relative_to(settings.BASE_DIR).as_posix()
        if "/tests/" in name or name.startswith((".", "var/", "core/crypto/", "vectragrow/settings/")):
            continue
        if ELSEWHERE.search(path.read_text()):
            found.append(name)
    assert not found, "use core.crypto"


def test_a_key_has_one_purpose() -> None:
    assert len({*keys.keys_for("a"), *keys.keys_for("b"), *keys.keys_bound_to(b"", "a")}) == 3
    sealed = seal({"x": 1}, purpose="a")
    with pytest.raises(aes.CannotOpen):
        unseal(sealed, purpose="b")


def test_an_earlier_secret_opens_and_the_present_one_seals(settings: Settings) -> None:
    before = seal("kept", purpose="a")
    known = keys.fingerprint(b"value", "kind")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert unseal(before, purpose="a") == "kept"
    assert known in keys.fingerprints(b"value", "kind") and known != keys.fingerprint(b"value", "kind")
    after = seal("kept", purpose="a")
    settings.SECRET_KEY_FALLBACKS = []
    assert unseal(after, purpose="a") == "kept"
    with pytest.raises(aes.CannotOpen):
        unseal(before, purpose="a")


@pytest.mark.parametrize("broken", [b"", b"short", b"\0" * 12, b"\0" * 27, b"\0" * 100])
def test_anything_that_is_not_ours_cannot_be_opened(broken: bytes) -> None:
    with pytest.raises(aes.CannotOpen):
        aes.decrypt([aes.new_key()], broken)


def test_a_ciphertext_opens_for_what_it_is_about_only() -> None:
    key = aes.new_key()
    sealed = aes.encrypt(key, b"number", "document:1")
    assert aes.decrypt([aes.new_key(), key], sealed, "document:1") == b"number"
    for about in ("document:2", ""):
        with pytest.raises(aes.CannotOpen):
            aes.decrypt([key], sealed, about)
