"""How long whatever failed waits for its next try, and how many it has."""

import random
from datetime import timedelta

MAX_ATTEMPTS = 10


def backoff(attempt: int) -> timedelta:
    """1, 2, 4, ... seconds with jitter, at most five minutes."""
    return timedelta(seconds=min(300.0, 2.0 ** (attempt - 1)) * random.uniform(0.8, 1.2))
