"""People whom one may know."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from core.data.ids import first_id_at
from core.data.statements import load

_LIST = load("social/sql/suggestion_list.sql")
KEYS = ("as_of", "score", "user_id")
"""What a page is continued behind; the first is the moment of the first page."""
MAX_SUGGESTIONS = 1000
"""How many are counted."""


def suggestion_rows(viewer: User, now: datetime, **part: Any) -> list[Any]:
    """
    The people with whom the viewer has the most in common, for `Suggestion.of_row`.

    :param part: `core.api.pages.Part.parameters`, by `KEYS`
    """
    as_of = part.pop("after_as_of", now)
    return _LIST.rows(viewer=viewer.pk, now=now, as_of=as_of, before=first_id_at(as_of), **part)


def suggested(viewer: User, now: datetime) -> QuerySet[User]:
    """The people of `suggestion_rows`, to be counted."""
    return User.objects.filter(pk__in=[row.user_id for row in suggestion_rows(viewer, now, limit=MAX_SUGGESTIONS)])
