from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "social"

    def ready(self) -> None:
        from social.services import targets  # noqa: F401  (registers what may be reported)
