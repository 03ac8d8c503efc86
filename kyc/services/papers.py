"""Viewing papers: a link valid for one minute and one viewer, each recorded in the history (SECURITY-GOALS 47)."""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from core.data.transactions import retrying
from kyc.access import access_document
from kyc.models import Document, Verification
from kyc.services.decisions import take_case
from kyc.services.history import record
from uploads.services import make_link
from uploads.services.links import Link


@retrying
def open_paper(*, viewer: User, document_id: UUID, why: str = "", now: datetime) -> tuple[Document, Link]:
    """
    A link to a paper. A reviewer who asks takes the open case; no link is made without its line in the history.

    :param why: what the reviewer says it is for
    :raises NotFound: not there, or not the viewer's to see
    """
    document = access_document(viewer, document_id)
    return document, _look(viewer, _case_for(viewer, document.verification, now), document, why, now)


@retrying
def open_case(
    *, reviewer: User, case: Verification, papers: list[Document], why: str = "", now: datetime
) -> dict[UUID, Link]:
    """Links to the given papers of a case by document id, for the review screen. :raises OwnCase:"""
    case = _case_for(reviewer, case, now)
    return {paper.pk: _look(reviewer, case, paper, why, now) for paper in papers if not paper.file.deleted_at}


def _case_for(viewer: User, case: Verification, now: datetime) -> Verification:
    if case.user_id == viewer.pk or not case.is_open:
        return case
    return take_case(reviewer=viewer, verification_id=case.pk, now=now)


def _look(viewer: User, case: Verification, document: Document, why: str, now: datetime) -> Link:
    record("paper_viewed", case, actor=viewer, now=now, document=document, words={"why": why})
    return make_link(document.file_id, viewer_id=viewer.pk, now=now)
