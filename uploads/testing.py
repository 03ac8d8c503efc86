"""Files for tests of every app."""

from io import BytesIO
from typing import Any

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
