"""What is taken, what is refused and when, and what is left of a picture."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image, ImageChops, ImageStat
from PIL.ImageFile import ImageFile

from core.api.errors import Refusal
from uploads.errors import AnimatedImage, BrokenFile, FileTooLarge, TooManyPixels, UnsupportedFileType
from uploads.images import sharpness
from uploads.models import StoredFile
from uploads.services import read_file, store_document, store_image, store_private, store_sizes
from uploads.testing import PDF, paper, picture, picture_bytes, upload

pytestmark = pytest.mark.django_db
GPS = 0x8825


def keep(file: Any, store: Callable[..., Any] = store_image, **options: Any) -> Any:
    return store(file, owner_id=uuid4(), purpose="test", now=timezone.now(), **options)


def reopened(stored: StoredFile) -> ImageFile:
    return Image.open(BytesIO(read_file(stored)))


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [("JPEG", "image/jpeg", "jpg"), ("PNG", "image/png", "png"), ("WEBP", "image/webp", "webp")],
)
def test_pictures_are_kept_in_their_format_under_a_made_up_name(kind: str, content_type: str, extension: str) -> None:
    stored = keep(picture(kind, name="../../evil.svg", size=(300, 200)))
    assert (stored.content_type, stored.width, stored.height) == (content_type, 300, 200)
    assert stored.storage_name.endswith(f".{extension}") and "evil" not in stored.storage_name
    assert reopened(stored).format == kind
    assert stored.size == len(read_file(stored))


def test_metadata_is_gone_and_the_picture_stands_upright() -> None:
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


def test_png_text_and_webp_xmp_are_gone() -> None:
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


def test_transparency_survives() -> None:
    out = BytesIO()
    Image.new("RGBA", (40, 40), (200, 10, 10, 0)).save(out, format="PNG")
    assert reopened(keep(upload(out.getvalue()))).mode == "RGBA"


def test_scales_down_and_never_up() -> None:
    def scaled(file: Any) -> StoredFile:
        return keep(file, store_sizes, sizes=[300])[0]

    assert max(reopened(scaled(picture(size=(900, 600)))).size) == 300
    assert reopened(scaled(picture(size=(90, 60)))).size == (90, 60)


def test_what_was_appended_is_not_kept() -> None:
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
def test_refuses_what_is_not_a_picture_whatever_its_name_says(content: bytes) -> None:
    with pytest.raises(UnsupportedFileType) as refused:
        keep(upload(content, "photo.jpg", "image/jpeg"), field="photo")
    assert refused.value.status == 415
    assert refused.value.errors[0]["field"] == "photo"


def test_a_page_that_begins_like_a_picture_is_broken() -> None:
    with pytest.raises(BrokenFile):
        keep(upload(b"\xff\xd8\xff\xe0<html><script>alert(1)</script>", "photo.jpg"))


@pytest.mark.parametrize("content", [b"", picture_bytes("JPEG")[:500], picture_bytes("PNG")[:-40]])
def test_refuses_broken_files(content: bytes) -> None:
    with pytest.raises(BrokenFile) as refused:
        keep(upload(content))
    assert refused.value.status == 400


def test_refuses_large_files_before_reading_them() -> None:
    file = picture(size=(600, 600))
    assert file.size
    with pytest.raises(FileTooLarge) as refused:
        keep(file, store_sizes, sizes=[300], most_bytes=file.size - 1)
    assert refused.value.status == 413
    assert keep(file, store_sizes, sizes=[300], most_bytes=file.size)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header promises `width` × `height` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\x00" * 5_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow reads headers only; decoding pixels fails the test."""

    def decode(self: ImageFile) -> None:
        pytest.fail("pixels were decoded")

    monkeypatch.setattr(ImageFile, "load", decode)


@pytest.mark.parametrize("size", [(5001, 5000), (30_000, 30_000), (60_000, 60_000), (2_000_000, 1000)])
def test_refuses_a_pixel_bomb_without_decoding_it(size: tuple[int, int], undecoded: None) -> None:
    with pytest.raises(TooManyPixels):
        keep(upload(bomb(*size)))


def test_refuses_a_progressive_bomb_without_decoding_it(undecoded: None) -> None:
    sent = picture_bytes("JPEG", size=(800, 800), progressive=True)
    scan = sent.rindex(b"\xff\xda")
    with pytest.raises(BrokenFile):
        keep(upload(sent[:scan] + sent[scan:-2] * 60 + sent[-2:]))


@pytest.mark.parametrize(("kind", "refusal"), [("PNG", UnsupportedFileType), ("WEBP", AnimatedImage)])
def test_refuses_animations(kind: str, refusal: type[Refusal]) -> None:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 90, 180)]
    out = BytesIO()
    frames[0].save(out, format=kind, save_all=True, append_images=frames[1:])
    with pytest.raises(refusal):
        keep(upload(out.getvalue()))


def test_papers_may_be_pdf_and_must_be_whole() -> None:
    stored = keep(paper(), store_document)
    assert (stored.content_type, stored.width, read_file(stored)) == ("application/pdf", None, PDF)
    with pytest.raises(BrokenFile):
        keep(paper(b"%PDF-1.7\n" + b"x" * 5000), store_document)
    with pytest.raises(UnsupportedFileType):
        keep(upload(b"<html>%PDF-1.7 %%EOF", "a.pdf"), store_document)


def test_public_pictures_are_in_the_public_store_only() -> None:
    stored = keep(picture(size=(50, 50)))
    assert storages["default"].exists(stored.storage_name)
    assert not storages["private"].exists(stored.storage_name)


