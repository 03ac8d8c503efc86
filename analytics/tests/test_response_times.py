"""How long answers take equals a count by hand over random conversations."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine

from accounts.models import User
from accounts.testing import make_person
from analytics.jobs import ROLL_UP
from analytics.response_times import BOUNDS, count_answers, response_times
from chat.models import Message
from chat.tests.factories import direct, group
from core.data.ids import first_id_at
from core.jobs.runner import run
from core.testing import Api

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 15, tzinfo=UTC)


def written(conversation: Any, sender: User, seq: int, at: datetime) -> Message:
    """A message of a moment, with an id of that moment."""
    key = UUID(int=first_id_at(at).int + random.getrandbits(60))
    return Message(pk=key, conversation=conversation, seq=seq, sender=sender, content="Hello", created_at=at)


def talks_at_random(seed: int) -> list[list[Message]]:
    choose, found = random.Random(seed), []
    for _ in range(9):
        two = make_person(), make_person()
        conversation = group(*two) if choose.random() < 0.3 else direct(*two)
        at, messages = NOW - timedelta(days=5), []
        for seq in range(1, 60):
            at += timedelta(seconds=choose.choice([0.5, 59, 60, 61, 299, 3000, 20_000, 100_000]) * choose.random())
            messages.append(written(conversation, choose.choice(two), seq, at))
        Message.objects.bulk_create(messages)
        if conversation.type == "direct":
            found.append(messages)
    return found


def by_hand(talks: list[list[Message]], since: datetime, until: datetime, person_id: Any = None) -> list[int]:
    found = [0] * (len(BOUNDS) + 1)
    for messages in talks:
        asked: Message | None = None  # the first that waits for an answer
        for message in messages:
            if asked is not None and asked.sender_id != message.sender_id:
                took = (message.created_at - asked.created_at).total_seconds()
                if since <= message.created_at < until and person_id in (None, message.sender_id):
                    found[sum(took >= bound for bound in BOUNDS)] += 1
                asked = message
            asked = asked or message
    return found


@pytest.mark.parametrize("seed", range(3))
def test_answers_equal_a_count_by_hand(seed: int) -> None:
    talks = talks_at_random(seed)
    someone = talks[0][0].sender_id
    for since in (NOW - timedelta(days=9), NOW - timedelta(days=4)):
        for person_id in (None, someone):
            counted = count_answers(since, NOW, person_id=person_id)
            assert counted == by_hand(talks, since, NOW, person_id)
    assert sum(count_answers(NOW - timedelta(days=9), NOW)) > 10


def test_half_within_is_the_bound_that_half_of_them_kept() -> None:
    assert response_times([0] * 8).half_within_seconds is None
    assert response_times([1, 0, 1, 0, 0, 0, 0, 0]).half_within_seconds == 60
    assert response_times([1, 0, 0, 2, 0, 0, 0, 0]).half_within_seconds == 3600
    slow = response_times([1, 0, 0, 0, 0, 0, 0, 2])
    assert (slow.answers, slow.half_within_seconds, slow.within[-1].answers) == (3, None, 1)


@time_machine.travel(NOW, tick=False)
def test_response_times_of_the_platform_and_of_a_person(api: Api, person: Callable[..., User]) -> None:
    founder, backer = person("founder"), person("backer")
    talk, at = direct(founder, backer), NOW - timedelta(hours=2)
    seconds = [(backer, 0), (backer, 30), (founder, 200), (founder, 210), (backer, 5000)]
    Message.objects.bulk_create(
        written(talk, sender, seq, at + timedelta(seconds=after)) for seq, (sender, after) in enumerate(seconds, 1)
    )
    assert run(ROLL_UP, now=NOW).failed == 0
    mine = api.as_user(founder).get("/api/analytics/engagement").json()["responseTimes"]
    assert (mine["answers"], mine["halfWithinSeconds"]) == (1, 300)
    everybody = api.as_user(person("staff", role="moderator")).get("/api/analytics/engagement").json()["responseTimes"]
    assert (everybody["answers"], everybody["halfWithinSeconds"]) == (2, 300)
    assert [each["answers"] for each in everybody["within"]] == [0, 1, 1, 1, 2, 2, 2]
