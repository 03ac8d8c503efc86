from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.trending import EPOCH, HALF_LIFE, WITH_ONE_MORE, score_of_one, with_one_more
from core.data import sql


def decayed_count(moments: Any, now: datetime) -> Any:
    return sum(2 ** (-(now - moment) / HALF_LIFE) for moment in moments)


def test_scores_rank_like_decayed_counts_at_any_time() -> None:
    start = EPOCH + timedelta(days=700)
    histories = [
        [start],
        [start, start + timedelta(days=1)],
        [start + timedelta(days=2)],
        [start] * 5,
        [start + timedelta(days=4), start],
    ]
    scores = []
    for moments in histories:
        score = score_of_one(moments[0])
        for moment in moments[1:]:
            score = with_one_more(score, moment)
        scores.append(score)
    for now in (start + timedelta(days=5), start + timedelta(days=50)):
        for score, moments in zip(scores, histories, strict=True):
            assert 2 ** (score - score_of_one(now)) == pytest.approx(decayed_count(moments, now))


def test_sql_adds_like_python(campaign: Campaign) -> None:
    now = timezone.now()
    for score in (0.0, score_of_one(now), score_of_one(now) + 3, -5000.0):
        Campaign.objects.filter(pk=campaign.pk).update(trend=score)
        one = score_of_one(now)
        sql.change(f"UPDATE campaigns_campaign SET trend = {WITH_ONE_MORE} WHERE id = %s", [one, one, campaign.pk])
        assert Campaign.objects.get(pk=campaign.pk).trend == pytest.approx(with_one_more(score, now))
