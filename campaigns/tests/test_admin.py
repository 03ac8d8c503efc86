"""Campaign review in the admin."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import Api

QUEUE = reverse("admin:campaigns_campaign_changelist")


def page(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


@pytest.fixture
def sign_in_to_admin() -> Callable[..., Any]:
    def enter(person: User) -> Client:
        browser = Client()
        browser.force_login(person)
        return browser

    return enter


@pytest.fixture
def waiting(founder: User) -> Campaign:
    return make_campaign(founder, status="in_review", title="Windmill on the hill", max_amount="2000")


def status(campaign: Campaign) -> str:
    return Campaign.objects.get(pk=campaign.pk).status


def test_the_queue_shows_what_waits(
    sign_in_to_admin: Callable[..., Any], moderator: User, founder: User, waiting: Campaign, campaign: Campaign
) -> None:
    make_campaign(founder, status="draft", title="A secret")
    admin = sign_in_to_admin(moderator)
    queue = admin.get(QUEUE).content.decode()
    assert "Windmill on the hill" in queue
    assert campaign.title not in queue
    everything = admin.get(QUEUE, {"queue": "all"}).content.decode()
    assert campaign.title in everything
    assert "A secret" not in everything


def test_publish(sign_in_to_admin: Callable[..., Any], moderator: User, waiting: Campaign) -> None:
    admin = sign_in_to_admin(moderator)
    shown = admin.get(page(waiting)).content.decode()
    assert "$2,000.00" in shown
    assert admin.post(page(waiting), {"decision": "publish", "seen": waiting.version}, follow=True).status_code == 200
    assert status(waiting) == "live"


def test_sending_back_needs_a_reason(sign_in_to_admin: Callable[..., Any], moderator: User, waiting: Campaign) -> None:
    admin = sign_in_to_admin(moderator)
    refused = admin.post(page(waiting), {"decision": "reject", "reason": "  "}, follow=True)
    assert refused.status_code == 400 and b"what has to change" in refused.content
    long = admin.post(page(waiting), {"decision": "reject", "reason": "Name <it>. " * 100})
    assert long.status_code == 400 and b"at most 1000 characters" in long.content
    assert b"Name &lt;it&gt;. Name" in long.content, "what was typed is kept"
    assert admin.post(page(waiting), {"decision": "nonsense"}).status_code == 404
    assert status(waiting) == "in_review"
    admin.post(page(waiting), {"decision": "reject", "reason": "Name the hill."})
    assert Campaign.objects.get(pk=waiting.pk).review_note == "Name the hill."
    assert b"Name the hill." in admin.get(page(waiting)).content


def test_a_refusal_is_said_beside_the_form_and_keeps_what_was_typed(
    sign_in_to_admin: Callable[..., Any], moderator: User, waiting: Campaign
) -> None:
    admin = sign_in_to_admin(moderator)
    Campaign.objects.filter(pk=waiting.pk).update(ends_at=timezone.now() - timedelta(hours=1))
    refused = admin.post(page(waiting), {"decision": "publish", "reason": "Well done", "seen": waiting.version})
    form = re.search(r'action="#refused".*?</form>', refused.content.decode(), re.DOTALL).group()
    assert refused.status_code == 409 and 'role="alert"' in form and "Well done</textarea>" in form
    colleague = admin.post(page(waiting), {"decision": "reject", "reason": "Too late."})
    assert colleague.status_code == 302
    again = admin.post(page(waiting), {"decision": "reject", "reason": "A second thought"})
    assert again.status_code == 409 and b"A second thought" in again.content, "also where the form has gone"


def test_nobody_decides_on_their_own(sign_in_to_admin: Callable[..., Any], person: Callable[..., User]) -> None:
    owner = person("mod", role="moderator", identity=True)
    own = make_campaign(owner, status="in_review")
    admin = sign_in_to_admin(owner)
    assert b"Someone else decides" in admin.get(page(own)).content
    admin.post(page(own), {"decision": "publish", "seen": own.version})
    assert status(own) == "in_review"


@pytest.mark.parametrize(("role", "code"), [("reviewer", 403), ("user", 302)])
def test_others_have_no_place_here(
    sign_in_to_admin: Callable[..., Any], person: Callable[..., User], waiting: Campaign, role: str, code: int
) -> None:
    admin = sign_in_to_admin(person("someone", role=role))
    assert admin.get(QUEUE).status_code == code
    assert admin.post(page(waiting), {"decision": "publish", "seen": waiting.version}).status_code == code
    assert status(waiting) == "in_review"


def test_text_is_shown_as_text(sign_in_to_admin: Callable[..., Any], moderator: User, founder: User) -> None:
    campaign = make_campaign(founder, status="in_review", description="<script>alert(1)</script>")
    assert b"<script>alert" not in sign_in_to_admin(moderator).get(page(campaign)).content


def test_the_reviewer_publishes_what_they_read_and_nothing_newer(
    sign_in_to_admin: Callable[..., Any], api: Api, moderator: User, founder: User, waiting: Campaign
) -> None:
    admin, owner = sign_in_to_admin(moderator), api.as_user(founder)
    read = re.search(r'name="seen" value="(\d+)"', admin.get(page(waiting)).content.decode())
    assert read is not None
    edited = owner.put(f"/api/campaigns/{waiting.pk}", {"title": "Windmill in the <valley>", "goalAmount": "1500"})
    assert (edited.status_code, edited.json()["status"]) == (200, "in_review")
    refused = admin.post(page(waiting), {"decision": "publish", "seen": read[1]})
    assert refused.status_code == 409 and status(waiting) == "in_review"
    shown = refused.content.decode()
    assert "after you opened it" in shown and "Changed since it was submitted" in shown
    assert "<del>on</del>" in shown and "<ins>in</ins>" in shown and "<ins>&lt;valley&gt;</ins>" in shown
    assert "<del>$1,000.00</del><ins>$1,500.00</ins>" in shown
    assert admin.post(page(waiting), {"decision": "publish"}).status_code == 409, "who does not say what was read"
    assert admin.post(page(waiting), {"decision": "publish", "seen": edited.json()["version"]}).status_code == 302
    assert status(waiting) == "live"


def test_after_a_decision_comes_the_next_one(
    sign_in_to_admin: Callable[..., Any], person: Callable[..., User], moderator: User, founder: User, waiting: Campaign
) -> None:
    second, third = (make_campaign(founder, status="in_review", title=title) for title in ("Second", "Third"))
    admin = sign_in_to_admin(moderator)
    assert page(third) in admin.get(page(second)).content.decode()
    turns = [(second, page(third)), (third, page(waiting)), (waiting, QUEUE)]
    for campaign, then in turns:
        decided = admin.post(page(campaign), {"decision": "reject", "reason": "Name the hill."})
        assert decided["Location"] == then


def test_moderators_edit_the_ready_made_words(
    sign_in_to_admin: Callable[..., Any], moderator: User, waiting: Campaign
) -> None:
    admin = sign_in_to_admin(moderator)
    assert b"Please name the risks plainly." in admin.get(page(waiting)).content
    add = reverse("admin:campaigns_reviewphrase_add")
    assert admin.post(add, {"text": "Say where the hill is.", "position": "1"}).status_code == 302
    assert b"<option>Say where the hill is.</option>" in admin.get(page(waiting)).content
