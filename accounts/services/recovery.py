"""
Ten codes on a sheet of paper that stand in for every other second factor, each once (SECURITY-GOALS 29).

A code of ten letters has 49 bits, so codes are kept as passwords are (ASVS 6.5.2): Argon2id with 19 MiB and two passes
(OWASP), under one salt for the whole sheet, so that one hash finds the row.
"""

import secrets
from datetime import datetime

from argon2.low_level import Type, hash_secret_raw

from accounts.access import lock_person
from accounts.errors import TwoFactorOff
from accounts.models import RecoveryCode, RecoverySheet, User
from core import events
from core.data.transactions import retrying

CODES = 10
LENGTH = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper."""


@retrying
def replace_codes(*, user: User, now: datetime) -> list[str]:
    """
    Ten new codes, shown now and never again; the old ones stop working.

    :raises TwoFactorOff: there is no factor that they would stand in for
    """
    user = lock_person(user.pk)
    if not user.two_factor_enabled:
        raise TwoFactorOff()
    codes = new_sheet(user, now)
    events.record("account.recovery_codes_replaced", user, actor=user, now=now)
    return codes


def new_sheet(user: User, now: datetime) -> list[str]:
    """A fresh sheet in place of any before; under the person's lock."""
    RecoverySheet.objects.filter(user=user).delete()
    sheet = RecoverySheet.objects.create(user=user, salt=secrets.token_bytes(16), created_at=now)
    codes = ["".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(sheet=sheet, digest=_digest(sheet, code), created_at=now) for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def is_one(code: str) -> bool:
    """Whether somebody who typed this meant a recovery code."""
    plain = _plain(code)
    return len(plain) == LENGTH and all(letter in LETTERS for letter in plain)


def use_up(user: User, code: str, now: datetime) -> bool:
    """Whether it was one of the person's unused codes, which it no longer is; under the person's lock."""
    sheet = RecoverySheet.objects.filter(user=user).first()
    if sheet is None:
        return False
    row = _unused(sheet, code)
    if row is None:
        return False
    row.used_at = now
    row.save(update_fields=["used_at"])
    left = sheet.codes.filter(used_at__isnull=True).count()
    events.record("account.recovery_code_used", user, actor=user, now=now, left=left)
    return True


def _unused(sheet: RecoverySheet, code: str) -> RecoveryCode | None:
    return sheet.codes.filter(digest=_digest(sheet, _plain(code)), used_at__isnull=True).first()


def has_codes(user: User) -> bool:
    return RecoveryCode.objects.filter(sheet__user=user, used_at__isnull=True).exists()


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").lower()


def _digest(sheet: RecoverySheet, code: str) -> bytes:
    return hash_secret_raw(
        code.encode(), bytes(sheet.salt), time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID
    )
