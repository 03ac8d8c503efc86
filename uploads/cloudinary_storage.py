"""
Cloudinary as a Django storage, on the official SDK.

Public pictures and videos are of delivery type `upload` with a lasting https address. Sealed files are `raw` assets of
type `authenticated`: no public address exists, and they are fetched by a signed download of one minute.
"""

import time
from collections.abc import Iterator
from typing import Any

import cloudinary.api
import cloudinary.exceptions
import cloudinary.uploader
import cloudinary.utils
import urllib3
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

TIMEOUT = 15
"""Seconds for one call."""
PIECE = 20 * 1024 * 1024
"""Bytes of one call that uploads; longer files take several."""
CHUNK = 64 * 1024
VIDEOS = (".mp4", ".webm")


class CloudinaryUnavailable(OSError):
    """Cloudinary did not answer as it should."""


@deconstructible
class CloudinaryStorage(Storage):
    def __init__(
        self, *, cloud_name: str, api_key: str, api_secret: str, delivery_type: str, upload_prefix: str | None = None
    ) -> None:
        """
        :param delivery_type: `upload` (public pictures) or `authenticated` (sealed files)
        :param upload_prefix: base address of the API, for a stand-in
        """
        self.delivery_type = delivery_type
        self.account: dict[str, Any] = {"cloud_name": cloud_name, "api_key": api_key, "api_secret": api_secret}
        if upload_prefix:
            self.account["upload_prefix"] = upload_prefix
        self.http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=TIMEOUT), retries=False)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # ours are random; asking would cost a call

    def _save(self, name: str, content: "File[bytes]") -> str:
        public_id, extension = self._split(name)
        content.seek(0)
        cloudinary.uploader.upload_large(
            content,
            public_id=public_id,
            resource_type=self._kind(name),
            type=self.delivery_type,
            overwrite=False,
            filename=name.rpartition("/")[2],
            format=extension or None,
            chunk_size=PIECE,
            timeout=TIMEOUT,
            **self.account,
        )
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        answer = self._download(name)
        try:
            return ContentFile(answer.data, name=name)
        except urllib3.exceptions.HTTPError as error:
            raise CloudinaryUnavailable(name) from error

    def read_range(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """See `uploads.stores.Ranged`. Where all is sent all the same, what comes before is skipped."""
        answer = self._download(name, {"Range": f"bytes={start}-{end - 1}"})
        skipped = 0 if answer.status == 206 else start
        return self._cut(answer, skipped, end - start)

    def _cut(self, answer: Any, skipped: int, left: int) -> Iterator[bytes]:
        try:
            for chunk in answer.stream(CHUNK):
                part = chunk[skipped : skipped + left]
                skipped, left = max(skipped - len(chunk), 0), left - len(part)
                yield part
                if not left:
                    return
        except urllib3.exceptions.HTTPError as error:
            raise CloudinaryUnavailable from error
        finally:
            answer.close()

    def _download(self, name: str, headers: dict[str, str] | None = None) -> Any:
        """The answer, of which only the head is read. :raises FileNotFoundError:"""
        public_id, extension = self._split(name)
        address = cloudinary.utils.private_download_url(
            public_id,
            extension,
            resource_type=self._kind(name),
            type=self.delivery_type,
            expires_at=int(time.time()) + 60,
            **self.account,
        )
        try:
            answer = self.http.request("GET", address, headers=headers, redirect=False, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise CloudinaryUnavailable(name) from error
        if answer.status in (200, 206):
            return answer
        answer.close()
        if answer.status == 404:
            raise FileNotFoundError(name)
        raise CloudinaryUnavailable(f"{name}: status {answer.status}")

    def delete(self, name: str) -> None:
        cloudinary.uploader.destroy(
            self._split(name)[0],
            resource_type=self._kind(name),
            type=self.delivery_type,
            invalidate=True,
            timeout=TIMEOUT,
            **self.account,
        )

    def exists(self, name: str) -> bool:
        try:
            cloudinary.api.resource(
                self._split(name)[0],
                resource_type=self._kind(name),
                type=self.delivery_type,
                timeout=TIMEOUT,
                **self.account,
            )
        except cloudinary.exceptions.NotFound:
            return False
        return True

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """File names directly in `path`; folders are not listed."""
        kinds = ("image", "video") if self.delivery_type == "upload" else ("raw",)
        return [], [self._name(asset).rpartition("/")[2] for kind in kinds for asset in self._assets(kind, path)]

    def _assets(self, kind: str, path: str) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = cloudinary.api.resources(
                resource_type=kind,
                type=self.delivery_type,
                prefix=f"{path.strip('/')}/",
                max_results=500,
                next_cursor=cursor,
                timeout=TIMEOUT,
                **self.account,
            )
            yield from page["resources"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def url(self, name: str | None) -> str:
        public_id, extension = self._split(name or "")
        address, _ = cloudinary.utils.cloudinary_url(
            public_id,
            format=extension,
            resource_type=self._kind(name or ""),
            type=self.delivery_type,
            secure=True,
            sign_url=self.delivery_type != "upload",
            **self.account,
        )
        return str(address)

    def _kind(self, name: str) -> str:
        """What Cloudinary calls a resource type."""
        if self.delivery_type != "upload":
            return "raw"
        return "video" if name.endswith(VIDEOS) else "image"

    def _split(self, name: str) -> tuple[str, str]:
        """Cloudinary keeps the extension of an image or a video apart; a raw asset's is part of its id."""
        if self._kind(name) == "raw":
            return name, ""
        public_id, _, extension = name.rpartition(".")
        return public_id, extension

    def _name(self, asset: dict[str, Any]) -> str:
        return f"{asset['public_id']}.{asset['format']}" if asset.get("format") else asset["public_id"]
