from collections.abc import Callable

import pytest

from accounts.models import User


@pytest.fixture
def author(person: Callable[..., User]) -> User:
    return person("author")


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    return person("stranger")


@pytest.fixture
def follower(person: Callable[..., User], author: User) -> User:
    from core import clock
    from social.services.follows import follow

    follower = person("follower")
    follow(person=follower, other_id=author.pk, now=clock.now())
    return follower


@pytest.fixture
def moderator(person: Callable[..., User]) -> User:
    return person("moderator", role="moderator")
