"""The key investment information sheet: written by its parts, asked for, rendered, and accepted as a document."""

from typing import Any

import pytest

from accounts.models import User
from campaigns.key_information import Sheet, current_form
from campaigns.key_information.rendering import as_html, as_pdf
from campaigns.models import Campaign, CampaignDocument
from campaigns.rules import Rules, rule_set
from campaigns.services import key_information
from campaigns.services.key_information import MOST_PAGES, attach_key_information, prepare_submission
from campaigns.testing import make_campaign, write_sheet
from core import clock
from core.api.errors import Stale
from core.data.transactions import atomic
from core.pdf import unprintable
from core.testing import Api
from uploads.services import read_file

TERMS = {"rules": "eu_ecspr", "currency": "EUR", "country": "DE", "time_zone": "Europe/Berlin"}
NOW = clock.now()
ALL = {id: "Etwas." for part in current_form().parts for id in part.fields}


@pytest.fixture
def draft(founder: User) -> Campaign:
    return make_campaign(founder, status="draft", **TERMS)


def url(campaign: Campaign) -> str:
    return f"/api/campaigns/{campaign.pk}/key-information"


def put(api: Api, owner: User, campaign: Campaign, texts: Any = None, **changes: Any) -> Any:
    body = {"instrument": "loan", "texts": ALL if texts is None else texts, **changes}
    return api.as_user(owner).put(url(campaign), body)


def submit(api: Api, owner: User, campaign: Campaign) -> Any:
    return api.as_user(owner).post(f"/api/campaigns/{campaign.pk}/submit")


def missing(answer: Any) -> set[str]:
    return {one["field"] for one in answer.json()["missing"]}


def test_mandatory_parts_are_asked_for_before_submission(api: Api, founder: User, draft: Campaign) -> None:
    assert api.as_user(founder).get(url(draft)).status_code == 404
    assert missing(submit(api, founder, draft)) == {"keyInformation"}
    without = {id: text for id, text in ALL.items() if id not in ("risks", "loan", "vehicle", "securities")}
    body = put(api, founder, draft, {**without, "fees": " \n "}).json()
    needed = {part["id"]: part["needed"] for part in body["parts"]}
    assert needed == {"A": True, "B": True, "C": True, "D": False, "E": False, "F": True, "G": True, "H": True}
    lacking = {f"keyInformation.texts.{id}" for id in ("risks", "loan", "fees")}
    assert missing(submit(api, founder, draft)) == lacking
    put(api, founder, draft, without, instrument="transferable_securities", hasVehicle=True)
    lacking = {f"keyInformation.texts.{id}" for id in ("risks", "securities", "vehicle")}
    assert missing(submit(api, founder, draft)) == lacking
    put(api, founder, draft)
    assert submit(api, founder, draft).json()["status"] == "in_review"
    assert put(api, founder, draft).json()["code"] == "terms_frozen"


def test_it_becomes_a_document_that_is_accepted(api: Api, founder: User, backer: User) -> None:
    campaign = make_campaign(founder, **TERMS)
    document = CampaignDocument.objects.get(campaign=campaign)
    assert (document.kind, document.version) == ("key_information", 1)
    assert read_file(document.file).startswith(b"%PDF-")
    (shown,) = api.as_user(backer).get(f"/api/campaigns/{campaign.pk}/documents").json()["items"]
    assert (shown["required"], shown["sha256"]) == (True, document.sha256)


def test_what_was_prepared_before_a_change_is_not_kept(founder: User, draft: Campaign) -> None:
    write_sheet(draft)
    prepared = prepare_submission(owner=founder, campaign_id=draft.pk, now=clock.now())
    write_sheet(draft, risks="All is lost.")
    for sheet in (prepared, None):
        with pytest.raises(Stale), atomic():
            attach_key_information(draft, sheet, owner=founder, now=clock.now())
    assert not CampaignDocument.objects.exists()


def test_the_three_forms(api: Api, founder: User, backer: User) -> None:
    campaign = make_campaign(founder, title="<script>alert(1)</script> & Söhne", **TERMS)
    client = api.as_user(backer)
    assert client.get(url(campaign)).json()["parts"][0]["fields"][0]["text"] == "What there is to say."
    page = client.get(url(campaign), {"format": "html"})
    words = page.content.decode()
    assert page["Content-Type"].startswith("text/html")
    assert "<script" not in words
    assert "&lt;script&gt;" in words
    assert current_form().disclaimer in words
    assert '<html lang="en">' in words
    document = client.get(url(campaign), {"format": "pdf"})
    assert (document["Content-Type"], document.content[:5]) == ("application/pdf", b"%PDF-")
    assert client.get(url(campaign), {"format": "doc"}).status_code == 400


def test_six_pages_and_not_one_more(api: Api, founder: User, draft: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rule_set(Rules.EU_ECSPR, "2021-11-10")["key_information"].value == key_information.MOST_PAGES == 6
    texts = {**ALL, "risks": "Risk. " * 600, "project": "x" * 4_000}
    pages = as_pdf(Sheet(draft.title, "loan", False, texts), NOW)[1]
    assert pages > 1
    monkeypatch.setattr(key_information, "MOST_PAGES", pages)
    assert put(api, founder, draft, texts).status_code == 200
    monkeypatch.setattr(key_information, "MOST_PAGES", pages - 1)
    for long in (texts, dict.fromkeys(ALL, "Risk. " * 600)):
        refused = put(api, founder, draft, long)
        assert (refused.status_code, refused.json()["code"]) == (409, "key_information_too_long")


@pytest.mark.parametrize(
    "text", ["Ελληνικά", "Български", "Čeština, magyar, română, Ġanni", "Gaeilge", "€ – „x“ · ½", "日本語 한국어 हिन्दी"]
)
def test_other_scripts_are_printed(text: str) -> None:
    assert unprintable(text) == []
    assert as_pdf(Sheet(text, "loan", False, {**ALL, "risks": text}), NOW)[1] <= MOST_PAGES


@pytest.mark.parametrize(("text", "letters"), [("a \ue000", "\ue000"), ("x\U0002fff0 y", "\U0002fff0")])
def test_letters_that_would_vanish_are_refused(
    api: Api, founder: User, draft: Campaign, text: str, letters: str
) -> None:
    refused = put(api, founder, draft, {**ALL, "risks": text})
    assert (refused.status_code, refused.json()["code"]) == (400, "letters_not_printable")
    assert letters in refused.json()["detail"]


def test_what_else_is_refused(api: Api, founder: User, backer: User, draft: Campaign) -> None:
    assert put(api, founder, draft, {"nothing": "x"}).json()["code"] == "unknown_key_information_field"
    assert put(api, founder, draft, instrument="lottery").status_code == 400
    assert put(api, founder, draft, {"risks": "x" * 4_001}).status_code == 400
    assert put(api, backer, draft).status_code == 404
    campaign = make_campaign(founder, **TERMS)
    assert put(api, backer, campaign).json()["code"] == "not_the_owner"
    assert put(api, founder, campaign).json()["code"] == "terms_frozen"


def test_a_page_of_a_sheet_without_texts_has_every_part() -> None:
    words = as_html(Sheet("Title", "loan", False, {}))
    assert all(f"{part.id}. " in words for part in current_form().parts)
