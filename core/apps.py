from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.jobs import tasks  # noqa: F401  (registers the Celery tasks)
