"""What investors read and accept: versions, who sees and adds them, and consents that stay."""

import hashlib
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import User
from campaigns.models import Campaign, CampaignDocument, DocumentConsent
from campaigns.services.review import publish_campaign, submit_campaign
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api
from uploads.models import StoredFile
from uploads.testing import PDF, paper, picture, upload


def url(campaign: Campaign, document: Any = None) -> str:
    whole = f"/api/campaigns/{campaign.pk}/documents"
    return f"{whole}/{document}/accept" if document else whole


def add(api: Api, owner: User, campaign: Campaign, kind: str = "terms", file: Any = None, **more: Any) -> Any:
    body = {"kind": kind, "title": "The terms", "file": file or paper(), **more}
    return api.as_user(owner).upload(url(campaign), body)


def publish(campaign: Campaign) -> None:
    submit_campaign(owner=campaign.owner, campaign_id=campaign.pk, now=clock.now())
    publish_campaign(moderator=None, campaign_id=campaign.pk, now=clock.now())


@pytest.fixture
def draft(founder: User) -> Campaign:
    return make_campaign(founder, status="draft")


def test_versions_and_who_sees_them(api: Api, founder: User, backer: User, draft: Campaign) -> None:
    first = add(api, founder, draft).json()
    second = add(api, founder, draft).json()
    agreement = add(api, founder, draft, kind="agreement").json()
    assert [first["version"], second["version"], agreement["version"]] == [1, 2, 1]
    assert first["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert api.as_user(backer).get(url(draft)).status_code == 404
    publish(draft)
    listed = api.as_user(backer).get(url(draft)).json()["items"]
    assert [(one["kind"], one["version"], one["required"]) for one in listed] == [
        ("agreement", 1, True),
        ("terms", 2, True),
        ("terms", 1, False),
    ]
    path = listed[0]["url"].partition("/files/")[2]
    assert b"".join(api.as_user(backer).get(f"/files/{path}").streaming_content) == PDF
    assert api.as_user(founder).get(f"/files/{path}").status_code == 404


def test_accepting(api: Api, founder: User, backer: User, draft: Campaign) -> None:
    old, new = (add(api, founder, draft).json()["id"] for _ in range(2))
    publish(draft)

    def accept(document: str, who: User = backer) -> Any:
        return api.as_user(who).post(url(draft, document))

    refused = accept(old)
    assert (refused.status_code, refused.json()["code"]) == (409, "document_superseded")
    assert (refused.json()["documentId"], refused.json()["version"]) == (new, 2)
    assert accept(new, who=founder).json()["code"] == "own_campaign"
    accepted = accept(new).json()["acceptedAt"]
    assert accepted is not None
    assert accept(new).json()["acceptedAt"] == accepted
    assert DocumentConsent.objects.count() == 1
    assert accept(str(draft.pk)).status_code == 404
    for change in (lambda: DocumentConsent.objects.update(sha256="0" * 64), DocumentConsent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CampaignDocument.objects.update(title="Other terms")


def test_what_cannot_be_added(api: Api, founder: User, backer: User, draft: Campaign, campaign: Campaign) -> None:
    def code(answer: Any) -> Any:
        assert answer.status_code >= 400
        return answer.json()["code"]

    assert code(add(api, founder, draft, file=picture())) == "unsupported_file_type"
    assert code(add(api, founder, draft, file=upload(b"%PDF-1.7 and nothing more"))) == "broken_file"
    assert code(add(api, founder, draft, kind="secret")) == "invalid_input"
    assert code(add(api, founder, campaign)) == "terms_frozen"
    assert code(add(api, backer, draft)) == "not_found"
    assert code(add(api, backer, campaign)) == "not_the_owner"
    assert not CampaignDocument.objects.exists()


def test_a_draft_goes_with_its_documents(api: Api, founder: User, draft: Campaign) -> None:
    add(api, founder, draft)
    assert api.as_user(founder).delete(f"/api/campaigns/{draft.pk}").status_code == 200
    assert StoredFile.objects.get(purpose="campaign_document").deleted_at is not None


def test_versions_are_bounded(api: Api, founder: User, draft: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.services.documents.MOST_VERSIONS", 1)
    assert add(api, founder, draft).status_code == 201
    assert add(api, founder, draft).json()["code"] == "too_many_documents"
