"""
What looks into videos: a program of its own, without Django, so that a file which crashes FFmpeg, loops in it or fills
the memory ends this process and no other (`uploads.videos` runs it).

    video_process.py check PATH FORMAT           what is in it; no frame is decoded by us
    video_process.py rewrite PATH FORMAT FOLDER  FOLDER/video: the same frames without metadata; FOLDER/poster.webp

FORMAT is FFmpeg's name of the only demuxer that may open it. Prints one JSON object; `refused` in it says why not.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

CPU_SECONDS = {"check": 5, "rewrite": 150}
MEMORY = {"check": 1024**3, "rewrite": 2 * 1024**3}
"""Bytes of address space, libraries included."""
LARGEST_OUTPUT = 120 * 1024 * 1024
STREAMS = 16
PACKETS = 300_000
"""More than three minutes at 240 frames a second, with sound."""
POSTER_SIDE = 1280
CODECS = {
    "mp4": {"video": {"h264"}, "audio": {"aac"}},
    "webm": {"video": {"vp8", "vp9", "av1"}, "audio": {"opus", "vorbis"}},
}
"""By the format that is written. What a browser plays, and no other decoder is ever opened."""
OUTPUTS = {"mov": "mp4", "matroska": "webm"}
OPTIONS = {
    "mov": {"use_absolute_path": "0", "enable_drefs": "0"},
    "matroska": {},
}


class Refused(Exception):
    """The reason is its only argument: `broken`, `codec`, `hevc` or `long`."""


def main(command: str, path: str, demuxer: str, *rest: str) -> dict[str, Any]:
    limit(command)
    try:
        with _open(path, demuxer) as container:
            video, audio = _streams(container, demuxer)
            if command == "check":
                return {**_size_of(video, 0), "seconds": _seconds(container, video, audio)}
            return _rewrite(container, video, audio, OUTPUTS[demuxer], Path(rest[0]))
    except Refused as refused:
        return {"refused": str(refused)}
    except (av.FFmpegError, ValueError, MemoryError, OverflowError, ZeroDivisionError):
        return {"refused": "broken"}


def limit(command: str) -> None:
    if sys.platform == "win32":
        return  # the caller's time limit remains
    import resource

    seconds = CPU_SECONDS[command]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY[command], MEMORY[command]))


def _open(path: str, demuxer: str) -> Any:
    codecs = {name for names in CODECS[OUTPUTS[demuxer]].values() for name in names}
    options = {
        "protocol_whitelist": "file",
        "codec_whitelist": ",".join(sorted(codecs | {"libdav1d", "libvpx-vp9", "libvpx", "libopus"})),
        "max_streams": str(STREAMS),
        "probesize": str(2 * 1024 * 1024),
        "analyzeduration": "2000000",
        **OPTIONS[demuxer],
    }
    return av.open(path, format=demuxer, options=options)


def _streams(container: Any, demuxer: str) -> tuple[Any, Any]:
    """The video that is kept, and the sound or None; whatever else is in it is left out."""
    codecs = CODECS[OUTPUTS[demuxer]]
    videos = [stream for stream in container.streams.video if not stream.disposition & _COVER]
    sounds = list(container.streams.audio)
    if not videos:
        raise Refused("codec")
    if _codec(videos[0]) == "hevc":
        raise Refused("hevc")
    kept = [stream for stream in sounds if _codec(stream) in codecs["audio"]]
    if _codec(videos[0]) not in codecs["video"] or (sounds and not kept):
        raise Refused("codec")
    return videos[0], kept[0] if kept else None


_COVER = av.stream.Disposition.attached_pic


def _codec(stream: Any) -> str:
    """FFmpeg's name of the format, whichever decoder it has for it; empty where it knows none."""
    return str(stream.codec_context.codec.canonical_name) if stream.codec_context else ""


def _size_of(video: Any, rotation: int) -> dict[str, int]:
    """As it is shown: with its rotation, and square pixels."""
    width, height = video.codec_context.width, video.codec_context.height
    if width < 1 or height < 1:
        raise Refused("broken")
    aspect = video.sample_aspect_ratio
    if aspect and Fraction(1, 4) < aspect < 4:
        width = max(1, round(width * aspect))
    return {"width": height, "height": width} if rotation % 180 else {"width": width, "height": height}


def _seconds(container: Any, video: Any, audio: Any) -> float:
    """How long it really is, by its packets: a header may say anything."""
    first: float | None = None
    last, packets = 0.0, 0
    for packet in container.demux([stream for stream in (video, audio) if stream]):
        packets += 1
        if packets > PACKETS:
            raise Refused("long")
        if packet.pts is None or packet.time_base is None:
            continue
        starts = float(packet.pts * packet.time_base)
        first = starts if first is None else min(first, starts)
        last = max(last, starts + float((packet.duration or 0) * packet.time_base))
    if first is None or packets < 2:
        raise Refused("broken")
    return last - first


def _rewrite(container: Any, video: Any, audio: Any, written: str, folder: Path) -> dict[str, Any]:
    seconds = _seconds(container, video, audio)
    poster, rotation = _poster(container, video, seconds)
    size = _size_of(video, rotation)
    poster = poster.resize((size["width"], size["height"]))  # changes something only where pixels are not square
    poster.thumbnail((POSTER_SIDE, POSTER_SIDE))
    poster.save(folder / "poster.webp", quality=82)
    container.seek(0)
    options = {"fflags": "+bitexact", **({"movflags": "+faststart"} if written == "mp4" else {})}
    with av.open(str(folder / "video"), "w", format=written, options=options) as output:
        copies = {}
        for stream in (video, audio):
            if stream is not None:
                copies[stream.index] = output.add_stream_from_template(stream, opaque=True)
                copies[stream.index].metadata.clear()
        if rotation:
            copies[video.index].set_display_rotation(rotation)
        last: dict[int, int] = {}
        for packet in container.demux([stream for stream in (video, audio) if stream]):
            if packet.dts is None:
                continue
            index = packet.stream.index
            if index in last and packet.dts <= last[index]:  # the muxer wants them to rise
                packet.dts = last[index] + 1
                packet.pts = max(packet.pts or 0, packet.dts)
            last[index] = packet.dts
            packet.stream = copies[index]
            output.mux(packet)
    return {**size, "seconds": seconds, "poster": poster.size}


def _poster(container: Any, video: Any, seconds: float) -> tuple[Image.Image, int]:
    """A frame of about the first second, upright, and by how many degrees it was turned for that."""
    for start in (min(1.0, seconds / 2), 0.0):
        container.seek(int(start * av.time_base))
        frame = next(container.decode(video), None)
        if frame is not None:
            rotation = round(frame.rotation / 90) * 90
            image = frame.to_image()
            return (image.rotate(rotation, expand=True) if rotation else image), rotation
    raise Refused("broken")


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201
