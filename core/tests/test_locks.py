"""Row locks keep one order, and tests fail where a transaction breaks it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings

from accounts.models import User
from core.data.locks import LockOrderBroken, lock
from core.data.transactions import atomic, retrying


@pytest.fixture
def pair(person: Callable[..., User]) -> list[Any]:
    return sorted([person("first").pk, person("second").pk])


def lock_user(pk: UUID) -> User:
    return lock(User.objects).get(pk=pk)


def test_going_back_in_the_order_is_refused(db: None, pair: list[Any]) -> None:
    with pytest.raises(LockOrderBroken), atomic():
        lock_user(pair[1])
        lock_user(pair[0])


def test_one_order_repeated_and_nested_is_fine(db: None, pair: list[Any]) -> None:
    with atomic():
        lock_user(pair[0])
        retrying(lock_user)(pair[1])
        lock_user(pair[0])
    with atomic():
        lock_user(pair[0])


def test_for_update_without_no_key_is_refused(db: None, pair: list[Any]) -> None:
    with pytest.raises(AssertionError, match="FOR UPDATE"), atomic():
        User.objects.select_for_update().get(pk=pair[0])


def test_the_order_is_the_documented_one() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "locking.md").read_text()
    documented = dict(re.findall(r"^\| (\d+) \| `([\w.]+)` \|", page, re.M))
    locked = [model for model in apps.get_models() if hasattr(model, "lock_level")]
    declared = {str(model.lock_level): f"{model._meta.app_label}.models.{model.__name__}" for model in locked}
    assert documented == declared
