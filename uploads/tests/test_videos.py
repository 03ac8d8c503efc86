"""Videos: what is taken, what the worker makes of it, and that a hostile one costs nobody but its sender."""

import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from core import clock
from core.jobs import outbox
from core.models import OutboxEvent
from core.testing import drain_outbox
from uploads import videos
from uploads.errors import (
    BrokenFile,
    FileTooLarge,
    TooManyVideoPixels,
    UnsupportedVideo,
    VideoNotSupported,
    VideoTooLong,
)
from uploads.models import Rendition, State, StorageUse, StoredFile, Visibility
from uploads.outputs import MediaCard
from uploads.services import delete_file, is_video, seal_file, store_video, videos as service
from uploads.services.renditions import process_again
from uploads.testing import kept, picture, upload, video, video_bytes
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db
STORY = timedelta(seconds=60)


def store(file: Any, longest: timedelta = STORY, **options: Any) -> StoredFile:
    return store_video(file, owner_id=uuid4(), purpose="post", now=clock.now(), longest=longest, **options)


def card_of(stored: StoredFile) -> MediaCard:
    return MediaCard.of(StoredFile.objects.with_renditions().get(pk=stored.pk), clock.now())


def fetched(address: str, client: Client, **headers: str) -> tuple[int, bytes]:
    answer: Any = client.get(address, headers=headers)
    return answer.status_code, b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize(
    "kind, options, content_type",
    [
        ("mp4", {"sound": "aac"}, "video/mp4"),
        ("mp4", {}, "video/mp4"),
        ("mov", {"sound": "aac"}, "video/mp4"),
        ("webm", {"codec": "libvpx", "sound": "libopus"}, "video/webm"),
        ("webm", {"codec": "libvpx-vp9"}, "video/webm"),
        ("webm", {"codec": "libsvtav1"}, "video/webm"),
    ],
)
@pytest.mark.parametrize("visibility", Visibility)
def test_a_video_is_rewritten_and_gets_a_poster(
    kind: str, options: dict[str, Any], content_type: str, visibility: Visibility, client: Client
) -> None:
    stored = kept(store(video(kind, **options), visibility=visibility, alt="A lamp"))
    waiting = card_of(stored)
    assert (waiting.kind, waiting.type, waiting.processing, waiting.poster) == ("video", content_type, True, None)
    assert fetched(waiting.url, client)[0] == 404
    drain_outbox()
    card = card_of(stored)
    assert not card.processing and not card.failed and (card.width, card.height) == (160, 90)
    assert card.duration_seconds == pytest.approx(1, abs=0.1)
    status, content = fetched(card.url, client)
    assert status == 200 and videos.video_type(BytesIO(content)) == content_type
    assert fetched(waiting.url, client) == (status, content), "a link that was given while it was processing"
    with av.open(BytesIO(content)) as container:
        assert len(list(container.decode(container.streams.video[0]))) == 12
        assert len(container.streams.audio) == ("sound" in options)
    assert card.poster
    with Image.open(BytesIO(fetched(card.poster, client)[1])) as poster:
        assert (poster.format, poster.size) == ("WEBP", (160, 90))
    assert not Rendition.objects.filter(kind=Rendition.Kind.SOURCE).exists()


def test_metadata_is_gone_and_an_mp4_starts_at_once(client: Client) -> None:
    place = "+52.5310-013.3847/"
    sent = video_bytes("mov", sound="aac", metadata={"com.apple.quicktime.location.ISO6709": place, "title": "my home"})
    assert place.encode() in sent and sent.index(b"mdat") < sent.index(b"moov")
    stored = kept(store(upload(sent)))
    source = stored.renditions.get()
    with storages["private"].open(source.storage_name) as handle:
        assert place.encode() not in handle.read(), "the source is sealed"
    drain_outbox()
    content = fetched(card_of(stored).url, client)[1]
    assert place.encode() not in content and b"my home" not in content and b"quicktime" not in content
    assert content.index(b"moov") < content.index(b"mdat")
    assert not storages["private"].exists(source.storage_name)


