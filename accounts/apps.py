from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import browser_sessions  # noqa: F401  (registers receivers)
        from accounts.authentication import live_sessions, session_of
        from core.realtime import sockets

        sockets.authenticate_with(sockets.SocketAuthentication(session_of, live_sessions))
