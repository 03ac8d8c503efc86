"""Risk flags for reviewers. They order the queue and decide nothing."""

from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from kyc.models import OPEN, Document, Risk, Status, Verification
from kyc.services.numbers import fingerprints_of
from uploads.models import StoredFile

FLAGS = {
    "number_in_use": (Risk.HIGH, _("Another account holds this document number")),
    "file_in_use": (Risk.HIGH, _("Another account sent the same file")),
    "under_18": (Risk.HIGH, _("Younger than 18 by the declared date of birth")),
    "rejected_before": (Risk.MEDIUM, _("An earlier case was rejected")),
    "many_attempts": (Risk.MEDIUM, _("Third attempt or later")),
    "lost_approval": (Risk.MEDIUM, _("New papers after an approval")),
    "poor_pictures": (Risk.LOW, _("A picture is small or blurred")),
}
"""Name in the API → how much it weighs, and what the reviewer reads."""
ADULT = 18
PAPER = "identity_paper"
"""The purpose under which papers are stored."""


def assess(case: Verification, *, now: datetime) -> None:
    """Set the case's flags and level from what is known now. The caller saves."""
    papers = list(Document.objects.current().filter(verification=case).select_related("file"))
    earlier = Verification.objects.filter(user_id=case.user_id, attempt__lt=case.attempt)
    found = {
        "number_in_use": _number_in_use(case),
        "file_in_use": _file_in_use(case, papers),
        "under_18": case.date_of_birth is not None and _age(case.date_of_birth, now.date()) < ADULT,
        "rejected_before": earlier.filter(status=Status.REJECTED).exists(),
        "many_attempts": case.attempt >= 3,
        "lost_approval": "lost_approval" in case.risk_flags,
        "poor_pictures": any("failed" in paper.checks.values() for paper in papers),
    }
    case.risk_flags = [name for name in FLAGS if found[name]]
    case.risk = max((FLAGS[name][0] for name in case.risk_flags), default=Risk.LOW)


def _number_in_use(case: Verification) -> bool:
    others = Verification.objects.filter(
        number_fingerprint__in=fingerprints_of(case), status__in=[*OPEN, Status.VERIFIED]
    )
    return others.exclude(user_id=case.user_id).exists()


def _file_in_use(case: Verification, papers: list[Document]) -> bool:
    prints = [bytes(paper.file.fingerprint) for paper in papers]
    return StoredFile.objects.filter(fingerprint__in=prints, purpose=PAPER).exclude(owner_id=case.user_id).exists()


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
