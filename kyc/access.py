"""
Which case and which paper a person may see or change. Writers use `lock_case`: it locks the person, then the case.
"""

from uuid import UUID

from accounts.models import User
from core.api.errors import NotFound
from core.data.locks import lock
from kyc.models import Document, Verification
from kyc.permissions import REVIEW


def latest_case(user_id: UUID) -> Verification | None:
    """The person's newest case."""
    return Verification.objects.filter(user_id=user_id).order_by("-created_at", "-id").first()


def lock_person(user_id: UUID) -> User:
    """:raises NotFound: nobody has this id"""
    person = lock(User.objects).filter(pk=user_id).first()
    if person is None:
        raise NotFound()
    return person


def lock_case(verification_id: UUID) -> Verification:
    """
    The case, locked together with its person (docs/locking.md: people first).

    :raises NotFound: there is none
    """
    user_id = Verification.objects.filter(pk=verification_id).values_list("user_id", flat=True).first()
    if user_id is None:
        raise NotFound()
    person = lock_person(user_id)
    case = lock(Verification.objects).get(pk=verification_id)
    case.user = person
    return case


def case_id_of(*, verification_id: UUID | None = None, user_id: UUID | None = None) -> UUID:
    """
    The id of the case that a reviewer names, by itself, by its person (the newest), or by both.

    :raises NotFound: there is none
    """
    cases = Verification.objects.order_by("-created_at", "-id")
    if verification_id:
        cases = cases.filter(pk=verification_id)
    if user_id:
        cases = cases.filter(user_id=user_id)
    found = cases.values_list("pk", flat=True).first()
    if found is None:
        raise NotFound()
    return found


def access_document(viewer: User, document_id: UUID) -> Document:
    """
    A paper that the viewer may look at: a reviewer any, a person only their own.

    :raises NotFound: there is none, it is somebody else's, or its file was destroyed
    """
    papers = Document.objects.select_related("verification", "file").filter(file__deleted_at__isnull=True)
    if not REVIEW.held_by(viewer):
        papers = papers.filter(verification__user_id=viewer.pk)
    document = papers.filter(pk=document_id).first()
    if document is None:
        raise NotFound()
    return document
