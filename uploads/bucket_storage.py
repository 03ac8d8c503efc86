"""A bucket that stays private: public files are served by this server, or through a CDN in front of the bucket."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

CHUNK = 64 * 1024


class BucketFiles(S3Storage):
    def read_range(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """See `uploads.stores.Ranged`."""
        key = self.bucket.Object(self._normalize_name(clean_name(name)))
        try:
            body = key.get(Range=f"bytes={start}-{end - 1}")["Body"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(name) from error
            raise
        chunks: Iterator[bytes] = body.iter_chunks(CHUNK)
        return chunks


class PublicFiles(BucketFiles):
    """`url` is a lasting address that works without any policy on the bucket."""

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        if self.custom_domain:
            return str(super().url(name, *args, **kwargs))
        return f"{settings.PUBLIC_URL}/media/{name}"
