"""
Videos are judged by their content, by a process of its own with limits of time and memory (`video_process`), and
rewritten by the worker: the same frames in a clean MP4 or WebM, without metadata (GPS place), without other streams.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from core.api.errors import Refusal
from uploads.errors import (
    BrokenFile,
    HevcNotSupported,
    TooManyVideoPixels,
    UnsupportedVideo,
    VideoNotSupported,
    VideoTooLong,
)
from uploads.images import Picture, is_heif

PROGRAM = Path(__file__).with_name("video_process.py")
DEMUXERS = {"video/mp4": "mov", "video/webm": "matroska"}
LONGEST_SIDE, SHORTEST_SIDE = 3840, 2160
"""Pixels, whichever way it is turned."""
TOLERANCE = timedelta(seconds=1)
"""Sound ends a little later than the last frame, and clients cut at frames."""
CHECK_SECONDS, REWRITE_SECONDS = 10, 170
"""Of the clock. The program limits its processor time itself."""
_MOST_BOXES = 20_000
_LARGEST_INDEX = 16 * 1024 * 1024
"""Bytes of an MP4's `moov`; three minutes need about one tenth."""
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


class CannotRewrite(Exception):
    """The video does not decode, or not within the limits."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    path: Path
    width: int
    height: int
    duration: timedelta
    poster: Picture


def is_supported() -> bool:
    """Whether FFmpeg (PyAV) is installed."""
    return find_spec("av") is not None


def video_type(file: IO[bytes]) -> str | None:
    """The content type of a video by its first bytes; None for everything else. MOV counts as MP4, which it becomes."""
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    if head[4:8] == b"ftyp":
        return None if is_heif(head) else "video/mp4"
    return "video/webm" if head.startswith(_EBML) and b"webm" in head else None


def check_video(file: IO[bytes], path: str, content_type: str, *, longest: timedelta, field: str) -> None:
    """
    Judge a video before it is kept: its structure here, its streams and length in the other process. No frame is shown.

    :param path: where the bytes of `file` are
    :raises VideoNotSupported: :raises UnsupportedVideo: :raises HevcNotSupported:
    :raises VideoTooLong: :raises TooManyVideoPixels:
    :raises BrokenFile: truncated, or its structure is a lie
    """
    if not is_supported():
        raise VideoNotSupported(field=field)
    is_whole = _mp4_is_whole if content_type == "video/mp4" else _webm_is_whole
    if not is_whole(file):
        raise BrokenFile(field=field)
    found = _run("check", path, DEMUXERS[content_type], seconds=CHECK_SECONDS)
    refusals: dict[str, Refusal] = {
        "broken": BrokenFile(field=field),
        "codec": UnsupportedVideo(field=field),
        "hevc": HevcNotSupported(field=field),
        "long": VideoTooLong(field=field, most=int(longest.total_seconds())),
    }
    if "refused" in found:
        raise refusals[found["refused"]]
    if found["seconds"] > (longest + TOLERANCE).total_seconds():
        raise refusals["long"]
    sides = sorted((found["width"], found["height"]))
    if sides[1] > LONGEST_SIDE or sides[0] > SHORTEST_SIDE:
        raise TooManyVideoPixels(field=field, longest=LONGEST_SIDE, shortest=SHORTEST_SIDE)


def rewrite_video(path: Path, content_type: str, folder: Path) -> Rewritten:
    """
    A clean copy of a checked video, and a still of it, in `folder`.

    :raises CannotRewrite:
    """
    made = _run("rewrite", str(path), DEMUXERS[content_type], str(folder), seconds=REWRITE_SECONDS)
    if "refused" in made:
        raise CannotRewrite(made["refused"])
    return Rewritten(
        path=folder / "video",
        width=made["width"],
        height=made["height"],
        duration=timedelta(seconds=made["seconds"]),
        poster=Picture((folder / "poster.webp").read_bytes(), "image/webp", *made["poster"]),
    )


def _run(*arguments: str, seconds: int) -> dict[str, Any]:
    """What the program prints; a crash or a time-out counts as a broken video."""
    try:
        # Isolated from the environment and from this folder; the installed packages are the same.
        command = [sys.executable, "-I", str(PROGRAM), *arguments]
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL)
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return {"refused": "broken"}
    return answer


def _mp4_is_whole(file: IO[bytes]) -> bool:
    """Whether an MP4 or MOV is a row of boxes that end where the file ends, with an index and frames among them."""
    end, position, kinds = file.seek(0, 2), 0, set[bytes]()
    for _ in range(_MOST_BOXES):
        if position == end:
            return {b"moov", b"mdat"} <= kinds
        file.seek(position)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4]), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16])
        elif size == 0:  # to the end
            size = end - position
        if size < 8 or position + size > end or (kind == b"moov" and size > _LARGEST_INDEX):
            return False
        kinds.add(kind)
        position += size
    return False


def _webm_is_whole(file: IO[bytes]) -> bool:
    """Whether a WebM's segment ends within the file. A recording of a browser does not say how long it is."""
    end = file.seek(0, 2)
    file.seek(4)
    size = _ebml_size(file)
    if size is None or size > 1024:
        return False
    file.seek(size, 1)
    if file.read(4) != _SEGMENT:
        return False
    size = _ebml_size(file)
    return size is None or file.tell() + size <= end


def _ebml_size(file: IO[bytes]) -> int | None:
    """The length that stands at this place; None where it is unknown or no length at all."""
    first = file.read(1)
    if not first or first == b"\x00":
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1)) & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value
