"""Files for tests of every app."""

from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from uploads.models import StoredFile
from uploads.services import keep_files

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def picture_bytes(kind: str = "JPEG", size: tuple[int, int] = (1200, 800), seed: int = 0, **options: Any) -> bytes:
    """A picture with something to see in it; `seed` makes another one."""
    image = Image.new("RGB", size, (240, 236, 228 - seed % 100))
    draw = ImageDraw.Draw(image)
    for step in range(0, max(size), 12):
        draw.line((step, 0, (step * 7 + seed * 31) % size[0], size[1]), fill=(step % 256, 80, 120), width=2)
    out = BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def picture(kind: str = "JPEG", name: str = "", **options: Any) -> SimpleUploadedFile:
    """What a form sends: `picture("PNG", size=(40, 40))`."""
    return upload(picture_bytes(kind, **options), name or f"photo.{kind.lower()}", f"image/{kind.lower()}")


def upload(content: bytes, name: str = "file.bin", content_type: str = "text/plain") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def paper(content: bytes = PDF) -> SimpleUploadedFile:
    return upload(content, "paper.pdf", "application/pdf")


def kept(stored: StoredFile) -> StoredFile:
    """A file that was just stored, with its row."""
    keep_files([stored])
    return stored


def video_bytes(
    kind: str = "mp4",
    *,
    codec: str = "libx264",
    sound: str = "",
    size: tuple[int, int] = (160, 90),
    seconds: float = 1,
    rotation: int = 0,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """
    A video with something to see in it, red at its left.

    :param kind: FFmpeg's format: `mp4`, `mov`, `webm`, `matroska`
    :param codec: FFmpeg's encoder: `libx264`, `libvpx`, `libvpx-vp9`, `libsvtav1`, `libx265`, `mpeg4`
    :param sound: the encoder of a silent track: `aac`, `libopus`, `mp2`; without one there is none
    :param rotation: degrees counter-clockwise by which a player turns it
    """
    rate, out = 12, BytesIO()
    options = {"movflags": "use_metadata_tags"} if kind in ("mp4", "mov") else {}
    with av.open(out, "w", format=kind, options=options) as container:
        container.metadata.update(metadata or {})
        video: Any = container.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        audio: Any = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for number in range(round(seconds * rate)):
            image = Image.new("RGB", size, (20, 40, 60 + number % 100))
            ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1]), fill=(255, 0, 0))
            frame: Any = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio:
            samples = audio.frame_size or 960
            for number in range(int(seconds * 48_000 / samples)):
                silence = av.AudioFrame(format=audio.format.name, layout="mono", samples=samples)
                silence.sample_rate, silence.pts, silence.time_base = 48_000, number * samples, Fraction(1, 48_000)
                for plane in silence.planes:
                    plane.update(bytes(plane.buffer_size))
                container.mux(audio.encode(silence))
            container.mux(audio.encode())
    return out.getvalue()


def video(kind: str = "mp4", **options: Any) -> SimpleUploadedFile:
    """What a form sends: `video("webm", codec="libvpx")`."""
    return upload(video_bytes(kind, **options), f"clip.{kind}", f"video/{kind}")
