from collections.abc import Callable

import pytest

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


@pytest.fixture
def backer(person: Callable[..., User]) -> User:
    return person("backer", identity=True)


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    return person("stranger")


@pytest.fixture
def moderator(person: Callable[..., User]) -> User:
    return person("moderator", role="moderator")


@pytest.fixture
def campaign(founder: User) -> Campaign:
    """A live one with a goal of 1,000.00 USD."""
    return make_campaign(founder)
