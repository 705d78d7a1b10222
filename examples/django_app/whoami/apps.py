from django.apps import AppConfig


class WhoamiConfig(AppConfig):
    name = "whoami"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - importing registers them
