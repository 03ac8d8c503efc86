from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"

    def ready(self) -> None:
        from uploads import privacy, tasks  # noqa: F401  (speak for people; register the Celery tasks)
        from uploads.services import rotation  # noqa: F401  (registers itself for rewrap_keys)
