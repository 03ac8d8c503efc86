"""What is taken, what is refused and when, and what is left of a picture."""

import struct
import time
import zlib
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image

from uploads.errors import AnimatedImage, BrokenFile, FileTooLarge, TooManyPixels, UnsupportedFileType
from uploads.images import sharpness
from uploads.services import read_file, store_document, store_image
from uploads.testing import PDF, paper, picture, picture_bytes, upload

pytestmark = pytest.mark.django_db
GPS = 0x8825


def keep(file, store=store_image, **options):
    return store(file, owner_id=uuid4(), purpose="test", now=timezone.now(), **options)


def reopened(stored):
    return Image.open(BytesIO(read_file(stored)))


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [("JPEG", "image/jpeg", "jpg"), ("PNG", "image/png", "png"), ("WEBP", "image/webp", "webp")],
)
def test_pictures_are_kept_in_their_format_under_a_made_up_name(kind, content_type, extension):
    stored = keep(picture(kind, name="../../evil.svg", size=(300, 200)))
    assert (stored.content_type, stored.width, stored.height) == (content_type, 300, 200)
    assert stored.storage_name.endswith(f".{extension}") and "evil" not in stored.storage_name
    assert reopened(stored).format == kind
    assert stored.size == len(read_file(stored))


def test_metadata_is_gone_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SecretCameraMaker"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    sent = picture_bytes("JPEG", size=(300, 200), exif=exif, comment=b"my home", icc_profile=b"profile" * 40)
    assert b"SecretCameraMaker" in sent
    stored = keep(upload(sent))
    content = read_file(stored)
    for mark in (b"SecretCameraMaker", b"my home", b"profile", b"Exif", b"GPS"):
        assert mark not in content
    assert not reopened(stored).getexif()
    assert (stored.width, stored.height) == (200, 300)


def test_png_text_and_webp_xmp_are_gone():
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Comment", "my home")
    notes.add_itxt("XML:com.adobe.xmp", "<x:place>my home</x:place>")
    for sent in (
        picture_bytes("PNG", size=(60, 60), pnginfo=notes),
        picture_bytes("WEBP", size=(60, 60), xmp=b"<x>my home</x>"),
    ):
        assert b"my home" in sent
        assert b"my home" not in read_file(keep(upload(sent)))


def test_transparency_survives():
    out = BytesIO()
    Image.new("RGBA", (40, 40), (200, 10, 10, 0)).save(out, format="PNG")
    assert reopened(keep(upload(out.getvalue()))).mode == "RGBA"


def test_scales_down_and_never_up():
    assert max(reopened(keep(picture(size=(900, 600)), longest_side=300)).size) == 300
    assert reopened(keep(picture(size=(90, 60)), longest_side=300)).size == (90, 60)


def test_what_was_appended_is_not_kept():
    """A picture that is also a ZIP, a page or a script: only its pixels stay."""
    for tail in (b"<html><script>alert(1)</script></html>", b"PK\x03\x04secret archive"):
        content = read_file(keep(upload(picture_bytes("JPEG", size=(80, 80)) + tail)))
        assert tail not in content


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a/*" + b"\x00" * 20 + b"*/=1;alert(1)",
        b"PK\x03\x04" + b"\x00" * 100,
        b"MZ" + b"\x00" * 100,
        b"plain words",
        PDF,
    ],
)
def test_refuses_what_is_not_a_picture_whatever_its_name_says(content):
    with pytest.raises(UnsupportedFileType) as refused:
        keep(upload(content, "photo.jpg", "image/jpeg"), field="photo")
    assert refused.value.status == 415
    assert refused.value.errors[0]["field"] == "photo"


def test_a_page_that_begins_like_a_picture_is_broken():
    with pytest.raises(BrokenFile):
        keep(upload(b"\xff\xd8\xff\xe0<html><script>alert(1)</script>", "photo.jpg"))


@pytest.mark.parametrize("content", [b"", picture_bytes("JPEG")[:500], picture_bytes("PNG")[:-40]])
def test_refuses_broken_files(content):
    with pytest.raises(BrokenFile) as refused:
        keep(upload(content))
    assert refused.value.status == 400


def test_refuses_large_files_before_reading_them():
    file = picture(size=(600, 600))
    with pytest.raises(FileTooLarge) as refused:
        keep(file, most_bytes=file.size - 1)
    assert refused.value.status == 413
    assert keep(file, most_bytes=file.size).size


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header promises `width` × `height` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\x00" * 5_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(5001, 5000), (30_000, 30_000), (2_000_000, 1000)])
def test_refuses_a_pixel_bomb_quickly(size):
    started = time.process_time()
    with pytest.raises(TooManyPixels):
        keep(upload(bomb(*size)))
    assert time.process_time() - started < 0.5


def test_refuses_a_progressive_bomb_quickly():
    sent = picture_bytes("JPEG", size=(800, 800), progressive=True)
    scan = sent.rindex(b"\xff\xda")
    started = time.process_time()
    with pytest.raises(BrokenFile):
        keep(upload(sent[:scan] + sent[scan:-2] * 60 + sent[-2:]))
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(("kind", "refusal"), [("PNG", UnsupportedFileType), ("WEBP", AnimatedImage)])
def test_refuses_animations(kind, refusal):
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 90, 180)]
    out = BytesIO()
    frames[0].save(out, format=kind, save_all=True, append_images=frames[1:])
    with pytest.raises(refusal):
        keep(upload(out.getvalue()))


def test_papers_may_be_pdf_and_must_be_whole():
    stored = keep(paper(), store_document)
    assert (stored.content_type, stored.width, read_file(stored)) == ("application/pdf", None, PDF)
    with pytest.raises(BrokenFile):
        keep(paper(b"%PDF-1.7\n" + b"x" * 5000), store_document)
    with pytest.raises(UnsupportedFileType):
        keep(upload(b"<html>%PDF-1.7 %%EOF", "a.pdf"), store_document)


def test_public_pictures_are_in_the_public_store_only():
    stored = keep(picture(size=(50, 50)))
    assert storages["default"].exists(stored.storage_name)
    assert not storages["private"].exists(stored.storage_name)


def test_sharpness_tells_blurred_from_sharp():
    from PIL import ImageFilter

    sharp = picture_bytes("PNG")
    out = BytesIO()
    Image.open(BytesIO(sharp)).filter(ImageFilter.GaussianBlur(12)).save(out, format="PNG")
    assert sharpness(sharp) > 100 > 40 > sharpness(out.getvalue())
