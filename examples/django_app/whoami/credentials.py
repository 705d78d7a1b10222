from functools import cache

import credconf


@cache
def credential() -> credconf.Credential:
    """Made when it is first asked for, so that `manage.py migrate` or `collectstatic` need no secret."""
    return credconf.from_config()
