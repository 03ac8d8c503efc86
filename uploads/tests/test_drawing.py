"""Work on pictures is bounded: at once per process, and over time per person."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from threading import Event

import pytest
import time_machine
from django.utils import timezone
from PIL import Image

from accounts.models import User
from core.api.errors import Overloaded
from core.testing import Api, eventually
from uploads import drawing
from uploads.drawing import on_picture_thread
from uploads.images import SMALL, redraw, sharpness
from uploads.testing import picture, picture_bytes

LARGE = picture_bytes(size=(1000, 1000))


@pytest.fixture
def busy() -> Iterator[Event]:
    """All threads for pictures work, and as many callers wait as may. Gives what ends it."""
    release, begun = threading.Event(), threading.Semaphore(0)
    callers = ThreadPoolExecutor(drawing.AT_ONCE + drawing.WAITING)

    def work() -> str:
        begun.release()
        release.wait(60)
        return threading.current_thread().name

    running = [callers.submit(on_picture_thread, work) for _ in range(drawing.AT_ONCE + drawing.WAITING)]
    for _ in range(drawing.AT_ONCE):
        assert begun.acquire(timeout=60)
    eventually(lambda: drawing._free._value == 0)
    yield release
    release.set()
    assert all("pictures" in one.result(60) for one in running)
    callers.shutdown()


def test_large_pictures_are_refused_while_all_threads_work(busy: Event) -> None:
    for work in (lambda: redraw(LARGE, "image/jpeg"), lambda: sharpness(LARGE)):
        with pytest.raises(Overloaded) as refused:
            work()
        assert int(refused.value.headers["Retry-After"]) > 0
    busy.set()
    eventually(lambda: drawing._free._value > 0)
    assert redraw(LARGE, "image/jpeg").width == 1000


def test_small_pictures_never_wait(busy: Event) -> None:
    small = picture_bytes(size=(800, SMALL // 800))
    assert redraw(small, "image/jpeg").width == 800


def test_a_client_is_refused_with_retry_after_and_nothing_is_kept(
    api: Api, person: Callable[..., User], busy: Event
) -> None:
    ada = api.as_user(person("ada"))
    refused = ada.upload("/api/profile/photo", {"photo": picture(size=(1000, 1000))}, idempotency_key="one")
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert refused["Retry-After"]
    assert ada.get("/api/auth/me").json()["profilePhoto"] is None
    busy.set()
    eventually(lambda: drawing._free._value > 0)
    again = ada.upload("/api/profile/photo", {"photo": picture(size=(1000, 1000))}, idempotency_key="one")
    assert again.status_code == 200, "the refusal did not use the key up"


def test_a_person_sends_so_many_pictures_in_ten_minutes_and_a_day(api: Api, person: Callable[..., User]) -> None:
    ada = person("ada", verified=False)

    def send(times: int) -> list[int]:
        client = api.as_user(ada)
        return [client.upload("/api/profile/cover", {"cover": picture(size=(8, 8))}).status_code for _ in range(times)]

    an_hour_into_a_day = (timezone.now() + timedelta(days=1)).replace(hour=1)  # two hours on it is the same day
    with time_machine.travel(an_hour_into_a_day, tick=False) as clock:
        assert send(31) == [200] * 30 + [429]
        refused = api.as_user(ada).upload("/api/profile/photo", {"photo": picture(size=(8, 8))})
        assert (refused.json()["code"], refused["RateLimit-Limit"]) == ("rate_limited", "30")
        assert refused["Retry-After"]
        other = api.as_user(person("grace")).upload("/api/profile/photo", {"photo": picture(size=(8, 8))})
        assert other.status_code == 200
        for _ in range(5):
            clock.shift(timedelta(minutes=21))
            assert send(30) == [200] * 30
        clock.shift(timedelta(minutes=21))
        assert send(21) == [200] * 20 + [429], "two hundred are enough for a day"


def test_drawing_lets_other_threads_run() -> None:
    """Pillow holds the interpreter while it encodes into memory; a second long for a progressive JPEG."""
    out = BytesIO()
    Image.frombytes("RGB", (1500, 1500), bytes(range(250)) * 27_000).save(out, "JPEG", quality=95)
    content = out.getvalue()

    def another_thread_ran() -> bool:
        turns = 0
        work = pool.submit(redraw, content, "image/jpeg")
        while not work.done():
            turns += 1
            threading.Event().wait(0.001)
        assert work.result().width == 1500
        return turns > 10

    with ThreadPoolExecutor(1) as pool:
        eventually(another_thread_ran)  # a busy machine gives this thread few turns, but not each time
