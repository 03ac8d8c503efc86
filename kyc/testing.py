"""Cases for tests of every app, made by the services that make them."""

from collections.abc import Iterable

from accounts.models import User
from core import clock
from kyc.models import Verification
from kyc.services.evidence import add_documents, start_verification
from uploads.testing import picture


def submitted_case(person: User, *, number: str = "C01X00T47", kinds: Iterable[str] | None = None) -> Verification:
    """A passport case with its papers, waiting for a reviewer (`kinds`: only these papers)."""
    now = clock.now()
    case = start_verification(person=person, document_type="passport", document_number=number, now=now)
    named = list(case.required if kinds is None else kinds)
    # Pictures of this person's own: the same file from two people is a risk.
    files = [picture(size=(900, 700), seed=person.pk.int % 9973 + place) for place, _ in enumerate(named)]
    if named:
        add_documents(person=person, files=files, kinds=named, now=now)
    return Verification.objects.get(pk=case.pk)
