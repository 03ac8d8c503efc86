from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from notifications import sockets, tasks  # noqa: F401  (register frames, resumption, outbox handlers)
