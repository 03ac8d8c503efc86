import pytest

from chat.tests.factories import direct, group


@pytest.fixture
def founder(person):
    return person("founder")


@pytest.fixture
def backer(person):
    return person("backer")


@pytest.fixture
def stranger(person):
    return person("stranger")


@pytest.fixture
def talk(founder, backer):
    """The direct conversation of founder and backer."""
    return direct(founder, backer)


@pytest.fixture
def circle(founder, backer, person):
    """A group that the founder owns."""
    return group(founder, backer, person("friend"), title="Circle")