def test_sharpness_tells_blurred_from_sharp() -> None:
    from PIL import ImageFilter

    sharp = picture_bytes("PNG")
    out = BytesIO()
    Image.open(BytesIO(sharp)).filter(ImageFilter.GaussianBlur(12)).save(out, format="PNG")
    assert sharpness(sharp) > 100 > 40 > sharpness(out.getvalue())


# --- What scanners and phones send ------------------------------------------------------------------------------------


def grey_16(values: list[int], size: tuple[int, int]) -> bytes:
    """A PNG of 16 bits a pixel, as scanners write it: columns of these values."""
    row = b"".join(struct.pack("<H", values[x * len(values) // size[0]]) for x in range(size[0]))
    image = Image.frombytes("I;16", size, row * size[1])
    out = BytesIO()
    image.save(out, "PNG")
    assert Image.open(BytesIO(out.getvalue())).mode == "I;16"
    return out.getvalue()


@pytest.mark.parametrize("store", [store_image, store_document])
@pytest.mark.parametrize("size", [(80, 40), (1200, 800)], ids=["small", "large"])
@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 257, 16384, 32768, 65535], [0, 1, 64, 128, 255]),
        ([0, 1024, 2048, 4095], [0, 64, 128, 255]),
        ([0, 100, 255], [0, 100, 255]),
        ([65535, 65535], [255, 255]),
        ([0, 0], [0, 0]),
    ],
    ids=["16 bits", "12 bits", "8 bits", "white", "black"],
)
def test_a_scan_of_16_bits_is_scaled_and_not_cut_off(
    db: None, store: Callable[..., StoredFile], size: tuple[int, int], values: Any, shown: Any
) -> None:
    kept = reopened(keep(upload(grey_16(values, size)), store=store))
    columns = [kept.getpixel(((2 * place + 1) * size[0] // (2 * len(values)), 5)) for place in range(len(values))]
    assert columns == shown


def test_a_scan_of_16_bits_is_not_judged_blurred() -> None:
    page = Image.open(BytesIO(picture_bytes("PNG"))).convert("L")
    wide = Image.frombytes("I;16", page.size, b"".join(bytes([level, level]) for level in page.tobytes()))
    out = BytesIO()
    wide.save(out, "PNG")
    assert abs(sharpness(out.getvalue()) / sharpness(picture_bytes("PNG")) - 1) < 0.05


def drawn(mode: str, kind: str, **options: Any) -> bytes:
    """A picture in one of the forms that programs write: black left, grey in the middle, white right."""
    ramp = Image.new("L", (90, 30), 255)
    ramp.paste(0, (0, 0, 30, 30))
    ramp.paste(128, (30, 0, 60, 30))
    image = ramp.convert("RGB").quantize(8) if mode == "P" else ramp.convert("RGB").convert(mode)
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("L", "PNG", {}),
        ("LA", "PNG", {}),
        ("P", "PNG", {}),
        ("P", "PNG", {"transparency": 3}),
        ("RGBA", "PNG", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("CMYK", "JPEG", {"quality": 95}),
        ("YCbCr", "JPEG", {"quality": 95}),
        ("L", "JPEG", {"quality": 95}),
    ],
)
def test_every_form_of_a_picture_looks_as_it_did(mode: str, kind: str, options: dict[str, Any]) -> None:
    kept = reopened(keep(upload(drawn(mode, kind, **options)), store=store_document)).convert("RGB")
    pixels: Any = kept.load()
    seen = [sum(pixels[x, 15]) // 3 for x in (15, 45, 75)]
    assert all(abs(got - wanted) <= 4 for got, wanted in zip(seen, [0, 128, 255], strict=True)), seen


def video(size: int) -> bytes:
    """As an MP4 behind a phone's picture: its bytes hold every JPEG marker many times."""
    return b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda\xff\xd9\xff\xd8" * (size // 6)


@pytest.mark.parametrize("store", [store_image, store_private, store_document])
@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_motion_photo_is_taken_without_its_video(store: Callable[..., StoredFile], is_progressive: bool) -> None:
    photo = picture_bytes("JPEG", size=(900, 700), progressive=is_progressive, exif=exif_with_thumbnail())
    stored = keep(upload(photo + video(2_000_000)), store=store)
    content = read_file(stored)
    assert (stored.width, stored.height) == (900, 700)
    assert b"ftyp" not in content
    assert abs(sharpness(content) - sharpness(photo)) < sharpness(photo) * 0.2


def exif_with_thumbnail() -> bytes:
    """Its thumbnail is a JPEG of its own inside the head, with an end of its own."""
    exif = Image.Exif()
    exif[0x010E] = "thumbnail " + picture_bytes("JPEG", size=(30, 20)).decode("latin-1")
    return exif.tobytes()


def test_evidence_is_kept_at_full_size_and_as_finely_as_it_came() -> None:
    page = Image.open(BytesIO(picture_bytes("PNG", size=(1400, 900))))
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        out = BytesIO()
        page.save(out, kind, **options)
        kept = reopened(keep(upload(out.getvalue()), store=store_document))
        assert ImageChops.difference(kept.convert("RGB"), page).getbbox() is None, kind
    out = BytesIO()
    page.save(out, "JPEG", quality=95, subsampling=0)
    kept = reopened(keep(upload(out.getvalue()), store=store_document))
    assert kept.size == page.size
    sent = Image.open(out)
    assert max(ImageStat.Stat(ImageChops.difference(kept, sent)).mean) < 1.5
