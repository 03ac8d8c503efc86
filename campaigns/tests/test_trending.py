from datetime import timedelta

import pytest

from campaigns.trending import EPOCH, HALF_LIFE, score_of_one, with_one_more


def decayed_count(moments, now):
    return sum(2 ** (-(now - moment) / HALF_LIFE) for moment in moments)


def test_scores_rank_like_decayed_counts_at_any_time():
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
