from django.apps import AppConfig


class VectragrowConfig(AppConfig):
    """The roof: pages, commands about the whole, and nothing that others import."""

    name = "vectragrow"

    def ready(self) -> None:
        from vectragrow import celery  # noqa: F401  (makes our Celery application the one that tasks belong to)
