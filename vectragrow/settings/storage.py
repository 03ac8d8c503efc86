"""STORAGE_URL, turned into Django's STORAGES: `default` holds public files, `private` sealed ones."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

STATICFILES = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def storages(url: str, data_dir: Path, public_url: str) -> dict[str, dict[str, Any]]:
    """
    :param url: `file:/path`, `s3://key:secret@host/bucket?region=…`, `cloudinary://key:secret@cloud`; empty: `data_dir`
    :raises ImproperlyConfigured: for any other form
    """
    parts = urlsplit(url or "file:")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match parts.scheme:
        case "file":
            root = Path(unquote(parts.path)) if parts.path else data_dir / "media"
            public, private = _folder(root, f"{public_url}/media/")
        case "s3" if parts.hostname and parts.username and len(parts.path) > 1:
            public, private = _bucket(parts, query)
        case "cloudinary" if parts.hostname and parts.username:
            public, private = _cloudinary(parts, query)
        case _:
            raise ImproperlyConfigured(
                "STORAGE_URL must be file:/path, s3://key:secret@host/bucket?region=… or cloudinary://key:secret@cloud."
            )
    return {"default": public, "private": private, "staticfiles": STATICFILES}


def _folder(root: Path, base_url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    backend = "django.core.files.storage.FileSystemStorage"
    public = {"location": root / "public", "base_url": base_url, "file_permissions_mode": 0o644}
    private = {"location": root / "private", "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    return {"BACKEND": backend, "OPTIONS": public}, {"BACKEND": backend, "OPTIONS": private}


def _bucket(parts: Any, query: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plain HTTP only towards this machine. `?public_host=cdn.example`: where clients get public files from."""
    from botocore.config import Config

    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    port = f":{parts.port}" if parts.port else ""
    shared = {
        "access_key": unquote(parts.username),
        "secret_key": unquote(parts.password or ""),
        "bucket_name": parts.path.strip("/"),
        "region_name": query.get("region", "us-east-1"),
        "endpoint_url": f"{'http' if is_local else 'https'}://{parts.hostname}{port}",
        "file_overwrite": True,  # names are random; asking first would cost a call per file
        "querystring_auth": False,
        "client_config": Config(
            connect_timeout=3,
            read_timeout=15,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"},
            signature_version="s3v4",
        ),
    }
    public = {
        **shared,
        "location": "public",
        "custom_domain": query.get("public_host"),
        "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
    }
    private = {**shared, "location": "private"}
    return (
        {"BACKEND": "uploads.bucket_storage.PublicFiles", "OPTIONS": public},
        {"BACKEND": "uploads.bucket_storage.BucketFiles", "OPTIONS": private},
    )


def _cloudinary(parts: Any, query: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    shared = {
        "cloud_name": parts.hostname,
        "api_key": unquote(parts.username),
        "api_secret": unquote(parts.password or ""),
        "upload_prefix": query.get("upload_prefix"),
    }
    backend = "uploads.cloudinary_storage.CloudinaryStorage"
    public, private = {**shared, "delivery_type": "upload"}, {**shared, "delivery_type": "authenticated"}
    return {"BACKEND": backend, "OPTIONS": public}, {"BACKEND": backend, "OPTIONS": private}
