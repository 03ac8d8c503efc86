import pytest

from campaigns.testing import make_campaign


@pytest.fixture
def founder(person):
    return person("founder", identity=True)


@pytest.fixture
def backer(person):
    return person("backer", identity=True)


@pytest.fixture
def stranger(person):
    return person("stranger")


@pytest.fixture
def moderator(person):
    return person("moderator", role="moderator")


@pytest.fixture
def campaign(founder):
    """A live one with a goal of 1,000.00 USD."""
    return make_campaign(founder)
