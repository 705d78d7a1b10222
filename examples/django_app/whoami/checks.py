from typing import Any

from django.core.checks import CheckMessage, Error, register

import credconf


@register(deploy=True)
def configuration(**_: Any) -> list[CheckMessage]:
    """`manage.py check --deploy` finds a broken configuration before a request does."""
    try:
        credconf.load()
    except credconf.ConfigError as error:
        return [Error(str(error), id="whoami.E001")]
    return []
