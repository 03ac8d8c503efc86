"""Nobody invests without having accepted the newest documents of the campaign."""

from typing import Any

import pytest

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.documents import add_document, attach_document, store_document_file
from campaigns.services.funding import lock_campaign
from campaigns.services.review import publish_campaign, submit_campaign
from campaigns.testing import make_campaign
from core import clock
from core.data.transactions import atomic
from core.testing import Api
from investments.models import Investment
from investments.testing import make_card
from investments.tests.conftest import invest_url, refusal
from uploads.testing import paper


@pytest.fixture
def with_terms(founder: User) -> Campaign:
    campaign = make_campaign(founder, status="draft")
    now = clock.now()
    for kind in ("terms", "agreement"):
        stored = store_document_file(owner=founder, file=paper(), now=now)
        add_document(owner=founder, campaign_id=campaign.pk, kind=kind, title="Read this", stored=stored, now=now)
    submit_campaign(owner=founder, campaign_id=campaign.pk, now=now)
    return publish_campaign(moderator=None, campaign_id=campaign.pk, now=now)


def ask(api: Api, who: User, campaign: Campaign) -> Any:
    return api.as_user(who).post(invest_url(campaign), {"amount": "10", "paymentMethodId": str(make_card(who).pk)})


def accept_all(api: Api, who: User, refused: Any) -> None:
    campaign_id = refused.wsgi_request.path.split("/")[3]
    for one in refused.json()["documents"]:
        answer = api.as_user(who).post(f"/api/campaigns/{campaign_id}/documents/{one['id']}/accept")
        assert answer.status_code == 200


def test_documents_are_accepted_before_investing(
    api: Api, founder: User, backer: User, friend: User, with_terms: Campaign
) -> None:
    refused = ask(api, backer, with_terms)
    assert refusal(refused) == (403, "consent_required")
    assert [(one["kind"], one["version"]) for one in refused.json()["documents"]] == [("agreement", 1), ("terms", 1)]
    assert not Investment.objects.exists()
    accept_all(api, backer, refused)
    assert ask(api, backer, with_terms).status_code == 200
    assert refusal(ask(api, friend, with_terms)) == (403, "consent_required")
    stored = store_document_file(owner=founder, file=paper(), now=clock.now())
    with atomic():
        campaign = lock_campaign(with_terms.pk)
        attach_document(campaign, kind="terms", title="New", stored=stored, actor=founder, now=clock.now())
    again = ask(api, backer, with_terms)
    assert [(one["kind"], one["version"]) for one in again.json()["documents"]] == [("terms", 2)]
    accept_all(api, backer, again)
    assert ask(api, backer, with_terms).status_code == 200
