"""Who reported something, for the moderator who works on it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core import events
from core.api.errors import NotFound
from core.data.transactions import retrying
from social.errors import CaseAboutYou
from social.models import Case
from social.services.trust import record_of

MAX_REPORTERS = 50


@retrying
def show_reporters(*, moderator: Any, case_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """
    The newest reporters of a case, with how their reports were judged. That somebody asked is a line in the audit log.

    :raises NotFound: :raises CaseAboutYou: it is about the moderator
    """
    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        raise NotFound()
    if case.person_id == moderator.pk:
        raise CaseAboutYou()
    reports = list(case.reports.select_related("reporter").order_by("-pk")[:MAX_REPORTERS])
    events.record("moderation.reporters_shown", case, actor=moderator, now=now, count=len(reports))
    return [{"report": report, "record": record_of(report.reporter)} for report in reports]