@pytest.mark.parametrize("rotation, red_at", [(90, "bottom"), (-90, "top"), (180, "right")])
def test_a_turned_video_is_measured_and_pictured_upright(rotation: int, red_at: str, client: Client) -> None:
    stored = kept(store(video(rotation=rotation)))
    drain_outbox()
    card = card_of(stored)
    width, height = (160, 90) if rotation == 180 else (90, 160)
    assert (card.width, card.height) == (width, height) and card.poster
    places = {"top": (width // 2, 2), "bottom": (width // 2, height - 3), "right": (width - 3, height // 2)}
    with Image.open(BytesIO(fetched(card.poster, client)[1])) as poster:
        assert poster.size == (width, height)
        red = {name for name, place in places.items() if poster.convert("RGB").getpixel(place)[0] > 200}  # type: ignore[index]
    assert red == {red_at}
    with av.open(BytesIO(fetched(card.url, client)[1])) as container:
        assert abs(next(container.decode(container.streams.video[0])).rotation) == abs(rotation)


def test_limits() -> None:
    assert store(video(seconds=3), longest=timedelta(seconds=2)).is_video, "a second more is let pass"
    with pytest.raises(VideoTooLong) as refused:
        store(video(seconds=3.5), longest=timedelta(seconds=2), field="media")
    assert (refused.value.status, refused.value.errors[0]["field"]) == (400, "media")
    with pytest.raises(TooManyVideoPixels):
        store(video(size=(3842, 16), seconds=0.2))
    with pytest.raises(TooManyVideoPixels):
        store(video(size=(2200, 2200), seconds=0.2))
    assert store(video(size=(16, 3840), seconds=0.2)).is_video

    class Enormous(BytesIO):
        size = service.LARGEST_VIDEO + 1

    with pytest.raises(FileTooLarge):
        store(Enormous(b""))


@pytest.mark.parametrize(
    "content",
    [
        lambda: video_bytes(codec="libx265"),
        lambda: video_bytes(codec="mpeg4"),
        lambda: video_bytes(sound="mp2"),
        lambda: video_bytes("matroska"),
        lambda: b"\x00\x00\x00\x18ftypheic" + b"\x00" * 100,
        lambda: b"<html><script>alert(1)</script>",
        lambda: b"GIF89a" + b"\x00" * 100,
    ],
)
def test_other_formats_are_refused(content: Callable[[], bytes]) -> None:
    with pytest.raises(UnsupportedVideo) as refused:
        store(upload(content()))
    assert refused.value.status == 415


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def nested(kinds: list[bytes], depth: int) -> bytes:
    content = b""
    for level in range(depth):
        content = box(kinds[level % len(kinds)], content)
    return content


def with_streams(times: int) -> bytes:
    """An MP4 whose index has its video that many times more."""
    sent = video_bytes()
    index = sent.index(b"moov") - 4
    end = index + int.from_bytes(sent[index : index + 4])
    track = sent.index(b"trak") - 4
    track_end = track + int.from_bytes(sent[track : track + 4])
    return sent[:index] + box(b"moov", sent[index + 8 : end] + sent[track:track_end] * times) + sent[end:]


FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2")
EBML_HEAD = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"
HOSTILE = {
    "an atom that claims 2^60 bytes": lambda: FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**60) + b"x" * 100,
    "an atom of no length": lambda: FTYP + struct.pack(">I4s", 4, b"moov") * 100,
    "atoms in atoms": lambda: FTYP + nested([b"moov", b"trak", b"mdia"], 3000) + box(b"mdat", b"x"),
    "a million atoms": lambda: FTYP + box(b"free", b"") * 1_000_000,
    "an enormous index": lambda: FTYP + box(b"moov", b"\x00" * 17_000_000) + box(b"mdat", b"x"),
    "ten thousand streams": lambda: with_streams(10_000),
    "seventeen streams": lambda: with_streams(16),
    "cut off": lambda: video_bytes(sound="aac")[:-200],
    "only a head": lambda: FTYP,
    "noise": lambda: FTYP + box(b"moov", bytes(range(256)) * 40) + box(b"mdat", bytes(range(256))),
    "a WebM that is cut off": lambda: video_bytes("webm", codec="libvpx")[:-200],
    "an EBML of no end": lambda: EBML_HEAD + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7,
    "EBML in EBML": lambda: EBML_HEAD + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" * 2000,
    "an EBML without a segment": lambda: EBML_HEAD + b"\x00" * 200,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_videos_are_refused_and_leave_nothing(name: str, settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = storages_of(f"file:{tmp_path}", tmp_path, "http://testserver")
    with pytest.raises((BrokenFile, UnsupportedVideo)):
        store(upload(HOSTILE[name]()))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert store(video()).source and [path for path in tmp_path.rglob("*") if path.is_file()], "what is taken is there"


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(BrokenFile):
        store(upload(b""))


def test_a_program_that_crashes_or_hangs_is_a_broken_video(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for text in ("import os; os.abort()", "while True: pass", "print('x' * 100)", "bytearray(10**13)"):
        program = tmp_path / "program.py"
        program.write_text(text)
        with monkeypatch.context() as replaced:
            replaced.setattr(videos, "PROGRAM", program)
            replaced.setattr(videos, "CHECK_SECONDS", 1)
            with pytest.raises(BrokenFile):
                store(video())


def test_the_program_limits_its_memory_and_time() -> None:
    """What FFmpeg would do with a hostile file: take all it gets."""
    start = f"import sys; sys.path.insert(0, {str(videos.PROGRAM.parent)!r}); import video_process; "
    greedy = "video_process.limit('check'); bytearray(3 * 1024**3)"
    done = subprocess.run([sys.executable, "-c", start + greedy], capture_output=True, check=False)
    assert b"MemoryError" in done.stderr
    endless = "video_process.limit('check'); exec('while True: pass')"
    done = subprocess.run([sys.executable, "-c", start + endless], capture_output=True, check=False)
    assert done.returncode < 0, "ended by the system after five seconds of processor time"


def test_without_ffmpeg_videos_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "is_supported", lambda: False)
    with pytest.raises(VideoNotSupported) as refused:
        store(video())
    assert (refused.value.status, refused.value.code) == (415, "video_not_supported")


def test_is_video_goes_by_the_content() -> None:
    assert is_video(video()) and is_video(upload(video_bytes("webm", codec="libvpx"), "photo.jpg", "image/jpeg"))
    assert not is_video(picture()) and not is_video(upload(b"", "clip.mp4", "video/mp4"))


def test_a_large_video_is_read_in_pieces(client: Client) -> None:
    """As Django's parser hands over what is too large for memory: a file on disk."""
    sent = video_bytes("mp4", sound="aac")
    filler = box(b"free", b"\x00" * 3_000_000)
    file: Any = TemporaryUploadedFile("clip.mp4", "video/mp4", len(sent) + len(filler), None)
    file.write(sent + filler)
    reads: list[int] = []
    read = file.file.read

    def read_and_note(size: int = -1) -> Any:
        reads.append(size)
        return read(size)

    file.file.read = read_and_note
    stored = kept(store(file, visibility=Visibility.PRIVATE))
    assert stored.size == 3_000_000 + 8 + len(sent) and reads and -1 not in reads and max(reads) <= 1024 * 1024
    file.close()
    assert StorageUse.objects.get(pk=stored.owner_id).used == stored.size
    drain_outbox()
    ready = StoredFile.objects.get(pk=stored.pk)
    assert ready.size < 100_000, "what is no frame is gone"
    assert StorageUse.objects.get(pk=stored.owner_id).used == ready.size
    assert fetched(card_of(stored).url, client)[0] == 200


def test_a_worker_that_is_killed_between_store_and_commit_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    stored = kept(store(video()))
    event = OutboxEvent.objects.get(topic="uploads.process_file")

    def killed(*args: Any, **columns: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as at_the_end:
        at_the_end.setattr(service, "finish", killed)
        with pytest.raises(SystemExit):
            outbox.deliver(event.pk, now=clock.now())
    assert card_of(stored).processing
    assert outbox.deliver(event.pk, now=clock.now() + outbox.LEASE + timedelta(seconds=1))
    assert fetched(card_of(stored).url, client)[0] == 200


def test_a_video_that_cannot_be_rewritten_failed_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = kept(store(video()))
    with monkeypatch.context() as broken:
        broken.setattr(videos, "REWRITE_SECONDS", 0)
        drain_outbox()
    card = card_of(stored)
    assert card.failed and not card.processing and card.poster is None
    assert process_again(stored.pk, by=None, now=clock.now())
    drain_outbox()
    assert not card_of(stored).failed and card_of(stored).poster


def test_one_video_is_rewritten_at_a_time() -> None:
    stored = kept(store(video()))
    event = OutboxEvent.objects.get(topic="uploads.process_file")
    with service._turn():
        assert not outbox.deliver(event.pk, now=clock.now())
    event.refresh_from_db()
    assert event.attempts == 0, "waiting is no failed try"
    assert outbox.deliver(event.pk, now=clock.now() + timedelta(minutes=1))
    assert card_of(stored).poster


def test_deleting_a_video_deletes_its_source_and_its_poster() -> None:
    waiting, ready = kept(store(video())), kept(store(video()))
    source = waiting.renditions.get()
    OutboxEvent.objects.filter(facts__file_id=str(waiting.pk)).delete()
    drain_outbox()
    names = [StoredFile.objects.get(pk=ready.pk).storage_name, ready.renditions.get().storage_name]
    assert all(storages["default"].exists(name) for name in names) and storages["private"].exists(source.storage_name)
    for stored in (waiting, ready):
        delete_file(stored, now=clock.now())
    drain_outbox()
    assert not any(storages["default"].exists(name) for name in names)
    assert not storages["private"].exists(source.storage_name)
    assert set(StorageUse.objects.values_list("used", flat=True)) == {0}


def test_a_video_that_becomes_private_while_it_is_processed_is_sealed(client: Client) -> None:
    stored = kept(store(video()))
    seal_file(stored, now=clock.now())
    drain_outbox()
    ready = StoredFile.objects.get(pk=stored.pk)
    assert (ready.state, ready.is_sealed, ready.moving_since) == (State.READY, True, None)
    assert all(rendition.is_sealed for rendition in ready.renditions.all())
    assert fetched(card_of(stored).url, client)[0] == 200


def test_a_video_that_becomes_private_while_it_is_rewritten_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = kept(store(video()))
    rewrite = videos.rewrite_video

    def meanwhile(*args: Any) -> Any:
        seal_file(stored, now=clock.now())
        return rewrite(*args)

    monkeypatch.setattr(service, "rewrite_video", meanwhile)
    drain_outbox()
    ready = StoredFile.objects.get(pk=stored.pk)
    assert (ready.state, ready.is_sealed, ready.moving_since) == (State.READY, True, None)
    assert all(rendition.is_sealed for rendition in ready.renditions.all())
