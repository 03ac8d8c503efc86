"""A bucket that stays private: public files are served by this server, or through a CDN in front of the bucket."""

from typing import Any

from django.conf import settings
from storages.backends.s3 import S3Storage


class PublicFiles(S3Storage):
    """`url` is a lasting address that works without any policy on the bucket."""

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        if self.custom_domain:
            return str(super().url(name, *args, **kwargs))
        return f"{settings.PUBLIC_URL}/media/{name}"
