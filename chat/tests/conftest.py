from collections.abc import Callable

import pytest

from accounts.models import User
from chat.models import Conversation
from chat.tests.factories import direct, group


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder")


@pytest.fixture
def backer(person: Callable[..., User]) -> User:
    return person("backer")


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    return person("stranger")


@pytest.fixture
def talk(founder: User, backer: User) -> Conversation:
    """The direct conversation of founder and backer."""
    return direct(founder, backer)


@pytest.fixture
def circle(founder: User, backer: User, person: Callable[..., User]) -> Conversation:
    """A group that the founder owns."""
    return group(founder, backer, person("friend"), title="Circle")
