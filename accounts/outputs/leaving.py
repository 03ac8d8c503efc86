"""Exports and the end of an account."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from accounts.models import DataExport
from accounts.services.exports import link_to
from core.api.outputs import Moment, Output, Url


class ExportOutput(Output):
    id: UUID
    status: DataExport.Status
    link: Annotated[Url | None, Meta(description="The archive, for five minutes; ask again for another link.")]
    created_at: Moment
    expires_at: Moment | None

    @classmethod
    def of(cls, export: DataExport, *, now: datetime) -> Self:
        return cls(
            id=export.pk,
            status=DataExport.Status(export.status_at(now)),
            link=link_to(export, now=now),
            created_at=export.created_at,
            expires_at=export.expires_at,
        )


class LeavingOutput(Output):
    message: str
    deletion_due_at: Annotated[Moment, Meta(description="Until then signing in keeps the account.")]
