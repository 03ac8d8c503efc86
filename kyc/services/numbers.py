"""Document numbers: one spelling, sealed at rest, compared by fingerprint, shown by their last four."""

import re

from core.crypto.envelopes import WRAPPED_KEY, rewrap, rewraps, seal_text, unseal_text
from core.crypto.keys import fingerprint, fingerprints
from kyc.errors import InvalidDocumentNumber
from kyc.models import Verification

_DECORATION = re.compile(r"[\s./-]")
_PLAIN = re.compile(r"[A-Z0-9]{5,30}")
_KIND = "document number"


def normalise(text: str) -> str:
    """Upper case without spaces and dashes. :raises InvalidDocumentNumber:"""
    number = _DECORATION.sub("", text).upper()
    if not _PLAIN.fullmatch(number):
        raise InvalidDocumentNumber(field="documentNumber")
    return number


def keep_number(case: Verification, number: str) -> None:
    case.sealed_number = seal_text(number, case.sealed_as)
    case.number_last4 = number[-4:]
    case.number_fingerprint = fingerprint(number.encode(), _KIND)


def full_number(case: Verification) -> str:
    """For the review screen and nowhere else (SECURITY-GOALS 48). Empty once its person was erased."""
    return unseal_text(bytes(case.sealed_number), case.sealed_as) if case.sealed_number else ""


def fingerprints_of(case: Verification) -> list[bytes]:
    """Under the present secret and the retired ones."""
    return fingerprints(full_number(case).encode(), _KIND)


@rewraps("document numbers")
def rewrap_numbers() -> int:
    changed = 0
    for case in Verification.objects.exclude(sealed_number=b"").only("sealed_number").iterator(chunk_size=500):
        before = bytes(case.sealed_number)
        key = rewrap(before[:WRAPPED_KEY], case.sealed_as)
        if key:
            kept = Verification.objects.filter(pk=case.pk, sealed_number=before)
            changed += kept.update(sealed_number=key + before[WRAPPED_KEY:])
    return changed
