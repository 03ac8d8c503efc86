from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import sockets  # noqa: F401  (registers what the socket takes)
        from chat.services import blocking, reporting  # noqa: F401  (register what a block does, what may be reported)
