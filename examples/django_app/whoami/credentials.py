from functools import cache

import credconf


@cache
def credential() -> credconf.Credential:
    """The credential of the process, made on first use."""
    return credconf.from_config()
