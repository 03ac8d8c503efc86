from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import sockets  # noqa: F401  (registers what the socket takes)
        from chat.services import blocking  # noqa: F401  (registers what a block does)
