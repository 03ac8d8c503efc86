"""
Cloudinary as a Django storage, on the official SDK.

Public pictures are images of delivery type `upload` with a lasting https address. Sealed files are `raw` assets of type
`authenticated`: no public address exists, and they are fetched by a signed download of one minute.
"""

import time
from io import BytesIO
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
        self.resource_type = "image" if delivery_type == "upload" else "raw"
        self.account: dict[str, Any] = {"cloud_name": cloud_name, "api_key": api_key, "api_secret": api_secret}
        if upload_prefix:
            self.account["upload_prefix"] = upload_prefix
        self.http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=TIMEOUT), retries=False)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # ours are random; asking would cost a call

    def _save(self, name: str, content: "File[bytes]") -> str:
        public_id, extension = self._split(name)
        cloudinary.uploader.upload(
            BytesIO(content.read()),
            public_id=public_id,
            resource_type=self.resource_type,
            type=self.delivery_type,
            overwrite=False,
            filename=name.rpartition("/")[2],
            format=extension or None,
            timeout=TIMEOUT,
            **self.account,
        )
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        public_id, extension = self._split(name)
        address = cloudinary.utils.private_download_url(
            public_id,
            extension,
            resource_type=self.resource_type,
            type=self.delivery_type,
            expires_at=int(time.time()) + 60,
            **self.account,
        )
        try:
            answer = self.http.request("GET", address, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise CloudinaryUnavailable(name) from error
        if answer.status == 404:
            raise FileNotFoundError(name)
        if answer.status != 200:
            raise CloudinaryUnavailable(f"{name}: status {answer.status}")
        return ContentFile(answer.data, name=name)

    def delete(self, name: str) -> None:
        cloudinary.uploader.destroy(
            self._split(name)[0],
            resource_type=self.resource_type,
            type=self.delivery_type,
            invalidate=True,
            timeout=TIMEOUT,
            **self.account,
        )

    def exists(self, name: str) -> bool:
        try:
            cloudinary.api.resource(
                self._split(name)[0],
                resource_type=self.resource_type,
                type=self.delivery_type,
                timeout=TIMEOUT,
                **self.account,
            )
        except cloudinary.exceptions.NotFound:
            return False
        return True

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """File names directly in `path`; folders are not listed."""
        found: list[str] = []
        cursor = None
        while True:
            page = cloudinary.api.resources(
                resource_type=self.resource_type,
                type=self.delivery_type,
                prefix=f"{path.strip('/')}/",
                max_results=500,
                next_cursor=cursor,
                timeout=TIMEOUT,
                **self.account,
            )
            found += [self._name(asset).rpartition("/")[2] for asset in page["resources"]]
            cursor = page.get("next_cursor")
            if not cursor:
                return [], found

    def url(self, name: str | None) -> str:
        public_id, extension = self._split(name or "")
        address, _ = cloudinary.utils.cloudinary_url(
            public_id,
            format=extension,
            resource_type=self.resource_type,
            type=self.delivery_type,
            secure=True,
            sign_url=self.delivery_type != "upload",
            **self.account,
        )
        return str(address)

    def _split(self, name: str) -> tuple[str, str]:
        """Cloudinary keeps an image's extension apart; a raw asset's is part of its id."""
        if self.resource_type == "raw":
            return name, ""
        public_id, _, extension = name.rpartition(".")
        return public_id, extension

    def _name(self, asset: dict[str, Any]) -> str:
        return asset["public_id"] if self.resource_type == "raw" else f"{asset['public_id']}.{asset['format']}"
