"""One bad item stops nothing."""

from typing import Any

import pytest
from django.db import connection, transaction

from core.jobs.runner import each
from core.models import OutboxEvent


def test_the_others_go_on_and_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    def work(item: Any) -> bool:
        seen.append(item)
        if item == 2:
            raise ZeroDivisionError("item 2")
        return item != 3

    tally = each(iter([1, 2, 3, 4]), work, what="number")
    assert seen == [1, 2, 3, 4]
    assert (tally.done, tally.left, tally.failed) == (2, 1, 1)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_what_a_bad_item_wrote_is_undone_and_a_lost_connection_is_replaced() -> None:
    def work(name: str) -> None:
        with transaction.atomic():
            OutboxEvent.objects.create(topic=name)
            if name == "bad":
                connection.connection.close()
                OutboxEvent.objects.count()

    tally = each(["first", "bad", "last"], work, what="event")
    assert (tally.done, tally.failed) == (2, 1)
    assert sorted(OutboxEvent.objects.values_list("topic", flat=True)) == ["first", "last"]


def test_a_stop_is_not_an_item_that_fails() -> None:
    def work(item: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each([1, 2], work, what="number")
