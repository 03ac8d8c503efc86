from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import privacy, sockets  # noqa: F401  (speak for people; register what the socket takes)
