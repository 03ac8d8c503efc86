from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"

    def ready(self) -> None:
        from uploads.services import rotation  # noqa: F401  (registers itself for rewrap_keys)
