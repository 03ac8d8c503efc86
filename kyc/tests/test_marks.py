"""A paper's content and a document number are looked for everywhere after a whole review: they must be nowhere."""

import base64
import logging
from io import BytesIO

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from PIL import Image
from pytest_django.fixtures import Settings

from accounts.models import User
from core.testing import Api, drain_outbox
from kyc.models import Verification
from kyc.services.numbers import full_number
from uploads.models import StoredFile
from uploads.services import read_file
from uploads.testing import PDF, paper, picture_bytes, upload

NUMBER = "XMARKER4711"
MARK = b"SEALED-PAPER-MARKER"
PLACE = "MARKED-CAMERA"


def everything_in_the_database() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        dump = []
        for table in tables:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            dump += [row for (row,) in cursor.fetchall()]
    return "\n".join(dump).encode()


def everything_in_the_stores() -> bytes:
    return b"\n".join(
        storages[alias].open(row.storage_name).read()
        for alias, kind in (("default", "public"), ("private", "private"))
        for row in StoredFile.objects.filter(visibility=kind)
    )


@pytest.mark.django_db
def test_no_trace_of_number_or_paper(
    api: Api, applicant: User, reviewer: User, second_reviewer: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mine, staff, second_staff = (api.as_user(who) for who in (applicant, reviewer, second_reviewer))
    answers = [
        mine.post(
            "/api/kyc/initiate",
            {"documentType": "passport", "documentNumber": NUMBER.lower()},
            idempotency_key="start-1",
        )
    ]
    exif = Image.Exif()
    exif[0x010F] = PLACE
    selfie = picture_bytes("JPEG", size=(900, 700), exif=exif, comment=MARK)
    body = {"documents": [paper(PDF.replace(b"/Catalog", MARK)), upload(selfie)], "kinds": ["front", "selfie"]}
    answers.append(mine.upload("/api/kyc/documents", body, idempotency_key="papers-1"))
    for document in answers[-1].json()["documents"]:
        answers.append(staff.get(f"/api/kyc/documents/{document['id']}/file"))
        answers.append(staff.put(f"/api/kyc/documents/{document['id']}", {"status": "verified"}))
    case = staff.get("/api/kyc/pending").json()["items"][0]["id"]
    for client in (staff, second_staff):
        answers.append(client.put("/api/kyc/status", {"verificationId": case, "status": "verified"}))
    answers += [mine.get("/api/kyc/status"), staff.get("/api/kyc/pending")]
    drain_outbox(now=timezone.now())
    assert all(answer.status_code < 300 for answer in answers)

    said = b"\n".join(answer.content for answer in answers)
    for place in (everything_in_the_database(), everything_in_the_stores(), caplog.text.encode(), said):
        for mark in (NUMBER.encode(), MARK, MARK.hex().encode(), NUMBER.encode().hex().encode(), PLACE.encode()):
            assert mark.lower() not in place.lower()


@pytest.mark.django_db
def test_rotating_the_wrapping_key(case: Verification, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = settings.DOCUMENT_KEYS[0], base64.b64encode(b"n" * 32).decode()
    settings.DOCUMENT_KEYS = [new, old]
    call_command("rewrap_keys")
    assert capsys.readouterr().out == "document numbers: 1 rewrapped\nfiles: 2 rewrapped\n"
    call_command("rewrap_keys")
    assert "files: 0" in capsys.readouterr().out
    settings.DOCUMENT_KEYS = [new]
    case.refresh_from_db()
    assert full_number(case) == "C01X00T47"
    assert read_file(case.documents.get(kind="front").file)


@pytest.mark.django_db
def test_what_is_sealed_can_be_opened_again(case: Verification) -> None:
    assert full_number(case) == "C01X00T47"
    content = read_file(case.documents.get(kind="front").file)
    assert Image.open(BytesIO(content)).size == (900, 700)
