from typing import Any

from django.core.checks import CheckMessage, Error, register

import credconf


@register(deploy=True)
def configuration(**_: Any) -> list[CheckMessage]:
    """Report a wrong configuration in `manage.py check --deploy`."""
    try:
        credconf.load()
    except credconf.ConfigError as error:
        return [Error(str(error), id="whoami.E001")]
    return []
