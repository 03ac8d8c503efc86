"""An owner who edits while a moderator publishes, and two workers that announce one update: each with its twin."""

from datetime import timedelta
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest

from accounts.models import User
from campaigns.errors import ChangedSinceSeen, TermsFrozen
from campaigns.models import Campaign, Update
from campaigns.services import review, updates
from campaigns.services.drafts import edit_campaign
from campaigns.services.review import publish_campaign
from campaigns.services.updates import announce_update
from campaigns.testing import make_campaign
from core import clock
from core.models import Event as Recorded
from core.money import parse_decimal
from core.testing import WAIT_LIMIT, together

pytestmark = pytest.mark.django_db(transaction=True)
READ = 100_000
"""The goal that the moderator has read."""


@pytest.fixture
def waiting(founder: User) -> Campaign:
    return make_campaign(founder, status="in_review")


@pytest.fixture
def scheduled(campaign: Campaign) -> Update:
    """An update that became visible and was not announced."""
    at = clock.now() - timedelta(minutes=1)
    return Update.objects.create(
        campaign=campaign, audience="public", author_role="founder", content="Built.", publish_at=at
    )


def edit(founder: User, campaign: Campaign) -> Any:
    return edit_campaign(owner=founder, campaign_id=campaign.pk, now=clock.now(), goal_amount=parse_decimal("2000.00"))


def publish(moderator: User, campaign: Campaign) -> Any:
    return publish_campaign(moderator=moderator, campaign_id=campaign.pk, now=clock.now(), seen=campaign.version)


def test_what_goes_live_is_what_the_moderator_has_read(founder: User, moderator: User, waiting: Campaign) -> None:
    edited, published = together(partial(edit, founder, waiting), partial(publish, moderator, waiting))
    now = Campaign.objects.get(pk=waiting.pk)
    if now.status == "live":
        assert now.goal_minor == READ and isinstance(edited, TermsFrozen)
    else:
        assert now.goal_minor == 2 * READ and isinstance(published, ChangedSinceSeen)


def test_what_goes_live_twin(
    founder: User, moderator: User, waiting: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock a campaign goes live with a goal that nobody has reviewed."""
    has_read, is_edited = Event(), Event()

    class Unlocked:
        def __init__(self, rows: Any) -> None:
            self.rows = rows

        def first(self) -> Any:
            found = self.rows.first()
            has_read.set()
            is_edited.wait(timeout=WAIT_LIMIT)
            return found

    monkeypatch.setattr(review, "lock", Unlocked)

    def edit_meanwhile() -> None:
        has_read.wait(timeout=WAIT_LIMIT)
        edit(founder, waiting)
        is_edited.set()

    together(edit_meanwhile, partial(publish, moderator, waiting))
    now = Campaign.objects.get(pk=waiting.pk)
    assert (now.status, now.goal_minor) == ("live", 2 * READ)


def announced() -> int:
    return Recorded.objects.filter(kind="campaign.update_published").count()


def test_an_update_is_announced_once(scheduled: Update) -> None:
    together(*[partial(announce_update, scheduled.pk, now=clock.now())] * 4)
    assert announced() == 1


def test_an_update_is_announced_once_twin(scheduled: Update, monkeypatch: pytest.MonkeyPatch) -> None:
    met = Barrier(2)

    class Unlocked:
        def __init__(self, rows: Any) -> None:
            self.rows = rows

        def first(self) -> Any:
            found = self.rows.first()
            met.wait(timeout=WAIT_LIMIT)
            return found

    monkeypatch.setattr(updates, "lock", Unlocked)
    together(*[partial(announce_update, scheduled.pk, now=clock.now())] * 2)
    assert announced() == 2
