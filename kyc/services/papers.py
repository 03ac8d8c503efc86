"""Looking at papers: a link of a minute for one viewer, and a line in the history for each (SECURITY-GOALS 47)."""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from core.db import retrying
from kyc.access import access_document
from kyc.models import Document
from kyc.services.decisions import take_case
from kyc.services.history import record
from uploads.services import make_link
from uploads.services.links import Link


@retrying
def open_paper(*, viewer: User, document_id: UUID, why: str = "", now: datetime) -> tuple[Document, Link]:
    """
    A link to a paper. A reviewer who asks takes the case; the link is not made without its line in the history.

    :param why: what the reviewer says it is for
    :raises NotFound: not there, or not the viewer's to see
    """
    document = access_document(viewer, document_id)
    case = document.verification
    if case.user_id != viewer.pk:
        case = take_case(reviewer=viewer, verification_id=case.pk, now=now)
    record(viewer, "paper_viewed", case, now=now, document=document, words={"why": why})
    return document, make_link(document.file_id, viewer_id=viewer.pk, now=now)
