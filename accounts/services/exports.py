"""Everything about a person in one ZIP: JSON files and the files they gave, from every app (core.privacy)."""

import json
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import DataExport, User
from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.api.rendering import to_json
from core.data.locks import lock
from core.data.transactions import retrying
from core.jobs import outbox
from core.privacy.exports import files_of, rows_of
from uploads.models import StoredFile
from uploads.services import delete_file, keep_files, make_link, store_archive

PER_PERSON = Limit("export:person", 5, timedelta(days=1))
KEPT = timedelta(days=7)
LINK_LIFETIME = timedelta(minutes=5)
GIVEN_UP = timedelta(hours=6)
"""An archive that is not made by then has failed: its event was parked, and the person may ask again."""

READ_ME = _("""\
What VECTRAGrow knows of you, on {day}.

Each folder is a part of the platform and each .json file one kind of thing in it; "files" holds the pictures you sent.
Amounts named "minor" are in the smallest unit of their currency (cents). Times are UTC.

Not in here: passwords, tokens and other secrets, of which we keep hashes or sealed copies only, and the papers of your
identity check, which you can open one by one in the app.
""")


@retrying
def request_export(*, person: User, now: datetime) -> DataExport:
    """Have an archive made; while one is under way it is that one."""
    user = lock(User.objects).get(pk=person.pk)
    pending = DataExport.objects.filter(user=user, status=DataExport.Status.PENDING, created_at__gt=now - GIVEN_UP)
    export = pending.first()
    if export is None:
        export = DataExport.objects.create(user=user, created_at=now)
        outbox.emit("accounts.make_export", now=now, export_id=str(export.pk))
        events.record("export.requested", export, actor=user, now=now, user_id=user.pk)
    return export


def make_export(*, export_id: UUID, now: datetime) -> None:
    """Make the archive and notify the person. Does nothing when repeated, or when the account was erased."""
    export = DataExport.objects.filter(pk=export_id, status=DataExport.Status.PENDING).first()
    if export is not None:
        with TemporaryFile() as archive:
            write_archive(archive, export.user_id, now)
            stored = store_archive(archive, owner_id=export.user_id, purpose="data_export", now=now)
        _finish_export(export.pk, stored, now)


@retrying
def _finish_export(export_id: UUID, stored: StoredFile, now: datetime) -> None:
    export = lock(DataExport.objects).get(pk=export_id)
    if export.status != DataExport.Status.PENDING:  # made twice at once
        delete_file(stored, now=now)
        return
    keep_files([stored])
    export.status, export.file, export.expires_at = DataExport.Status.READY, stored, now + KEPT
    export.save(update_fields=["status", "file", "expires_at"])
    events.record("export.made", export, actor=None, now=now, user_id=export.user_id, export_id=export.pk)


def write_archive(out: IO[bytes], person_id: UUID, now: datetime) -> None:
    """Write the ZIP, of which nothing but the rows is ever in memory: files may have gigabytes."""
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", str(READ_ME).format(day=f"{now:%Y-%m-%d}"))
        for name, rows in rows_of(person_id):
            text = json.dumps(json.loads(to_json(rows)), indent=2, ensure_ascii=False)
            archive.writestr(name, text)
        for name, chunks in files_of(person_id):
            with archive.open(
                ZipInfo(name, now.timetuple()[:6]), "w", force_zip64=True
            ) as entry:  # not compressed again
                entry.writelines(chunks)


def access_export(person: User, export_id: UUID) -> DataExport:
    """:raises NotFound: not there, or somebody else's"""
    export = DataExport.objects.filter(user=person, pk=export_id).first()
    if export is None:
        raise NotFound()
    return export


def link_to(export: DataExport, *, now: datetime) -> str | None:
    """While it is ready, a link to the archive that opens for whoever holds it, for five minutes."""
    if export.status_at(now) != DataExport.Status.READY or export.file_id is None:
        return None
    return make_link(export.file_id, viewer_id=None, now=now, lifetime=LINK_LIFETIME).url


def expired_archives(now: datetime) -> QuerySet[DataExport, UUID]:
    """Ids of exports whose week is over."""
    over = DataExport.objects.filter(status=DataExport.Status.READY, expires_at__lte=now)
    return over.order_by("expires_at", "id").values_list("pk", flat=True)


@retrying
def delete_archive(export_id: UUID, *, now: datetime) -> bool:
    """Delete an archive; the export stays as expired. Returns whether it was there."""
    ready = DataExport.objects.filter(pk=export_id, status=DataExport.Status.READY)
    export = lock(ready, skip_locked=True).select_related("file").first()
    if export is None:
        return False
    export.status = DataExport.Status.EXPIRED
    export.save(update_fields=["status"])
    if export.file is not None:
        delete_file(export.file, now=now)
    return True
